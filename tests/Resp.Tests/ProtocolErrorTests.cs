using KvServer.Fuzz;
using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

/// <summary>The texts and when they come are those of redis-server 7.0.15, asked over a raw socket.</summary>
public class ProtocolErrorTests
{
    [Theory]
    [InlineData("*abc\r\n", "invalid multibulk length")]
    [InlineData("*\r\n", "invalid multibulk length")]
    [InlineData("*-0\r\n", "invalid multibulk length")]
    [InlineData("*01\r\n", "invalid multibulk length")]
    [InlineData("*+1\r\n", "invalid multibulk length")]
    [InlineData("* 1\r\n", "invalid multibulk length")]
    [InlineData("*2147483648\r\n", "invalid multibulk length")]
    [InlineData("*9999999999999999999\r\n", "invalid multibulk length")]
    [InlineData("*11111111111111111111111111111111111111111111\r\n", "invalid multibulk length")]
    [InlineData("*1\r\n$-1\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$ 4\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$04\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$536870913\r\n", "invalid bulk length")]
    [InlineData("*1\r\n:4\r\n", "expected '$', got ':'")]
    [InlineData("*1\r\nPING\r\n", "expected '$', got 'P'")]
    [InlineData("*1\r\n\r\n", "expected '$', got ' '")]
    [InlineData("*1\r\n\nab\r\n", "expected '$', got ' '")]
    [InlineData("ECHO \"abc\r\n", "unbalanced quotes in request")]
    [InlineData("ECHO \"abc\"d\r\n", "unbalanced quotes in request")]
    [InlineData("ECHO a\"b\"'c'\r\n", "unbalanced quotes in request")]
    [InlineData("ECHO 'a\r\n", "unbalanced quotes in request")]
    [InlineData("ECHO \"a\\\r\n", "unbalanced quotes in request")]
    public void Malformed_input_is_answered_as_the_reference_server_does(string input, string text)
    {
        ReadOutcome outcome = Read(input);
        Assert.Empty(outcome.Requests);
        Assert.Equal($"-ERR Protocol error: {text}\r\n", Written(outcome.Error.WriteTo));
    }

    [Theory]
    [InlineData("*2147483647\r\n")]
    [InlineData("*1048577\r\n")]
    [InlineData("*1\r\nXXXX")]
    [InlineData("*1\r\n$536870912\r\n")]
    [InlineData("*1\0\r\n$4\r\nPING\r\n")]
    [InlineData("PI\0NG\r\nPING\r\n")]
    [InlineData("*1\r")]
    [InlineData("*1\r\n$4\r")]
    public void Input_that_may_still_become_right_or_wrong_is_waited_for(string input)
    {
        ReadOutcome outcome = Read(input);
        Assert.Empty(outcome.Requests);
        Assert.Equal(ProtocolErrorKind.None, outcome.Error.Kind);
    }

    [Theory]
    [InlineData("*", '1', "too big mbulk count string")]
    [InlineData("*1\0\r\n", 'x', "too big mbulk count string")]
    [InlineData("*1\r\n$", '1', "too big bulk count string")]
    [InlineData("*1\r\nX", 'X', "too big bulk count string")]
    [InlineData("", 'a', "too big inline request")]
    [InlineData("PI\0NG\r\n", 'a', "too big inline request")]
    public void A_line_may_have_64_KB_and_not_a_byte_more(string start, char filler, string text)
    {
        int before = start.LastIndexOf("\r\n", StringComparison.Ordinal) is var end && end > 0 && !start.Contains('\0')
            ? end + 2
            : 0;
        string longest = start + new string(filler, 65536 - (start.Length - before));
        Assert.Equal(ProtocolErrorKind.None, Read(longest).Error.Kind);
        Assert.Equal($"ERR Protocol error: {text}", Read(longest + filler).Error.Text);
    }

    [Fact]
    public void An_inline_request_of_64_KB_is_read()
    {
        string word = new('a', 65536 - 6);
        Assert.Equal([["ECHO", word]], Read("ECHO " + word + "\r\n").Strings());
    }

    [Theory]
    [InlineData("*11\r\n", "unauthenticated multibulk length")]
    [InlineData("*1\r\n$16385\r\n", "unauthenticated bulk length")]
    [InlineData("*1\r\n$536870913\r\n", "invalid bulk length")]
    [InlineData("*2147483648\r\n", "invalid multibulk length")]
    public void Before_authentication_limits_are_tighter(string input, string text) =>
        Assert.Equal(
            $"ERR Protocol error: {text}", Read(input, new ProtocolLimits { BeforeAuthentication = true }).Error.Text);

    [Theory]
    [InlineData("*10\r\n")]
    [InlineData("*1\r\n$16384\r\n")]
    public void Before_authentication_the_limits_themselves_are_allowed(string input) =>
        Assert.Equal(
            ProtocolErrorKind.None, Read(input, new ProtocolLimits { BeforeAuthentication = true }).Error.Kind);

    [Theory]
    [InlineData("POST / HTTP/1.1\r\n")]
    [InlineData("hOsT: localhost\r\n")]
    [InlineData("*1\r\n$4\r\npost\r\n")]
    [InlineData("*2\r\n$5\r\nHost:\r\n$1\r\nx\r\n")]
    public void A_browser_is_told_by_its_first_word_and_gets_no_reply(string input)
    {
        ReadOutcome outcome = Read("PING\r\n" + input + "PING\r\n");
        Assert.Equal([["PING"]], outcome.Strings());
        Assert.True(outcome.Error.IsHttpRequest);
        Assert.Equal("", Written(outcome.Error.WriteTo));
    }

    [Theory]
    [InlineData("PTTL k\r\n")]
    [InlineData("HOST x\r\n")]
    [InlineData("hosts x\r\n")]
    [InlineData("GET post\r\n")]
    public void Other_words_are_no_browser(string input) =>
        Assert.Equal(ProtocolErrorKind.None, Read(input).Error.Kind);
}
