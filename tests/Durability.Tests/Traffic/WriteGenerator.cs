using System.Globalization;

namespace KvServer.Durability.Tests.Traffic;

/// <summary>Thinks up the writes of one client on keys of its own; every version of a value is another one.</summary>
internal sealed class WriteGenerator(int client, Random random, TimeProvider clock)
{
    private static readonly int[] Databases = [0, 1, 5];
    private const int KeysOfKind = 3;
    private const int LongValueBytes = 300_000;
    private const int MaxLargeSet = 3000;
    private const int MaxAppended = 4000;

    private long _version;

    /// <summary>How a client's keys begin.</summary>
    public static string PrefixOf(int client) => string.Create(CultureInfo.InvariantCulture, $"c{client}:");

    /// <summary>The next write, which always succeeds on keys that are as the model says.</summary>
    public Write Next(ClientModel model)
    {
        int database = Databases[random.Next(Databases.Length)];
        return random.Next(100) switch
        {
            < 20 => Set(database),
            < 25 => new Write(database, "MSET", Name("s"), Text(), Name("s"), Text(), Name("s"), Text()),
            < 35 => new Write(database, "INCR", Name("n")),
            < 45 => Append(model, database),
            < 55 => new Write(database, "SADD", Name("t"), Member(), Member(), Member()),
            < 60 => Remove(model, database),
            < 64 => new Write(database, "SADD", Name("p"), Member(), Member()),
            < 68 => new Write(database, "SPOP", Name("p")),
            < 74 => new Write(database, "EXPIRE", Name("t"), Number(random.Next(1, 1000) * 10_000L)),
            < 79 => new Write(database, "PEXPIREAT", Name("n"), Number(FarFuture())),
            < 84 => new Write(database, "PERSIST", Name(random.Next(2) == 0 ? "t" : "n")),
            < 89 => new Write(database, "DEL", Name("snatpr"[random.Next(6)].ToString())),
            < 95 => Rename(model, database),
            < 98 => Large(model, database),
            _ => Long(model),
        };
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private string Name(string kind) => PrefixOf(client) + kind + Number(random.Next(KeysOfKind));

    private string Member() => "m" + Number(++_version);

    private long FarFuture() => clock.GetUtcNow().ToUnixTimeMilliseconds() + random.NextInt64(100_000_000, 100_000_000_000);

    // Every part of it names its version, so that a mixture of two can be told from either.
    private string Text(int length = -1)
    {
        string part = "v" + Number(++_version) + ".";
        int count = (length < 0 ? random.Next(200) : length) / part.Length;
        return string.Concat(Enumerable.Repeat(part, count + 1));
    }

    private Write Set(int database) => random.Next(4) == 0
        ? new Write(database, "SET", Name("s"), Text(), "PXAT", Number(FarFuture()))
        : new Write(database, "SET", Name("s"), Text());

    private Write Append(ClientModel model, int database)
    {
        string name = Name("a");
        return model.Find(new KeyId(database, name))?.Text?.Length > MaxAppended
            ? new Write(database, "DEL", name)
            : new Write(database, "APPEND", name, Text(20));
    }

    private Write Remove(ClientModel model, int database)
    {
        string name = Name("t");
        ModelValue? set = model.Find(new KeyId(database, name));
        return set is null
            ? new Write(database, "SADD", name, Member())
            : new Write(database, ["SREM", name, .. set.Members!.Take(2)]);
    }

    private Write Rename(ClientModel model, int database)
    {
        string name = Name(random.Next(2) == 0 ? "s" : "t");
        return model.Find(new KeyId(database, name)) is null
            ? new Write(database, "DEL", name)
            : new Write(database, "RENAME", name, Name("r"));
    }

    // A set that is kept as a hash table, and grows in steps.
    private Write Large(ClientModel model, int database)
    {
        string name = PrefixOf(client) + "large";
        ModelValue? set = model.Find(new KeyId(database, name));
        return set?.Members!.Count > MaxLargeSet
            ? new Write(database, ["SREM", name, .. set.Members!.Take(500)])
            : new Write(database, ["SADD", name, .. Enumerable.Range(0, 100).Select(_ => Member())]);
    }

    // One per client, so that all of them together stay a few hundred kilobytes.
    private Write Long(ClientModel model)
    {
        string name = PrefixOf(client) + "long";
        string? text = model.Find(new KeyId(0, name))?.Text;
        if (text is null || random.Next(4) == 0)
        {
            return new Write(0, "SET", name, Text(LongValueBytes));
        }

        string part = Text(100);
        return new Write(0, "SETRANGE", name, Number(random.Next(text.Length - part.Length)), part);
    }
}
