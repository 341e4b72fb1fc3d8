using System.Globalization;
using System.Text;

namespace KvServer.Server.Tests.Commands;

public sealed class GeoCommandsTests : CommandHarness
{
    [Fact]
    public void Changes_count_towards_the_next_save_as_on_the_reference_server()
    {
        Assert.Equal(2, DirtyAfter("GEOADD", "g", "1", "1", "a", "2", "2", "b"));
        Assert.Equal(0, DirtyAfter("GEOADD", "g", "1", "1", "a"));
        Assert.Equal(1, DirtyAfter("GEOADD", "g", "XX", "3", "3", "a", "4", "4", "c"));
        Assert.Equal(0, DirtyAfter("GEORADIUS", "g", "2", "2", "1000", "km"));
        Assert.Equal(2, DirtyAfter("GEORADIUS", "g", "2", "2", "1000", "km", "STORE", "d"));
        Assert.Equal(1, DirtyAfter("GEORADIUS", "g", "2", "2", "1000", "km", "STOREDIST", "d", "COUNT", "1"));
        Assert.Equal(1, DirtyAfter("GEOSEARCHSTORE", "d", "none", "FROMMEMBER", "x", "BYRADIUS", "1", "km"));
        Assert.Equal(0, DirtyAfter("GEOSEARCHSTORE", "d", "none", "FROMMEMBER", "x", "BYRADIUS", "1", "km"));
        Assert.Equal(2, DirtyAfter("GEOSEARCHSTORE", "d", "g", "FROMMEMBER", "a", "BYBOX", "999", "999", "km"));
    }

    [Theory]
    [InlineData("GEOADD g 13.361389 38.115556 p 15.087269 37.502669 c", "ZADD g 3479099956230698 p 3479447370796909 c")]
    [InlineData("GEOADD g NX ch 13.361389 38.115556 p", "ZADD g NX ch 3479099956230698 p")]
    [InlineData("GEOADD old 1 1 a", "")]
    [InlineData("GEORADIUS old 1 1 1 km STORE g", "GEORADIUS old 1 1 1 km STORE g")]
    [InlineData("GEORADIUS old 1 1 1 km", "")]
    [InlineData("GEOSEARCHSTORE g old FROMMEMBER a BYRADIUS 1 m", "GEOSEARCHSTORE g old FROMMEMBER a BYRADIUS 1 m")]
    public void A_change_is_passed_on_as_on_the_reference_server(string request, string expected)
    {
        Run("GEOADD", "old", "1", "1", "a");
        Server.Propagation.Start();

        Run(request.Split(' '));

        string text = Encoding.Latin1.GetString(Server.Propagation.Bytes);
        string[] words = expected.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string passed = words.Length == 0
            ? ""
            : $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"));
        Assert.EndsWith(passed, text, StringComparison.Ordinal);
        Assert.Equal(passed.Length == 0, text.Length == 0);
        Server.Propagation.Stop();
    }

    [Fact]
    public void An_error_changes_nothing()
    {
        Run("GEOADD", "g", "1", "1", "a");
        Run("SET", "d", "v");
        Assert.Equal("ERR invalid longitude,latitude pair 3.000000,95.000000", Error("GEOADD", "g", "2", "2", "b", "3", "95", "c"));
        Assert.Equal("ERR value is not a valid float", Error("GEOADD", "g", "2", "2", "b", "3", "x", "c"));
        Assert.Equal("ERR syntax error", Error("GEORADIUS", "g", "1", "1", "1", "km", "STORE", "d", "FOO"));
        Assert.StartsWith("ERR STORE option", Error("GEORADIUS", "g", "1", "1", "1", "km", "STORE", "d", "WITHDIST"), StringComparison.Ordinal);
        Assert.StartsWith("WRONGTYPE", Error("GEOSEARCHSTORE", "g", "d", "FROMMEMBER", "a", "BYRADIUS", "1", "km"), StringComparison.Ordinal);
        Assert.Equal(1L, Run("ZCARD", "g"));
        Assert.Equal("v", Run("GET", "d"));
    }

    [Theory]
    [InlineData(128)]
    [InlineData(0)]
    public void Searches_find_what_a_scan_finds(int packedEntries)
    {
        Server.Config.ZsetMaxListpackEntries = packedEntries;
        Random random = new(packedEntries);
        for (int i = 0; i < 120; i++)
        {
            Run("GEOADD", "g", Text(random.NextDouble() * 20), Text(random.NextDouble() * 20), "m" + Text(i));
        }

        foreach (string radius in (string[])["1", "100", "500", "3000"])
        {
            string[] expected = [.. Enumerable.Range(0, 120)
                .Select(i => (Member: "m" + Text(i), Distance: Distance("m" + Text(i))))
                .Where(found => found.Distance <= double.Parse(radius, CultureInfo.InvariantCulture))
                .OrderBy(found => found.Distance)
                .Select(found => found.Member)];
            Assert.Equal(expected, Strings("GEORADIUSBYMEMBER", "g", "m0", radius, "km", "ASC"));
            Assert.Equal(expected.Take(7), Strings("GEOSEARCH", "g", "FROMMEMBER", "m0", "BYRADIUS", radius, "km", "COUNT", "7"));
            string[] some = Strings("GEOSEARCH", "g", "FROMMEMBER", "m0", "BYRADIUS", radius, "km", "COUNT", "7", "ANY");
            Assert.Equal(Math.Min(7, expected.Length), some.Length);
            Assert.Subset(expected.ToHashSet(), some.ToHashSet());
            Assert.Equal((long)expected.Length, Run("GEOSEARCHSTORE", "g2", "g", "FROMMEMBER", "m0", "BYRADIUS", radius, "km", "STOREDIST"));
            Assert.Equal(expected, Strings("ZRANGE", "g2", "0", "-1"));
        }

        double Distance(string member) =>
            double.Parse((string)Run("GEODIST", "g", "m0", member, "km")!, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void A_search_can_be_stored_over_the_set_it_searches()
    {
        Run("GEOADD", "g", "1", "1", "a", "2", "2", "b", "50", "50", "c");
        Assert.Equal(2L, Run("GEOSEARCHSTORE", "g", "g", "FROMMEMBER", "a", "BYRADIUS", "1000", "km"));
        Assert.Equal(["a", "b"], Strings("ZRANGE", "g", "0", "-1"));
        Assert.Equal(1L, Run("GEORADIUS", "g", "1", "1", "1", "km", "STOREDIST", "g"));
        Assert.Equal(["a"], Strings("ZRANGE", "g", "0", "-1"));
    }

    private string[] Strings(params string[] args) => [.. Assert.IsType<object?[]>(Run(args)).Select(item => (string)item!)];

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
