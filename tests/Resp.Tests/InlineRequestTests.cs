using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class InlineRequestTests
{
    [Theory]
    [InlineData("ECHO \"a\\x41\\n\\t\\q\\\\\"\r\n", "aA\n\tq\\")]
    [InlineData("ECHO 'a\\'b\\n'\r\n", "a'b\\n")]
    [InlineData("ECHO a\"b c\"\r\n", "ab c")]
    [InlineData("ECHO \"\\x4\"\r\n", "x4")]
    [InlineData("ECHO \"\\xfF\\r\\b\\a\"\r\n", "\u00ff\r\b\a")]
    [InlineData("ECHO \"\"\r\n", "")]
    [InlineData("ECHO ''\n", "")]
    [InlineData("\tECHO\t  a\t\r\n", "a")]
    [InlineData("ECHO \v a\r\n", "a")]
    [InlineData("ECHO a\vb\r\n", "a\vb")]
    [InlineData("ECHO a\\nb\r\n", "a\\nb")]
    [InlineData("ECHO \"a\"\vb\r\n", "a", "b")]
    [InlineData("ECHO a\rb\r\n", "a", "b")]
    public void Words_are_split_and_unquoted(string line, params string[] words) =>
        Assert.Equal([["ECHO", .. words]], Read(line).Strings());

    [Fact]
    public void A_plus_sign_is_part_of_a_word() => Assert.Equal([["+PING"]], Read("+PING\r\n").Strings());

    [Fact]
    public void Many_words_are_many_arguments()
    {
        string line = string.Join(' ', Enumerable.Range(0, 5000));
        Assert.Equal(line.Split(' '), Read(line + "\r\n").Strings()[0]);
    }
}
