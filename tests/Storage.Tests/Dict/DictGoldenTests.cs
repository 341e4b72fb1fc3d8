namespace KvServer.Storage.Tests;

/// <summary>The trace of table sizes that the design promises, step by step.</summary>
public sealed unsafe class DictGoldenTests : StoreTest
{
    private static readonly ulong[] Hashes =
    [
        13728588299047492245, 12257755146001261976, 17574597941439108991, 36062017759904132,
        3942771329094170746, 15142165025344743775, 1768894350167553498, 5506351120338565809,
    ];

    public DictGoldenTests()
        : base(new KeyHasher(bytes => Hashes[bytes[0] - 'a']))
    {
    }

    [Fact]
    public void Eight_members_grow_the_tables_as_published()
    {
        Dict<MemberLayout> dict = Dict<MemberLayout>.Create(Store.MemberRuntime);
        var trace = new List<(long, long, long, long)>();
        foreach (char c in "abcdefgh")
        {
            byte[] member = [(byte)c];
            ulong hash = Store.HashOf(member);
            Assert.True(dict.Find(hash, member) == null);
            dict.Add(MemberLayout.Create(Heap, hash, member));
            trace.Add((dict.BucketCountOf(0), dict.UsedOf(0), dict.BucketCountOf(1), dict.UsedOf(1)));
        }

        Assert.Equal(
            [(4, 1, 0, 0), (4, 2, 0, 0), (4, 3, 0, 0), (4, 4, 0, 0), (4, 4, 8, 1), (4, 2, 8, 4), (4, 1, 8, 6), (8, 8, 0, 0)],
            trace);
        Dict<MemberLayout>.FreeAll(Heap, dict.State, FreeFrom.CommandLoop);
    }

    [Fact]
    public void Eight_keys_grow_the_keyspace_in_the_same_way()
    {
        var trace = new List<(long, long, long, long)>();
        foreach (char c in "abcdefgh")
        {
            Set(c.ToString(), "v");
            DictFigures figures = Db.GetFigures();
            trace.Add((figures.BucketCount0, figures.Used0, figures.BucketCount1, figures.Used1));
        }

        Assert.Equal((4, 4, 8, 1), trace[4]);
        Assert.Equal((4, 2, 8, 4), trace[5]);
        Assert.Equal((4, 1, 8, 6), trace[6]);
        Assert.Equal((8, 8, 0, 0), trace[7]);
    }
}
