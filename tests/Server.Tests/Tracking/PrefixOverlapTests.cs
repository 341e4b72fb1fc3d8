using System.Text;
using KvServer.Server.Tracking;

namespace KvServer.Server.Tests.Tracking;

public sealed class PrefixOverlapTests
{
    [Theory]
    [InlineData("", "", "")]
    [InlineData("a b c", "", "")]
    [InlineData("a a", "", "a a new")]
    [InlineData("foo foobar", "", "foo foobar new")]
    [InlineData("x foobar y foo foo", "", "foobar foo new")]
    [InlineData("xa xb x", "", "xa x new")]
    [InlineData("foo", "foo", "foo foo old")]
    [InlineData("foobar", "bar foo zap", "foobar foo old")]
    [InlineData("fo", "bar foo foz", "fo foo old")]
    [InlineData("c b ba", "aa bz", "b bz old")]
    [InlineData("b ba", "aa c", "b ba new")]
    [InlineData("q", "- f", "q - old")]
    public void The_first_overlap_is_named(string provided, string existing, string expected)
    {
        Assert.Equal(expected, Find(Split(provided), Split(existing)));
    }

    [Fact]
    public void Random_prefixes_overlap_as_comparing_all_of_them_finds()
    {
        for (int seed = 1; seed <= 3000; seed++)
        {
            Random random = new(seed);
            List<byte[]> existing = [];
            foreach (byte[] prefix in Draw(random, random.Next(5)))
            {
                if (!existing.Exists(e => Overlap(e, prefix)))
                {
                    existing.Add(prefix);
                }
            }

            existing.Sort((a, b) => a.AsSpan().SequenceCompareTo(b));
            List<byte[]> provided = Draw(random, random.Next(6));
            Assert.True(FindByComparing(provided, existing) == Find(provided, existing), $"Seed {seed}");
        }
    }

    [Fact]
    public void Many_prefixes_take_no_quadratic_time()
    {
        // 200,000 prefixes compared with each other would take minutes; the runner ends the test long before.
        List<byte[]> provided = [.. Enumerable.Range(0, 200_000).Select(i => Encoding.ASCII.GetBytes($"{i:D8}"))];
        provided.Add(Encoding.ASCII.GetBytes("00199999x"));

        Assert.Equal("00199999 00199999x new", Find(provided, [.. provided.Take(0)]));
    }

    private static string Find(List<byte[]> provided, List<byte[]> existing) =>
        PrefixOverlap.TryFind(provided, existing, out byte[] prefix, out byte[] other, out bool isExisting)
            ? Describe(prefix, other, isExisting) : "";

    private static string FindByComparing(List<byte[]> provided, List<byte[]> existing)
    {
        for (int i = 0; i < provided.Count; i++)
        {
            if (existing.Find(e => Overlap(e, provided[i])) is { } old)
            {
                return Describe(provided[i], old, isExisting: true);
            }

            if (provided.Skip(i + 1).FirstOrDefault(p => Overlap(p, provided[i])) is { } other)
            {
                return Describe(provided[i], other, isExisting: false);
            }
        }

        return "";
    }

    private static string Describe(byte[] prefix, byte[] other, bool isExisting)
    {
        string Text(byte[] bytes) => bytes.Length == 0 ? "-" : Encoding.ASCII.GetString(bytes);
        return $"{Text(prefix)} {Text(other)} {(isExisting ? "old" : "new")}";
    }

    private static List<byte[]> Split(string words) =>
        [.. words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w == "-" ? [] : Encoding.ASCII.GetBytes(w))];

    private static List<byte[]> Draw(Random random, int count)
    {
        List<byte[]> prefixes = [];
        for (int i = 0; i < count; i++)
        {
            byte[] prefix = new byte[random.Next(1, 4)];
            for (int j = 0; j < prefix.Length; j++)
            {
                prefix[j] = (byte)('a' + random.Next(3));
            }

            prefixes.Add(prefix);
        }

        return prefixes;
    }

    private static bool Overlap(byte[] a, byte[] b) => a.AsSpan().StartsWith(b) || b.AsSpan().StartsWith(a);
}
