namespace KvServer.Storage.Tests.Values;

/// <summary>The trace of table sizes that the design promises, seen through a set that is always a hash table.</summary>
public sealed class SetGoldenTests : SetTest
{
    private static readonly ulong[] Hashes =
    [
        13728588299047492245, 12257755146001261976, 17574597941439108991, 36062017759904132,
        3942771329094170746, 15142165025344743775, 1768894350167553498, 5506351120338565809,
    ];

    public SetGoldenTests()
        : base(new KeyHasher(bytes => Hashes[(bytes[0] - 'a') & 7]))
    {
        Limits = default;
    }

    [Fact]
    public void Eight_members_grow_the_tables_as_published()
    {
        List<(long, long, long, long)> trace = [];
        foreach (char member in "abcdefgh")
        {
            Assert.Equal(1, Add("s", member.ToString()));
            DictFigures figures = Open("s").Figures;
            trace.Add((figures.BucketCount0, figures.Used0, figures.BucketCount1, figures.Used1));
        }

        Assert.Equal(
            [(4, 1, 0, 0), (4, 2, 0, 0), (4, 3, 0, 0), (4, 4, 0, 0), (4, 4, 8, 1), (4, 2, 8, 4), (4, 1, 8, 6), (8, 8, 0, 0)],
            trace);
    }
}
