namespace KvServer.TestSupport.Rdb;

/// <summary>One value in every form of the format: type byte, the name reports show, and the bytes.</summary>
/// <param name="Type">The type byte.</param>
/// <param name="Name">The form's name.</param>
/// <param name="Value">The bytes after type and key.</param>
/// <param name="IsKnownToReference">Whether redis-server 7.0 loads it.</param>
public sealed record RdbSamples(int Type, string Name, byte[] Value, bool IsKnownToReference = true)
{
    private static readonly string Long = new('x', 300);

    /// <summary>Samples of all forms but those of modules.</summary>
    public static IReadOnlyList<RdbSamples> All { get; } =
    [
        new(0, "string", Bytes().String("text").ToArray()),
        new(1, "list", Bytes().Length(3).String("a").String(Long).Raw(0xC0, 7).ToArray()),
        new(2, "set", Bytes().Length(3).String("a").String("b").Raw(0xC1, 0, 1).ToArray()),
        new(3, "zset", Bytes().Length(3).String("a").Raw(3).Raw("1.5"u8.ToArray()).String("b").Raw(254)
            .String("c").Raw(255).ToArray()),
        new(4, "hash", Bytes().Length(2).String("f").String("v").String("g").String(Long).ToArray()),
        new(5, "zset-2", Bytes().Length(2).String("a").Score(-1.25).String("b").Score(double.PositiveInfinity).ToArray()),
        new(9, "hash-zipmap", Bytes().String(RdbBytes.ZipMap("f", "v", "g", Long, "", "")).ToArray()),
        new(10, "list-ziplist", Bytes().String(
            RdbBytes.ZipList("a", 0, 12, 13, -129, 40000, -9000000, 5000000000, Long, new string('y', 20000), "z")).ToArray()),
        new(11, "set-intset", Bytes().String(RdbBytes.IntSet(4, -70000, 1, 70000)).ToArray()),
        new(12, "zset-ziplist", Bytes().String(RdbBytes.ZipList("a", 1, "b", "2.5", "c", "inf")).ToArray()),
        new(13, "hash-ziplist", Bytes().String(RdbBytes.ZipList("f", "v", "g", 12345)).ToArray()),
        new(14, "quicklist", Bytes().Length(2).String(RdbBytes.ZipList("a", 1)).String(RdbBytes.ZipList("b", Long)).ToArray()),
        new(15, "stream", Stream(1)),
        new(16, "hash-listpack", Bytes().String(RdbBytes.ListPack("f", "v", "g", -4000)).ToArray()),
        new(17, "zset-listpack", Bytes().String(RdbBytes.ListPack("a", 1, "b", "2.5")).ToArray()),
        new(18, "quicklist-v2", Bytes().Length(2).Length(2).String(RdbBytes.ListPack("a", 1, Long, new string('y', 5000)))
            .Length(1).String(new string('p', 9000)).ToArray()),
        new(19, "stream-v2", Stream(2)),
        new(20, "set-listpack", Bytes().String(RdbBytes.ListPack("a", 1, "b", 70000)).ToArray(), IsKnownToReference: false),
        new(21, "stream-v3", Stream(3), IsKnownToReference: false),
        new(24, "hash-hashtable-md", Bytes().Int64(2_000_000_000_000).Length(2)
            .Length(0).String("f").String("v").Length(5).String("g").String("w").ToArray(), IsKnownToReference: false),
        new(25, "hash-listpack-md", Bytes().Int64(2_000_000_000_000).String(
            RdbBytes.ListPack("f", "v", 2_000_000_000_000, "g", "w", 0)).ToArray(), IsKnownToReference: false),
    ];

    private static RdbBytes Bytes() => new();

    // Two nodes, in the first of which an entry is deleted and another has fields of its own; a group with two consumers
    // that have an entry each, and one that has read nothing nobody knows how much of.
    private static byte[] Stream(int form)
    {
        RdbBytes bytes = Bytes().Length(2)
            .String(Id(1, 1)).String(RdbBytes.ListPack(
                2, 1, 1, "f", 0, 2, 0, 0, "v", 4, 3, 0, 1, "w", 4, 0, 2, -1, 2, "g", 7, "h", Long, 8))
            .String(Id(5, 0)).String(RdbBytes.ListPack(1, 0, 1, "f", 0, 2, 0, 0, 12, 4))
            .Length(3).Length(5).Length(0);
        if (form >= 2)
        {
            bytes.Length(1).Length(1).Length(1).Length(2).Length(4);
        }

        bytes.Length(2).String("g").Length(3).Length(0);
        if (form >= 2)
        {
            bytes.Length(3);
        }

        bytes.Length(2).Raw(Id(1, 1)).Int64(1_700_000_000_000).Length(1).Raw(Id(3, 0)).Int64(1_700_000_000_007).Length(300);
        bytes.Length(2);
        AddConsumer(bytes, form, "a").Length(1).Raw(Id(1, 1));
        AddConsumer(bytes, form, "b").Length(1).Raw(Id(3, 0));
        bytes.String("h").Length(0).Length(0);
        if (form >= 2)
        {
            bytes.Length(ulong.MaxValue);
        }

        bytes.Length(0).Length(1);
        return AddConsumer(bytes, form, "c").Length(0).ToArray();
    }

    private static RdbBytes AddConsumer(RdbBytes bytes, int form, string name)
    {
        bytes.String(name).Int64(1_700_000_000_000);
        return form >= 3 ? bytes.Int64(1_700_000_000_123) : bytes;
    }

    private static byte[] Id(byte ms, byte sequence) => [0, 0, 0, 0, 0, 0, 0, ms, 0, 0, 0, 0, 0, 0, 0, sequence];
}
