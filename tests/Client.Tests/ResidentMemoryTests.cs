using System.Globalization;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>What the process takes of the machine while the sizes of values change under a limit.</summary>
public sealed class ResidentMemoryTests
{
    private const long Mb = 1024 * 1024;
    private const long Limit = 96 * Mb;
    private const int Batch = 64;

    // Of the limit: what fragments may take beside it, and the buffers, code and garbage that come with the first requests.
    private const long Spare = (Limit / 16) + (4 * Mb) + (40 * Mb);

    [Fact]
    public async Task The_limit_holds_for_what_is_resident_while_sizes_change()
    {
        ServerOptions options = ServerOptions.ForTests().With("maxmemory", "96mb").With("maxmemory-policy", "allkeys-lru");
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient client = server.Connect();
        long before = ProcessCounters.ResidentBytes(server.ProcessId);
        long most = 0;
        foreach (int bytes in new[] { 32, 400, 9000, 100, 25_000, 60, 2000 })
        {
            // Enough to replace everything, and a third of it once more.
            for (long written = 0, key = 0; written < Limit * 4 / 3; written += Batch * (bytes + 60L))
            {
                key = Write(client, key, bytes);
                most = Math.Max(most, ProcessCounters.ResidentBytes(server.ProcessId));
            }
        }

        Assert.True(client.Execute("DBSIZE").AsInteger > 0);
        Assert.True(
            most - before < Limit + Spare,
            string.Create(CultureInfo.InvariantCulture, $"{(most - before) / Mb} MB beside {before / Mb} MB at the start"));
    }

    // Every other key is one that has had a value of another size.
    private static long Write(RespClient client, long key, int bytes)
    {
        string value = new('v', bytes);
        MemoryStream requests = new();
        for (int i = 0; i < Batch; i++, key++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{(key % 2 == 0 ? "k" : "k" + bytes)}:{key}");
            CommandLine.AppendRequest(requests, [.. new[] { "SET", name, value }.Select(Encoding.ASCII.GetBytes)]);
        }

        client.SendRaw(requests.GetBuffer().AsSpan(0, (int)requests.Length));
        for (int i = 0; i < Batch; i++)
        {
            Assert.Equal("OK", client.ReadReply().AsString);
        }

        return key;
    }
}
