using System.Text;
using KvServer.TestSupport.Rdb;

namespace KvServer.Server.Tests.Commands;

public class DumpCommandsTests : CommandHarness
{
    private const string BadFooter = "ERR DUMP payload version or checksum are wrong";

    [Theory]
    [InlineData("")]
    [InlineData("text")]
    [InlineData("-12345")]
    [InlineData("123456789012345")]
    public void A_string_dumped_and_restored_is_the_same(string value)
    {
        Run("SET", "k", value);
        Assert.Equal("OK", Run("RESTORE", "copy", "0", Dump("k")));
        Assert.Equal(value, Run("GET", "copy"));
        Assert.Equal(Run("OBJECT", "ENCODING", "k"), Run("OBJECT", "ENCODING", "copy"));
        Assert.Equal(-1L, Run("PTTL", "copy"));
    }

    [Fact]
    public void Sets_of_each_encoding_survive()
    {
        Run("SADD", "integers", "1", "70000", "-5");
        Run("SADD", "words", "a", "b", "7");
        Run("SADD", "table", new string('x', 100), "y");
        foreach (string key in new[] { "integers", "words", "table" })
        {
            Assert.Equal("OK", Run("RESTORE", key + "2", "0", Dump(key)));
            Assert.Equal(Run("SCARD", key), Run("SINTERCARD", "2", key, key + "2"));
            Assert.Equal(Run("OBJECT", "ENCODING", key), Run("OBJECT", "ENCODING", key + "2"));
        }
    }

    [Fact]
    public void A_missing_key_dumps_as_null() => Assert.Null(Run("DUMP", "nope"));

    [Fact]
    public void An_existing_key_is_replaced_only_when_asked()
    {
        Run("SET", "k", "old", "EX", "100");
        Run("SADD", "other", "m");
        string dump = Dump("other");
        Assert.Equal("BUSYKEY Target key name already exists.", Error("RESTORE", "k", "0", dump));
        Assert.Equal(1, DirtyAfter("RESTORE", "k", "0", dump, "REPLACE"));
        Assert.Equal("set", Run("TYPE", "k"));
        Assert.Equal(-1L, Run("TTL", "k"));
    }

    [Fact]
    public void The_time_to_live_is_relative_unless_absolute()
    {
        Run("SET", "k", "v");
        string dump = Dump("k");
        Run("RESTORE", "a", "5000", dump);
        Assert.Equal(5000L, Run("PTTL", "a"));
        Run("RESTORE", "b", (NowMs + 7000).ToString(System.Globalization.CultureInfo.InvariantCulture), dump, "ABSTTL");
        Assert.Equal(7000L, Run("PTTL", "b"));
        Run("SADD", "s", "m");
        Run("RESTORE", "c", "9000", Dump("s"));
        Assert.Equal(9000L, Run("PTTL", "c"));
    }

    [Fact]
    public void A_time_that_is_over_deletes_what_was_there()
    {
        Run("SET", "k", "v");
        string dump = Dump("k");
        Assert.Equal("OK", Run("RESTORE", "gone", "1", dump, "ABSTTL"));
        Assert.Equal(0L, Run("EXISTS", "gone"));
        Assert.Equal(1, DirtyAfter("RESTORE", "k", "1", dump, "ABSTTL", "REPLACE"));
        Assert.Equal(0L, Run("EXISTS", "k"));
        Assert.Equal(0, DirtyAfter("RESTORE", "k", "1", dump, "ABSTTL", "REPLACE"));
    }

    [Fact]
    public void Idle_time_and_frequency_are_noted()
    {
        Run("SET", "k", "v");
        string dump = Dump("k");
        Run("RESTORE", "idle", "0", dump, "IDLETIME", "1000");
        Assert.Equal(1000L, Run("OBJECT", "IDLETIME", "idle"));
        Run("RESTORE", "ignored", "0", dump, "FREQ", "200");
        Assert.Equal(0L, Run("OBJECT", "IDLETIME", "ignored"));
        Server.Keyspace.CountsFrequency = true;
        Run("RESTORE", "often", "0", dump, "FREQ", "200");
        Assert.Equal(200L, Run("OBJECT", "FREQ", "often"));
    }

    [Theory]
    [InlineData("ERR syntax error", "0", "?", "NONSENSE")]
    [InlineData("ERR syntax error", "0", "?", "FREQ")]
    [InlineData("ERR syntax error", "0", "?", "FREQ", "1", "IDLETIME", "1")]
    [InlineData("ERR value is not an integer or out of range", "0", "?", "IDLETIME", "x")]
    [InlineData("ERR Invalid IDLETIME value, must be >= 0", "0", "?", "IDLETIME", "-1")]
    [InlineData("ERR Invalid FREQ value, must be >= 0 and <= 255", "0", "?", "FREQ", "256")]
    [InlineData("ERR value is not an integer or out of range", "soon", "?")]
    [InlineData("ERR Invalid TTL value, must be >= 0", "-1", "?")]
    [InlineData(BadFooter, "0", "?")]
    [InlineData(BadFooter, "0", "")]
    public void Arguments_are_checked_in_order(string expected, params string[] args) =>
        Assert.Equal(expected, Error(["RESTORE", "k", .. args]));

    [Fact]
    public void A_damaged_or_newer_payload_is_refused_by_its_footer()
    {
        Run("SET", "k", "value");
        string dump = Dump("k");
        for (int i = 0; i < dump.Length; i++)
        {
            char[] damaged = dump.ToCharArray();
            damaged[i] ^= '\x10';
            Assert.Equal(BadFooter, Error("RESTORE", "new", "0", new string(damaged)));
        }

        Assert.Equal(BadFooter, Error("RESTORE", "new", "0", Payload(0, [1, 65], version: 13)));
        Assert.Equal("OK", Run("RESTORE", "new", "0", Payload(0, [1, 65], version: 12)));
    }

    [Fact]
    public void Bytes_with_a_right_footer_that_are_no_value_change_nothing()
    {
        Run("SET", "k", "before");
        string[] bad =
        [
            Payload(0, [5, 65]), Payload(0, [1, 65, 66]), Payload(8, [0]), Payload(2, [0]), Payload(2, [2, 1, 65, 1, 65]),
            Payload(11, [.. new RdbBytes().String(RdbBytes.IntSet(2, 2, 1)).ToArray()]),
        ];
        foreach (string payload in bad)
        {
            Assert.Equal("ERR Bad data format", Error("RESTORE", "k", "0", payload, "REPLACE"));
        }

        Assert.Equal(
            "ERR Bad data format", Error("RESTORE", "k", "1", bad[0], "REPLACE", "ABSTTL"));
        Assert.Equal("before", Run("GET", "k"));
    }

    [Fact]
    public void Values_of_types_that_are_missing_here_say_so()
    {
        Assert.Equal(
            "ERR Bad data format: values of modules (module-value) cannot be loaded",
            Error("RESTORE", "k", "0", Payload(7, new RdbBytes().Length(ulong.MaxValue).Length(0).ToArray())));
    }

    private static string Payload(int type, byte[] value, int version = 10)
    {
        byte[] bytes = [(byte)type, .. value, (byte)version, 0];
        return Encoding.Latin1.GetString([.. bytes, .. BitConverter.GetBytes(KvServer.Storage.Crc64.Append(0, bytes))]);
    }

    private string Dump(string key) => Assert.IsType<string>(Run("DUMP", key));
}
