using System.Buffers;
using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Tests.Persistence;

public sealed class PropagationTests : CommandHarness
{
    public PropagationTests() => Server.Propagation.Start();

    [Theory]
    [InlineData("SET a 1", "SET a 1")]
    [InlineData("MSET a 1 b 2", "MSET a 1 b 2")]
    [InlineData("INCR n", "INCR n")]
    [InlineData("GETSET a 2", "SET a 2")]
    [InlineData("SADD s x y", "SADD s x y")]
    [InlineData("ZADD z INCR 1.5 m", "ZADD z INCR 1.5 m")]
    [InlineData("ZINCRBY z 1.5 m", "ZINCRBY z 1.5 m")]
    [InlineData("FLUSHALL", "FLUSHALL")]
    [InlineData("SWAPDB 0 1", "SWAPDB 0 1")]
    [InlineData("SET a 1 NX", "SET a 1 NX")]
    [InlineData("HSET h f 1 g 2", "HSET h f 1 g 2")]
    [InlineData("HINCRBY h f 1", "HINCRBY h f 1")]
    [InlineData("BITFIELD b OVERFLOW FAIL INCRBY u1 90 5", "BITFIELD b OVERFLOW FAIL INCRBY u1 90 5")] // It makes the key.
    [InlineData("HSETEX h FNX FIELDS 1 f v", "HSETEX h FNX FIELDS 1 f v")]
    public void A_change_that_depends_on_nothing_else_is_passed_on_as_it_came(string request, string expected)
    {
        Run(request.Split(' '));

        Assert.Equal(["SELECT 0", expected], Passed());
    }

    [Fact]
    public void Sketches_are_passed_on_as_the_commands_that_changed_them_counts_that_are_kept_included()
    {
        Run("PFADD", "h", "a", "b");
        Run("PFADD", "h", "a");
        Run("PFCOUNT", "h");
        Run("PFCOUNT", "h");
        Run("PFCOUNT", "h", "h");
        Run("PFMERGE", "g", "h");
        Run("PFDEBUG", "TODENSE", "g");
        Run("PFDEBUG", "TODENSE", "g");

        Assert.Equal(["SELECT 0", "PFADD h a b", "PFCOUNT h", "PFMERGE g h", "PFDEBUG TODENSE g"], Passed());
    }

    [Fact]
    public void A_sorted_list_is_passed_on_as_it_came_where_it_is_stored()
    {
        Run("RPUSH", "l", "2", "1");
        Run("SORT", "l", "BY", "w*");
        Run("SORT_RO", "l");
        Run("SORT", "l", "DESC", "STORE", "d");
        Run("SORT", "none", "STORE", "d");
        Run("SORT", "none", "STORE", "d");

        Assert.Equal(["SELECT 0", "RPUSH l 2 1", "SORT l DESC STORE d", "SORT none STORE d"], Passed());
    }

    [Fact]
    public void A_sorted_list_is_passed_on_element_by_element_where_fields_that_expire_went_into_it()
    {
        Run(["RPUSH", "l", .. Enumerable.Repeat("1", 1500)]);
        Run(["HSET", "h1", "stays", "v", .. Enumerable.Range(0, 200).SelectMany(i => new[] { "f" + i, "x" })]);
        Run(["HPEXPIRE", "h1", "10", "FIELDS", "200", .. Enumerable.Range(0, 200).Select(i => "f" + i)]);
        Advance(20);
        Passed();

        Run("SORT", "l", "LIMIT", "0", "2", "GET", "h*->f199", "GET", "h*->stays", "STORE", "d");
        string[] few = [.. Passed()];
        Run("HSET", "h1", "later", "v");
        Run("HPEXPIRE", "h1", "1000", "FIELDS", "1", "later");
        Passed();
        Run("SORT", "l", "GET", "h*->stays", "STORE", "d");
        string[] many = [.. Passed()];
        Run("SORT", "l", "LIMIT", "5000", "1", "GET", "h*->stays", "STORE", "d");

        int at = Array.IndexOf(few, "DEL d");
        Assert.Equal(["DEL d", "RPUSH d  v  v"], few[at..(at + 2)]);
        Assert.DoesNotContain(few, request => request.StartsWith("SORT", StringComparison.Ordinal));
        Assert.Equal([1024, 476], many.Where(request => request.StartsWith("RPUSH", StringComparison.Ordinal))
            .Select(request => request.Split(' ').Length - 2));
        Assert.Equal(["SORT l LIMIT 5000 1 GET h*->stays STORE d"], Passed());
    }

