using System.Text;
using KvServer.Resp;
using KvServer.Server.Persistence.Aof;

namespace KvServer.Differential.Tests.Aof;

/// <summary>What stands in an append-only file.</summary>
internal static class AofRequests
{
    /// <summary>The requests of a file without a snapshot, each as its words with spaces between.</summary>
    public static List<string> Read(string path, out long timestamp)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        using RequestBatch batch = new();
        AofReader reader = new(file);
        List<string> requests = [];
        while (reader.Read(batch))
        {
            for (int i = 0; i < batch.Count; i++)
            {
                Arguments arguments = batch.ArgumentsOf(i);
                List<string> words = [];
                for (int a = 0; a < arguments.Count; a++)
                {
                    words.Add(Encoding.Latin1.GetString(arguments[a]));
                }

                requests.Add(string.Join(' ', words));
            }
        }

        Assert.Equal(AofEnding.Clean, reader.Ending);
        timestamp = reader.Timestamp;
        return requests;
    }

    /// <summary>The requests of the file that a server appends to.</summary>
    public static List<string> ReadLast(string serverFolder)
    {
        AofFolder folder = new(Path.Combine(serverFolder, "appendonlydir"), "appendonly.aof");
        Assert.True(folder.TryLoad(out AofManifest? manifest, out string error), error);
        return Read(folder.PathOf(manifest!.LastIncrement!.Name), out _);
    }
}
