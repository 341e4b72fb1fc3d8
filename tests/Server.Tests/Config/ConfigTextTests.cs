using KvServer.Server.Config;

namespace KvServer.Server.Tests.Config;

public class ConfigTextTests
{
    [Theory]
    [InlineData("a b  c", "a|b|c")]
    [InlineData("  set\t\"a b\" 'c d' ", "set|a b|c d")]
    [InlineData("\"\\x41\\n\\r\\t\\a\\b\\\\\\\"\\q\"", "A\n\r\t\a\b\\\"q")]
    [InlineData("'it\\'s \\n'", "it's \\n")]
    [InlineData("x\"y\"", "xy")]
    [InlineData("\"\"", "")]
    [InlineData("\"\\xzz\"", "xzz")]
    [InlineData("a\0b", "a")]
    public void Split_reads_quotes_and_escapes(string line, string words) =>
        Assert.Equal(words.Split('|'), ConfigText.Split(line));

    [Theory]
    [InlineData("\"abc")]
    [InlineData("'abc")]
    [InlineData("\"a\"b")]
    [InlineData("'a'b")]
    [InlineData("\"abc\\")]
    public void Split_refuses_unbalanced_quotes(string line) => Assert.Null(ConfigText.Split(line));

    [Fact]
    public void Split_gives_back_what_Quote_was_given_for_all_bytes()
    {
        var random = new Random(7);
        for (int i = 0; i < 2000; i++)
        {
            string word = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => (char)random.Next(256)));
            Assert.Equal([word], ConfigText.Split(ConfigText.Quote(word)));
            Assert.Equal([word], ConfigText.Split(ConfigText.QuoteIfNeeded(word)));
        }
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("", 0)]
    [InlineData("b", 0)]
    [InlineData("100b", 100)]
    [InlineData("1k", 1000)]
    [InlineData("1KB", 1024)]
    [InlineData("2m", 2000000)]
    [InlineData("2Mb", 2097152)]
    [InlineData("3g", 3000000000)]
    [InlineData("3gB", 3221225472)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Memory_values_take_units_in_any_case(string word, long bytes)
    {
        Assert.True(ConfigText.TryReadMemory(word, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("1x")]
    [InlineData("-1")]
    [InlineData("99999999999999999999999999999")]
    [InlineData("9223372036854775807k")]
    [InlineData("1.5gb")]
    [InlineData("1 gb")]
    [InlineData("gbb")]
    public void Memory_values_refuse_anything_else(string word) => Assert.False(ConfigText.TryReadMemory(word, out _));

    [Theory]
    [InlineData("0", true)]
    [InlineData("-5", true)]
    [InlineData("9223372036854775807", true)]
    [InlineData("-9223372036854775808", true)]
    [InlineData("9223372036854775808", false)]
    [InlineData("-0", false)]
    [InlineData("+1", false)]
    [InlineData("01", false)]
    [InlineData("-01", false)]
    [InlineData("", false)]
    [InlineData("-", false)]
    [InlineData(" 1", false)]
    [InlineData("1k", false)]
    public void Integers_are_strict(string word, bool good) => Assert.Equal(good, ConfigText.TryReadInteger(word, out _));

    [Fact]
    public void Text_survives_as_bytes_and_bad_utf8_is_told()
    {
        Assert.True(ConfigText.TryDecode(ConfigText.Encode("/tmp/grün 日本"), out string text));
        Assert.Equal("/tmp/grün 日本", text);
        Assert.False(ConfigText.TryDecode("\u00ff\u00fe", out _));
    }
}