    [Fact]
    public void What_changes_nothing_is_not_passed_on()
    {
        Run("GET", "a");
        Run("DEL", "a");
        Run("SREM", "s", "x");
        Run("EXPIRE", "a", "10");
        Run("SETNX", "k", "1");
        Passed();
        Run("SETNX", "k", "2");
        Run("INCR");

        Assert.Empty(Passed());
    }

    [Theory]
    [InlineData("XADD s 9-* a b", "XADD s 9-0 a b")]
    [InlineData("XADD s MAXLEN ~ 2 9-9 a b", "XADD s MAXLEN = 5 9-9 a b")]
    [InlineData("XADD s MINID ~ 3 LIMIT 7 9-9 a b", "XADD s MINID = 1-1 LIMIT 7 9-9 a b")]
    [InlineData("XADD s MAXLEN 2 9-9 a b", "XADD s MAXLEN 2 9-9 a b")]
    [InlineData("XADD s MAXLEN ~ 2 9 a b", "XADD s MAXLEN = 5 9 a b")]
    [InlineData("XTRIM s MAXLEN ~ 0", "XTRIM s MAXLEN = 0")]
    [InlineData("XTRIM s MINID ~ 9", "XTRIM s MINID = 18446744073709551615-18446744073709551615")]
    [InlineData("XTRIM s MAXLEN ~ 2", "")]
    [InlineData("XTRIM s MAXLEN 2", "XTRIM s MAXLEN 2")]
    [InlineData("XDEL s 1-1 7-7", "XDEL s 1-1 7-7")]
    [InlineData("XDEL s 7-7", "")]
    [InlineData("XACK s g 1-1 2-1", "XACK s g 1-1 2-1")]
    [InlineData("XACK s g 2-1", "")]
    [InlineData("XGROUP CREATE new g $ MKSTREAM", "XGROUP CREATE new g $ MKSTREAM")]
    [InlineData("XGROUP CREATECONSUMER s g c", "")]
    [InlineData("XREADGROUP GROUP g c STREAMS s 0", "")]
    [InlineData("XREADGROUP GROUP g d STREAMS s 0", "")]
    [InlineData("XREADGROUP GROUP g d NOACK STREAMS s 0", "XGROUP CREATECONSUMER s g d")]
    [InlineData("XREADGROUP GROUP g c COUNT 1 STREAMS s >",
        "XCLAIM s g c 0 2-1 TIME {0} RETRYCOUNT 1 FORCE JUSTID LASTID 2-1")]
    [InlineData("XREADGROUP GROUP g c NOACK STREAMS s >", "XGROUP SETID s g 4-1 ENTRIESREAD 4")]
    [InlineData("XCLAIM s g c 9 1-1", "")]
    [InlineData("XCLAIM s g c 0 1 1-1 LASTID 3-3",
        "XCLAIM s g c 0 1-1 TIME {0} RETRYCOUNT 2 FORCE JUSTID LASTID 3-3")]
    [InlineData("XCLAIM s g c 0 9-9 LASTID 3-3", "XGROUP SETID s g 3-3 ENTRIESREAD 1")]
    [InlineData("XAUTOCLAIM s g d 0 - JUSTID", "XCLAIM s g d 0 1-1 TIME {0} RETRYCOUNT 1 FORCE JUSTID LASTID 1-1")]
    public void What_happens_to_a_stream_is_passed_on_as_its_result(string request, string expected)
    {
        for (int i = 1; i < 5; i++)
        {
            Run("XADD", "s", $"{i}-1", "a", "b");
        }

        Run("XGROUP", "CREATE", "s", "g", "0");
        Run("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">");
        Passed();

        Run(request.Split(' '));

        Assert.Equal(expected.Length == 0 ? [] : [WithInstants(expected)], Passed());
    }

    [Theory]
    [InlineData("ZMPOP 2 none z MIN", "ZPOPMIN z 1")]
    [InlineData("ZMPOP 2 z none MAX COUNT 2", "ZPOPMAX z 2")]
    [InlineData("ZMPOP 1 z MAX COUNT 9", "ZPOPMAX z 3")]
    [InlineData("ZPOPMIN z", "ZPOPMIN z")]
    public void A_pop_from_several_sorted_sets_is_passed_on_as_one_from_its_set(string request, string expected)
    {
        Run("ZADD", "z", "1", "a", "2", "b", "3", "c");
        Passed();

        Run(request.Split(' '));

        Assert.Equal([expected], Passed());
    }

    [Theory]
    [InlineData("SET a v EX 10", "SET a v PXAT {10000}")]
    [InlineData("SET a v PX 10 XX GET", "SET a v PXAT {10}")]
    [InlineData("SETEX a 10 v", "SET a v PXAT {10000}")]
    [InlineData("PSETEX a 10 v", "SET a v PXAT {10}")]
    [InlineData("EXPIRE a 5", "PEXPIREAT a {5000}")]
    [InlineData("PEXPIRE a 5 NX", "PEXPIREAT a {5}")]
    [InlineData("GETEX a EX 1", "PEXPIREAT a {1000}")]
    [InlineData("EXPIRE a -1", "DEL a")]
    [InlineData("EXPIREAT a 1", "DEL a")]
    [InlineData("GETEX a PXAT 1", "DEL a")]
    [InlineData("GETDEL a", "DEL a")]
    [InlineData("INCRBYFLOAT a 0.5", "SET a 1.5 KEEPTTL")]
    public void A_change_that_depends_on_the_time_or_the_machine_is_passed_on_as_its_result(
        string request, string expected)
    {
        Run("SET", "a", "1");
        Passed();

        Run(request.Split(' '));

        Assert.Equal([WithInstants(expected)], Passed());
    }

    [Theory]
    [InlineData("HEXPIRE h 5 FIELDS 2 f nope", "HPEXPIREAT h {5000} FIELDS 2 f nope")]
    [InlineData("HPEXPIRE h 5 NX FIELDS 1 g", "HPEXPIREAT h {5} NX FIELDS 1 g")]
    [InlineData("HEXPIRE h 0 FIELDS 2 f nope", "HDEL h f")]
    [InlineData("HPEXPIREAT h 1 FIELDS 1 f", "HDEL h f")]
    [InlineData("HGETEX h PX 7 FIELDS 2 f g", "HPEXPIREAT h {7} FIELDS 2 f g")]
    [InlineData("HGETEX h PERSIST FIELDS 2 f t", "HPERSIST h FIELDS 2 f t")]
    [InlineData("HGETEX h PXAT 1 FIELDS 2 f nope", "HDEL h f")]
    [InlineData("HSETEX h FXX EX 3 FIELDS 1 f w", "HSETEX h PXAT {3000} FIELDS 1 f w")]
    [InlineData("HSETEX h PXAT 1 FIELDS 2 f w nope x", "HDEL h f")]
    [InlineData("HGETDEL h FIELDS 2 f nope", "HDEL h f nope")]
    [InlineData("HINCRBYFLOAT h f 0.5", "HSET h f 1.5")]
    [InlineData("HINCRBYFLOAT h t 0.5", "HSETEX h KEEPTTL FIELDS 1 t 3.5")]
    public void A_change_of_fields_that_depends_on_the_time_or_the_machine_is_passed_on_as_its_result(
        string request, string expected)
    {
        Run("HSET", "h", "f", "1", "g", "2", "t", "3");
        Run("HEXPIRE", "h", "100", "FIELDS", "1", "t");
        Passed();

        Run(request.Split(' '));

        Assert.Equal([WithInstants(expected)], Passed());
    }

    [Fact]
    public void Fields_that_expire_are_passed_on_as_removed()
    {
        Run("HSET", "h", "f", "1", "g", "2");
        Run("HPEXPIRE", "h", "10", "FIELDS", "2", "f", "g");
        Passed();
        Advance(11);

        Assert.Equal(0L, Run("HLEN", "h"));
        Assert.Equal(["MULTI", "HDEL h f", "HDEL h g", "EXEC"], Passed());
    }

    [Fact]
    public void A_restored_key_is_passed_on_with_the_instant_it_expires_at()
    {
        Run("SET", "a", "1");
        string payload = (string)Run("DUMP", "a")!;
        Passed();

        Run("RESTORE", "b", "500", payload, "REPLACE");

        Assert.Equal($"RESTORE b {NowMs + 500} {payload} REPLACE ABSTTL", Assert.Single(Passed()));
    }

    [Fact]
    public void A_key_that_expired_is_deleted_before_the_command_that_met_it_in_one_transaction()
    {
        Run("SET", "a", "1", "PX", "10");
        Advance(11);
        Passed();

        Run("INCR", "a");

        Assert.Equal(["MULTI", "DEL a", "INCR a", "EXEC"], Passed());
    }

    [Fact]
    public void A_read_that_meets_an_expired_key_passes_on_its_deletion_alone()
    {
        Run("SET", "a", "1", "PX", "10");
        Advance(11);
        Passed();

        Run("GET", "a");

        Assert.Equal(["DEL a"], Passed());
    }

    [Fact]
    public void A_lazily_freed_expired_key_is_unlinked()
    {
        Server.Keyspace.LazyExpire = true;
        Run("SET", "a", "1", "PX", "10");
        Advance(11);
        Passed();

        Run("GET", "a");

        Assert.Equal(["UNLINK a"], Passed());
    }

    [Fact]
    public void Popped_members_are_removed_by_name()
    {
        Run("SADD", "s", "a", "1", "c", "d");
        Passed();

        object? first = Run("SPOP", "s");
        object?[] two = (object?[])Run("SPOP", "s", "2")!;
        Run("SPOP", "s", "5");

        Assert.Equal([$"SREM s {first}", $"SREM s {two[0]} {two[1]}", "DEL s"], Passed());
    }

    [Fact]
    public void Many_popped_members_go_in_several_requests_of_one_transaction()
    {
        for (int i = 0; i < 5000; i++)
        {
            Run("SADD", "s", "m" + i);
        }

        Passed();
        object?[] popped = (object?[])Run("SPOP", "s", "4900")!;

        string[] passed = Passed();
        Assert.Equal("MULTI", passed[0]);
        Assert.Equal("EXEC", passed[^1]);
        Assert.Equal(5, passed.Length - 2);
        Assert.Equal(
            popped.Select(member => (string)member!).Order(StringComparer.Ordinal),
            passed[1..^1].SelectMany(request => request.Split(' ')[2..]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_change_in_another_database_is_preceded_by_its_number_once()
    {
        Run("SET", "a", "1");
        Run("SELECT", "3");
        Run("SET", "b", "1");
        Run("SET", "c", "1");

        Assert.Equal(["SELECT 0", "SET a 1", "SELECT 3", "SET b 1", "SET c 1"], Passed());
    }

    [Theory]
    [InlineData("SET", "k", "V")]
    [InlineData("SETNX", "k", "V")]
    [InlineData("GETSET", "k", "V")]
    [InlineData("MSET", "k", "V", "k", "V", "l", "x")]
    public void A_value_that_became_the_stored_block_is_passed_on_all_the_same(params string[] request)
    {
        string large = new('v', 100_000);
        request = [.. request.Select(arg => arg == "V" ? large : arg)];

        Run(request);

        request[0] = request[0] == "GETSET" ? "SET" : request[0];
        Assert.Equal(["SELECT 0", string.Join(' ', request)], Passed());
        Run("SETEX", "k", "1", large);
        Assert.Equal([$"SET k {large} PXAT {NowMs + 1000}"], Passed());
    }

    [Fact]
    public void The_time_precedes_the_first_change_of_a_second()
    {
        Server.Propagation.WritesTimestamps = true;
        long seconds = NowMs / 1000;
        Run("SET", "a", "1");
        Run("SET", "a", "2");
        Advance(1000);
        Run("SET", "a", "3");

        string text = Encoding.Latin1.GetString(Server.Propagation.Bytes);
        Server.Propagation.Clear();
        Assert.StartsWith($"#TS:{seconds}\r\n*2\r\n$6\r\nSELECT\r\n", text, StringComparison.Ordinal);
        Assert.Contains($"\r\n#TS:{seconds + 1}\r\n*3\r\n$3\r\nSET\r\n", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split('#').Length - 1);
    }

    private string WithInstants(string text)
    {
        int start = text.IndexOf('{', StringComparison.Ordinal);
        int end = text.IndexOf('}', StringComparison.Ordinal);
        return start < 0
            ? text
            : text[..start]
                + (NowMs + long.Parse(text[(start + 1)..end], System.Globalization.CultureInfo.InvariantCulture))
                + text[(end + 1)..];
    }

    private string[] Passed()
    {
        using RequestReader reader = new(new ProtocolLimits());
        using RequestBatch batch = new();
        ReadOnlySequence<byte> unread = new(Server.Propagation.Bytes.ToArray());
        List<string> requests = [];
        while (!unread.IsEmpty)
        {
            reader.ReadAll(ref unread, batch);
            Assert.NotEqual(0, batch.Count);
            for (int i = 0; i < batch.Count; i++)
            {
                List<string> words = [];
                Arguments args = batch.ArgumentsOf(i);
                for (int j = 0; j < args.Count; j++)
                {
                    words.Add(Encoding.Latin1.GetString(args[j]));
                }

                requests.Add(string.Join(' ', words));
            }

            batch.Clear();
        }

        Server.Propagation.Clear();
        return [.. requests];
    }
}
