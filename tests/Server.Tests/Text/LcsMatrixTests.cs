using System.Text;
using KvServer.Server.Text;

namespace KvServer.Server.Tests.Text;

public sealed class LcsMatrixTests
{
    [Theory]
    [InlineData("ohmytext", "mynewtext", "mytext")]
    [InlineData("", "abc", "")]
    [InlineData("abc", "", "")]
    [InlineData("abc", "abc", "abc")]
    [InlineData("abc", "xyz", "")]
    public void The_subsequence_of_known_pairs_is_found(string a, string b, string expected)
    {
        Assert.Equal(expected, Subsequence(a, b).Text);
        Assert.Equal(expected.Length, LcsMatrix.LengthOf(Encoding.ASCII.GetBytes(a), Encoding.ASCII.GetBytes(b)));
    }

    [Fact]
    public void Ranges_come_last_in_the_strings_first()
    {
        Assert.Equal([new LcsRange(4, 5, 4), new LcsRange(2, 0, 2)], Subsequence("ohmytext", "mynewtext").Ranges);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Length_and_path_equal_those_of_the_textbook_table(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 300; round++)
        {
            string a = RandomText(random, random.Next(200), letters: 1 + random.Next(5));
            string b = RandomText(random, random.Next(200), letters: 1 + random.Next(5));
            (string text, List<LcsRange> ranges) = Subsequence(a, b);
            (string expectedText, List<LcsRange> expectedRanges) = Textbook(a, b);
            Assert.True(expectedText == text, $"seed {seed}: {a} / {b}");
            Assert.Equal(expectedRanges, ranges);
            Assert.Equal(
                expectedText.Length, LcsMatrix.LengthOf(Encoding.ASCII.GetBytes(a), Encoding.ASCII.GetBytes(b)));
        }
    }

    private static string RandomText(Random random, int length, int letters) =>
        string.Create(length, random, (span, r) =>
        {
            foreach (ref char c in span)
            {
                c = (char)('a' + r.Next(letters));
            }
        });

    private static (string Text, List<LcsRange> Ranges) Subsequence(string a, string b)
    {
        List<LcsRange> ranges = [];
        using LcsMatrix matrix = LcsMatrix.Create(Encoding.ASCII.GetBytes(a), Encoding.ASCII.GetBytes(b));
        byte[] text = new byte[matrix.Length];
        matrix.Walk(text, ranges);
        return (Encoding.ASCII.GetString(text), ranges);
    }

    /// <summary>The table of lengths in full, and the way back that prefers to step back in B.</summary>
    private static (string Text, List<LcsRange> Ranges) Textbook(string a, string b)
    {
        int[,] lengths = new int[a.Length + 1, b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                lengths[i, j] = a[i - 1] == b[j - 1]
                    ? lengths[i - 1, j - 1] + 1
                    : Math.Max(lengths[i - 1, j], lengths[i, j - 1]);
            }
        }

        StringBuilder text = new();
        List<LcsRange> ranges = [];
        (int x, int y) = (a.Length, b.Length);
        int run = 0;
        while (x > 0 && y > 0)
        {
            if (a[x - 1] == b[y - 1])
            {
                text.Insert(0, a[--x]);
                y--;
                run++;
                continue;
            }

            AddRun();
            if (lengths[x - 1, y] > lengths[x, y - 1])
            {
                x--;
            }
            else
            {
                y--;
            }
        }

        AddRun();
        return (text.ToString(), ranges);

        void AddRun()
        {
            if (run > 0)
            {
                ranges.Add(new LcsRange(x, y, run));
                run = 0;
            }
        }
    }
}
