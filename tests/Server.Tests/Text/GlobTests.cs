using System.Diagnostics;
using System.Text;
using KvServer.Server.Text;

namespace KvServer.Server.Tests.Text;

public class GlobTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("a", "", false)]
    [InlineData("*", "a", true)]
    [InlineData("*", "", false)]
    [InlineData("a*", "a", true)]
    [InlineData("a***", "a", true)]
    [InlineData("a*c", "abbc", true)]
    [InlineData("a*c", "abbcd", false)]
    [InlineData("*a*b*c*", "xxaxxbxxcxx", true)]
    [InlineData("*abc", "ababc", true)]
    [InlineData("h?llo", "hello", true)]
    [InlineData("h?llo", "hllo", false)]
    [InlineData("h[ae]llo", "hallo", true)]
    [InlineData("h[^e]llo", "hello", false)]
    [InlineData("h[^e]llo", "hbllo", true)]
    [InlineData("h[a-c]llo", "hbllo", true)]
    [InlineData("h[c-a]llo", "hbllo", true)]
    [InlineData("h[a-c]llo", "hdllo", false)]
    [InlineData("[abc", "a", true)]
    [InlineData("[abc", "d", false)]
    [InlineData("[a-", "a", true)]
    [InlineData("[]", "]", false)]
    [InlineData("[\\]]", "]", true)]
    [InlineData("h\\?llo", "h?llo", true)]
    [InlineData("h\\?llo", "hello", false)]
    [InlineData("\\", "\\", true)]
    [InlineData("a\\", "a\\", true)]
    public void Matches_like_the_reference_server(string pattern, string text, bool matches) =>
        Assert.Equal(matches, Glob.IsMatch(Encoding.Latin1.GetBytes(pattern), Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Case_matters_only_when_asked_to()
    {
        Assert.False(Glob.IsMatch("A[b-c]\\D"u8, "abd"u8));
        Assert.True(Glob.IsMatch("A[B-C]\\D"u8, "abd"u8, ignoreCase: true));
    }

    [Fact]
    public void A_hostile_pattern_takes_no_more_than_pattern_times_text()
    {
        byte[] pattern = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a*", 1000)) + "b");
        byte[] text = Encoding.ASCII.GetBytes(new string('a', 10000));
        var clock = Stopwatch.StartNew();
        Assert.False(Glob.IsMatch(pattern, text));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), clock.Elapsed.ToString());
    }

    [Fact]
    public void Agrees_with_a_plain_recursive_matcher_on_random_patterns()
    {
        var random = new Random(11);
        const string PatternBytes = "ab*?[]^-\\c";
        for (int i = 0; i < 200_000; i++)
        {
            string pattern = Pick(random, PatternBytes, 8);
            string text = Pick(random, "abc]-", 7);
            bool actual = Glob.IsMatch(Encoding.ASCII.GetBytes(pattern), Encoding.ASCII.GetBytes(text));
            Assert.True(Recursive(pattern, text) == actual, $"'{pattern}' against '{text}' gave {actual}");
        }
    }

    private static string Pick(Random random, string from, int maxLength) => string.Concat(
        Enumerable.Range(0, random.Next(maxLength)).Select(_ => from[random.Next(from.Length)]));

    // The definition, without any thought for speed.
    private static bool Recursive(string pattern, string text)
    {
        if (pattern.Length == 0 || text.Length == 0)
        {
            return pattern.Length == 0 && text.Length == 0;
        }

        string rest = pattern[1..];
        switch (pattern[0])
        {
            case '*':
                return rest.TrimStart('*').Length == 0 ||
                    Enumerable.Range(0, text.Length).Any(i => Recursive(rest, text[i..]));
            case '?':
                break;
            case '[':
                int end = ClassEnd(pattern, out Func<char, bool> contains);
                if (!contains(text[0]))
                {
                    return false;
                }

                rest = pattern[end..];
                break;
            case '\\' when pattern.Length > 1:
                if (pattern[1] != text[0])
                {
                    return false;
                }

                rest = pattern[2..];
                break;
            default:
                if (pattern[0] != text[0])
                {
                    return false;
                }

                break;
        }

        return text.Length == 1 ? rest.TrimStart('*').Length == 0 : Recursive(rest, text[1..]);
    }

    private static int ClassEnd(string pattern, out Func<char, bool> contains)
    {
        int i = 1;
        bool negated = i < pattern.Length && pattern[i] == '^';
        if (negated)
        {
            i++;
        }

        var ranges = new List<(char First, char Last)>();
        for (; i < pattern.Length && pattern[i] != ']'; i++)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
            {
                i++;
                ranges.Add((pattern[i], pattern[i]));
            }
            else if (i + 2 < pattern.Length && pattern[i + 1] == '-')
            {
                ranges.Add((pattern[i], pattern[i + 2]));
                i += 2;
            }
            else
            {
                ranges.Add((pattern[i], pattern[i]));
            }
        }

        contains = c => ranges.Any(r => (c >= r.First && c <= r.Last) || (c >= r.Last && c <= r.First)) != negated;
        return Math.Min(i + 1, pattern.Length);
    }
}
