using System.Globalization;
using System.Text;

namespace KvServer.Storage.Tests;

public sealed class PackedSetIndexTests
{
    [Theory]
    [InlineData(1, 5, 8)]
    [InlineData(2, 100, 100)]
    [InlineData(3, 128, 500)]
    [InlineData(4, PackedSetIndex.MaxMembers, PackedSetIndex.MaxMembers)]
    public void What_two_sets_share_is_marked(int seed, int count, int otherCount)
    {
        Random random = new(seed);
        string[] members = Draw(random, count);
        string[] others = [.. Draw(random, otherCount).Union(members.Where(_ => random.Next(2) == 0))];
        byte[] block = Pack(members, random);
        PackedSetIndex index = new(new PackedList(block));
        PackedSetIndex.Bits found = default;
        index.Mark(new PackedList(Pack(others, random)), ref found);
        for (int i = 0; i < members.Length; i++)
        {
            Assert.Equal(others.Contains(members[i]), found.Has(i));
        }
    }

    [Fact]
    public void Members_that_meet_in_one_bucket_are_told_apart()
    {
        // The same length and the same ends.
        string[] members = [.. Enumerable.Range(0, 300).Select(i => $"firstbit{i:D6}last-bit")];
        byte[] block = Pack(members, new Random(1));
        PackedSetIndex index = new(new PackedList(block));
        PackedSetIndex.Bits found = default;
        index.Mark(new PackedList(Pack([.. members.Where((_, i) => i % 3 == 0)], new Random(2))), ref found);
        for (int i = 0; i < members.Length; i++)
        {
            Assert.Equal(i % 3 == 0, found.Has(i));
        }
    }

    [Fact]
    public void Sets_that_are_too_large_do_not_fit()
    {
        Random random = new(1);
        Assert.False(PackedSetIndex.Fits(new PackedList(Pack(Draw(random, PackedSetIndex.MinMembers - 1), random))));
        Assert.True(PackedSetIndex.Fits(new PackedList(Pack(Draw(random, PackedSetIndex.MaxMembers), random))));
        Assert.False(PackedSetIndex.Fits(new PackedList(Pack(Draw(random, PackedSetIndex.MaxMembers + 1), random))));
        Assert.False(PackedSetIndex.Fits(new PackedList(
            Pack([.. Enumerable.Range(0, 20).Select(i => new string('x', 3500) + i.ToString(CultureInfo.InvariantCulture))], random))));
    }

    private static string[] Draw(Random random, int count)
    {
        HashSet<string> members = new(StringComparer.Ordinal);
        while (members.Count < count)
        {
            members.Add(random.Next(4) switch
            {
                0 => random.Next(-2000, 2000).ToString(CultureInfo.InvariantCulture),
                1 => random.NextInt64().ToString(CultureInfo.InvariantCulture),
                2 => new string((char)('a' + random.Next(3)), random.Next(20)) + random.Next(50).ToString(CultureInfo.InvariantCulture),
                _ => $"member:{random.Next(2000).ToString(CultureInfo.InvariantCulture)}",
            });
        }

        return [.. members];
    }

    // Now and then an integer stands as text, which only lists from elsewhere have.
    private static byte[] Pack(string[] members, Random random)
    {
        byte[] block = new byte[512 * 1024];
        PackedList list = PackedList.Create(block);
        foreach (string member in members)
        {
            byte[] text = Encoding.ASCII.GetBytes(member);
            list.Append(random.Next(10) == 0 ? PackedElement.OfString(text) : PackedElement.Of(text));
        }

        return block;
    }
}
