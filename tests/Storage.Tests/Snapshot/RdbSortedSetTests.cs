using KvServer.TestSupport.Rdb;

namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Sorted sets in files and payloads: every form, and what is refused.</summary>
public sealed class RdbSortedSetTests : RdbTest
{
    private static readonly string Long = new('x', 65);

    public static TheoryData<int, byte[], string> Forms => new()
    {
        {
            3,
            new RdbBytes().Length(4).String("b").Raw(3).Raw("1.5"u8.ToArray()).String("a").Raw(254).String("c").Raw(255)
                .Raw(0xC0, 7).Raw(2).Raw("-3"u8.ToArray()).ToArray(),
            "listpack -1 c=-Infinity|7=-3|b=1.5|a=Infinity"
        },
        {
            5,
            new RdbBytes().Length(3).String("b").Score(2).String("a").Score(-1.25).String("c").Score(2).ToArray(),
            "listpack -1 a=-1.25|b=2|c=2"
        },
        { 5, new RdbBytes().Length(2).String(Long).Score(2).String("a").Score(3).ToArray(), $"skiplist -1 {Long}=2|a=3" },
        { 12, new RdbBytes().String(RdbBytes.ZipList("a", 1, "b", "2.5", "c", "inf")).ToArray(), "listpack -1 a=1|b=2.5|c=Infinity" },
        { 17, new RdbBytes().String(RdbBytes.ListPack("a", 1, "b", "2.5")).ToArray(), "listpack -1 a=1|b=2.5" },
        { 17, new RdbBytes().String(RdbBytes.ListPack("a", 1, Long, "2.5")).ToArray(), $"listpack -1 a=1|{Long}=2.5" },
        { 17, new RdbBytes().String(RdbBytes.ListPack("b", 3, "a", "2.50", 7, 3)).ToArray(), "listpack -1 a=2.5|7=3|b=3" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_form_is_read(int type, byte[] value, string expected)
    {
        using (Keyspace store = Load(FileWith(type, value)))
        {
            Assert.Equal([expected], Describe(store).Values);
        }

        Assert.True(RdbPayload.TryRestore(Db, K("key"), Payload(type, value), Database.NoExpiry, new ValueLimits(), out _));
        Assert.Equal([expected], Describe(Store).Values);
        using Keyspace again = Load(Save(new RdbWriterOptions(true)));
        Assert.Equal(Describe(Store), Describe(again));
    }

    [Fact]
    public void A_packed_value_over_the_limit_becomes_a_skip_list()
    {
        object[] items = [.. Enumerable.Range(0, 200).SelectMany(i => (object[])["m" + i, i])];
        byte[] value = new RdbBytes().String(RdbBytes.ListPack(items)).ToArray();
        using Keyspace store = Load(FileWith(17, value));
        Assert.StartsWith("skiplist -1 m0=0|m1=1|", Describe(store)["0/key"], StringComparison.Ordinal);
        using Keyspace packed = Load(
            FileWith(17, value),
            new RdbLoadOptions { Limits = new ValueLimits { SortedSets = new SortedSetLimits(1000, 64) } });
        Assert.StartsWith("listpack -1 m0=0|m1=1|", Describe(packed)["0/key"], StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_sorted_set_can_be_is_refused()
    {
        Refuse(FileWith(5, new RdbBytes().Length(2).String("a").Score(1).String("a").Score(2).ToArray()));
        Refuse(FileWith(5, new RdbBytes().Length(1).String("a").Score(double.NaN).ToArray()));
        Refuse(FileWith(3, new RdbBytes().Length(1).String("a").Raw(253).ToArray()));
        Refuse(FileWith(3, new RdbBytes().Length(1).String("a").Raw(1).Raw("x"u8.ToArray()).ToArray()));
        Refuse(FileWith(17, new RdbBytes().String(RdbBytes.ListPack("a", 1, "a", 2)).ToArray()));
        Refuse(FileWith(17, new RdbBytes().String(RdbBytes.ListPack(7, 1, "7", 2)).ToArray()));
        Refuse(FileWith(17, new RdbBytes().String(RdbBytes.ListPack("a", "x")).ToArray()));
        Refuse(FileWith(17, new RdbBytes().String(RdbBytes.ListPack("a", "nan")).ToArray()));
        Refuse(FileWith(17, new RdbBytes().String(RdbBytes.ListPack("a", 1, "b")).ToArray()));
        Refuse(FileWith(12, new RdbBytes().String(RdbBytes.ZipList("a", 1, "a", 1)).ToArray()));
    }

    [Fact]
    public void A_key_without_members_is_left_out()
    {
        foreach (byte[] file in (byte[][])
            [FileWith(5, new RdbBytes().Length(0).ToArray()), FileWith(17, new RdbBytes().String(RdbBytes.ListPack()).ToArray())])
        {
            using Keyspace store = Load(file);
            Assert.Equal(0, store[0].Count);
        }
    }
}
