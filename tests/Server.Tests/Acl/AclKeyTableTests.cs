using System.Text;
using KvServer.Server.Acl;

namespace KvServer.Server.Tests.Acl;

/// <summary>The look-up of a key says what trying all patterns says.</summary>
public class AclKeyTableTests
{
    [Theory]
    [InlineData("", false)]
    [InlineData("a", false)]
    [InlineData("ab", true)]
    [InlineData("abc", true)]
    [InlineData("abd", true)]
    [InlineData("ac", false)]
    [InlineData("b", true)]
    [InlineData("bb", false)]
    [InlineData("c1x", true)]
    [InlineData("c11x", false)]
    [InlineData("z*", true)]
    [InlineData("zz", false)]
    public void Prefixes_words_and_globs_are_found(string key, bool expected)
    {
        AclKeyTable table = Table(KeyRights.All, "abc*", "ab*", "abd*", "b", "c?x", "z\\*");
        Assert.Equal(expected, table.Matches(Encoding.Latin1.GetBytes(key)));
    }

    [Fact]
    public void Only_patterns_with_all_the_rights_count()
    {
        AclKeyPattern[] patterns =
        [
            new("r:*"u8.ToArray(), KeyRights.Read), new("w:*"u8.ToArray(), KeyRights.Write), new("*"u8.ToArray(), KeyRights.Write),
        ];
        Assert.True(new AclKeyTable(patterns, KeyRights.Read).Matches("r:1"u8));
        Assert.False(new AclKeyTable(patterns, KeyRights.Read).Matches("w:1"u8));
        Assert.True(new AclKeyTable(patterns, KeyRights.Write).Matches("r:1"u8));
        Assert.False(new AclKeyTable(patterns, KeyRights.All).Matches("w:1"u8));
        Assert.True(new AclKeyTable(patterns, KeyRights.None).Matches("x"u8));
    }

    [Fact]
    public void Random_patterns_and_keys_agree_with_trying_each()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        for (int round = 0; round < 2000; round++)
        {
            AclKeyPattern[] patterns =
            [
                .. Enumerable.Range(0, random.Next(8)).Select(_ =>
                    new AclKeyPattern(
                        random.Next(2) == 0 ? [.. Text(random, "aab\u00ff\0"), (byte)'*'] : Text(random, "aab\u00ff\0*?["),
                        (KeyRights)random.Next(4))),
            ];
            KeyRights rights = (KeyRights)random.Next(4);
            AclKeyTable table = new(patterns, rights);
            for (int i = 0; i < 20; i++)
            {
                byte[] key = Text(random, "aaab\u00ff\0*");
                bool expected = patterns.Any(pattern => (pattern.Rights & rights) == rights && pattern.Matches(key));
                Assert.True(
                    expected == table.Matches(key),
                    $"{string.Join(' ', patterns.Select(p => Encoding.Latin1.GetString(p.Pattern)))}: {Encoding.Latin1.GetString(key)}, seed {seed}");
            }
        }
    }

    private static byte[] Text(Random random, string letters) =>
        [.. Enumerable.Range(0, random.Next(12)).Select(_ => (byte)letters[random.Next(letters.Length)])];

    private static AclKeyTable Table(KeyRights rights, params string[] patterns) =>
        new(patterns.Select(pattern => new AclKeyPattern(Encoding.Latin1.GetBytes(pattern), KeyRights.All)), rights);
}
