using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Rdb;

/// <summary>Streams of every kind, made on the reference server.</summary>
internal static class StreamDataset
{
    /// <summary>Makes them.</summary>
    /// <returns>Their keys.</returns>
    public static List<string> Fill(RespClient client, Random random)
    {
        List<string> keys = [];
        foreach (int entries in (int[])[1, 2, 99, 100, 101, 1500])
        {
            string key = "s" + Number(entries);
            keys.Add(key);
            for (int i = 1; i <= entries; i++)
            {
                AddEntry(client, random, key, i);
            }

            AddGroups(client, random, key, entries);
        }

        // Deleted entries, at the ends too, and trimmed ones.
        foreach (int id in (int[])[1, 2, 5, 700, 701, 1499, 1500])
        {
            client.Execute("XDEL", "s1500", Number(id) + "-0");
        }

        client.Execute("XTRIM", "s1500", "MINID", "350-0");
        client.Execute("XTRIM", "s101", "MAXLEN", "50");

        // Empty, in three ways; one keeps a node without entries.
        client.Execute("XGROUP", "CREATE", "made", "g", "$", "MKSTREAM");
        client.Execute("XADD", "trimmed", "7-7", "f", "v");
        client.Execute("XGROUP", "CREATE", "trimmed", "g", "0");
        client.Execute("XREADGROUP", "GROUP", "g", "c", "STREAMS", "trimmed", ">");
        client.Execute("XTRIM", "trimmed", "MAXLEN", "0");
        foreach (string id in (string[])["1", "2", "3"])
        {
            client.Execute("XADD", "hollow", id, "f", "v");
        }

        client.Execute("XDEL", "hollow", "3");
        client.Execute("XTRIM", "hollow", "MINID", "=", "3");

        // The largest numbers, long values and names, bytes that are no text.
        client.Execute("XADD", "large", "18446744073709551614-18446744073709551615", "f", new string('x', 100_000));
        client.Execute("XADD", "large", "18446744073709551615-18446744073709551615", "f", new string('y', 3000), "-1", "\u00ff\0");
        client.Execute("XGROUP", "CREATE", "large", new string('g', 500), "18446744073709551614-18446744073709551615", "ENTRIESREAD", "1");
        client.Execute("XREADGROUP", "GROUP", new string('g', 500), new string('c', 500), "STREAMS", "large", ">");
        foreach (string id in (string[])["1", "2", "3", "4"])
        {
            client.Execute("XADD", "back", id, "f", "v");
        }

        client.Execute("XDEL", "back", "3", "4");
        client.Execute("XSETID", "back", "2-0");
        client.Execute("XADD", "back", "2-5", "f", "v");
        client.Execute("XADD", "set", "1-1", "f", "v");
        client.Execute("XSETID", "set", "9-9", "ENTRIESADDED", "1000", "MAXDELETEDID", "8-8");
        client.Execute("PEXPIREAT", "set", "33177117420000");
        return [.. keys, "made", "trimmed", "hollow", "large", "back", "set"];
    }

    /// <summary>All that XINFO tells of the streams, and how far each group lags behind.</summary>
    /// <param name="client">The reference server.</param>
    /// <param name="keys">The streams.</param>
    /// <param name="isCounted">Whether the number of nodes counts; ours has none without entries.</param>
    public static string Describe(RespClient client, IEnumerable<string> keys, bool isCounted = true)
    {
        System.Text.StringBuilder text = new();
        foreach (string key in keys)
        {
            string full = client.Execute("XINFO", "STREAM", key, "FULL", "COUNT", "0").ToString();
            text.Append(key).Append(": ");
            text.Append(isCounted || key != "hollow" ? full : full[full.IndexOf("last-generated-id", StringComparison.Ordinal)..]);
            text.Append('\n').Append(client.Execute("XINFO", "GROUPS", key)).Append('\n');
        }

        return text.ToString();
    }

    private static void AddEntry(RespClient client, Random random, string key, int id)
    {
        List<string> arguments = ["XADD", key, Number(id) + "-0"];
        int fields = random.Next(4) == 0 ? random.Next(1, 5) : 2;
        for (int i = 0; i < fields; i++)
        {
            arguments.Add(fields == 2 ? "field" + Number(i) : "other" + Number(random.Next(3)));
            arguments.Add(random.Next(3) == 0 ? Number(random.NextInt64()) : new string('v', random.Next(60)));
        }

        client.Execute([.. arguments]);
    }

    private static void AddGroups(RespClient client, Random random, string key, int entries)
    {
        client.Execute("XGROUP", "CREATE", key, "idle", "$");
        client.Execute("XGROUP", "CREATE", key, "somewhere", Number((entries / 2) + 1) + "-3");
        client.Execute("XGROUP", "CREATE", key, "busy", "0");
        client.Execute("XGROUP", "CREATECONSUMER", key, "busy", "lazy");
        foreach (string consumer in (string[])["alice", "bob", "12", "carol"])
        {
            client.Execute(
                "XREADGROUP", "GROUP", "busy", consumer, "COUNT", Number(1 + (entries / 5)), "STREAMS", key, ">");
        }

        for (int i = entries / 10; i > 0; i--)
        {
            string id = Number(random.Next(1, entries + 1)) + "-0";
            client.Execute("XACK", key, "busy", id);
            id = Number(random.Next(1, entries + 1)) + "-0";
            client.Execute("XCLAIM", key, "busy", "bob", "0", id, "TIME", Number(1_700_000_000_000 + i), "RETRYCOUNT", Number(i * 7));
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
