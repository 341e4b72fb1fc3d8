using System.Globalization;
using System.Text;
using KvServer.Storage;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Rdb;

/// <summary>Datasets with every encoding of strings, sets and hashes, drawn from a seed.</summary>
public abstract class RdbTest
{
    /// <summary>Keys with their values: a string, or the members of a set. All differ from seed to seed.</summary>
    protected static List<(string Key, byte[][] Value, bool IsSet)> Draw(int seed)
    {
        var random = new Random(seed);
        List<(string, byte[][], bool)> values = [];
        foreach (string text in new[]
        {
            "", "0", "-1", "127", "128", "-129", "32767", "32768", "2147483647", "2147483648", "-9223372036854775808",
            "9223372036854775807", "9223372036854775808", "01", "-0", "+1", "3.0", " 1",
        })
        {
            values.Add(($"text:{text}", [Encoding.ASCII.GetBytes(text)], false));
        }

        foreach (int length in new[] { 1, 20, 21, 44, 45, 63, 64, 255, 4096, 4097, 16383, 16384, 65536, 300_000 })
        {
            foreach (int letters in new[] { 1, 2, 40, 256 })
            {
                values.Add(($"string:{length}:{letters}", [Letters(random, length, letters)], false));
            }
        }

        foreach (int count in new[] { 1, 2, 5, 127, 128, 129, 511, 512, 513, 3000 })
        {
            foreach (long width in new[] { 1L, 40_000, 3_000_000_000 })
            {
                values.Add(($"integers:{count}:{width}", Integers(random, count, width), true));
            }

            foreach (int length in new[] { 10, 64, 65, 200 })
            {
                values.Add(($"words:{count}:{length}", Words(random, count, length), true));
            }
        }

        return values;
    }

    /// <summary>Puts a dataset into a server; every third key expires in the far future.</summary>
    protected static void Fill(RespClient client, int seed)
    {
        int index = 0;
        foreach ((string key, byte[][] value, bool isSet) in Draw(seed))
        {
            byte[] name = Encoding.UTF8.GetBytes(key);
            client.Execute("SELECT", (index % 3).ToString(CultureInfo.InvariantCulture));
            Send(client, [isSet ? "SADD"u8.ToArray() : "SET"u8.ToArray(), name, .. value]);
            if (index++ % 3 == 1)
            {
                client.Execute("PEXPIREAT", key, "33177117420000");
            }
        }

        client.Execute("SELECT", "0");
        foreach ((string key, byte[][] pairs) in DrawHashes(seed))
        {
            Send(client, ["HSET"u8.ToArray(), Encoding.UTF8.GetBytes(key), .. pairs]);
        }
    }

    /// <summary>Hashes: fields and their values by turns.</summary>
    protected static List<(string Key, byte[][] Pairs)> DrawHashes(int seed)
    {
        var random = new Random(seed);
        List<(string, byte[][])> hashes = [];
        foreach (int count in new[] { 1, 2, 5, 127, 128, 129, 3000 })
        {
            foreach (int length in new[] { 10, 64, 65, 200 })
            {
                byte[][] names = Words(random, count, length);
                byte[][] values = length == 10 ? Integers(random, count, 40_000) : Words(random, count, length);
                hashes.Add(($"hash:{count}:{length}", [.. names.SelectMany((name, i) => new[] { name, values[i] })]));
            }
        }

        hashes.Add(("hash:long", ["f"u8.ToArray(), Letters(random, 70_000, 2), "g"u8.ToArray(), []]));
        return hashes;
    }

    /// <summary>Sends a command of bytes.</summary>
    protected static RespValue Send(RespClient client, byte[][] arguments)
    {
        client.Send(arguments);
        RespValue reply = client.ReadReply();
        Assert.False(reply.IsError, reply.AsString);
        return reply;
    }

    /// <summary>Loads a file into a store of its own, which the caller disposes.</summary>
    protected static Keyspace Load(string path)
    {
        Keyspace store = new() { NowMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() };
        try
        {
            using FileStream file = File.OpenRead(path);
            new RdbLoader(new RdbReader(file, file.Length), store, new RdbLoadOptions()).LoadAll();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private static byte[] Letters(Random random, int length, int letters)
    {
        byte[] text = new byte[length];
        for (int i = 0; i < length; i++)
        {
            text[i] = (byte)(letters == 256 ? random.Next(256) : 'a' + random.Next(letters));
        }

        return text;
    }

    private static byte[][] Integers(Random random, int count, long width)
    {
        HashSet<long> members = [];
        while (members.Count < count)
        {
            members.Add((random.Next(2 * count) - count) * width);
        }

        return [.. members.Select(member => Encoding.ASCII.GetBytes(member.ToString(CultureInfo.InvariantCulture)))];
    }

    private static byte[][] Words(Random random, int count, int length) =>
        [.. Enumerable.Range(0, count).Select(i => (byte[])[.. Letters(random, length - 6, 256), .. Encoding.ASCII.GetBytes($"{i:D6}")])];
}
