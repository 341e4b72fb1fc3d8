using KvServer.Server.Hosting;

namespace KvServer.Server.Tests.Commands;

public class ServerCommandsTests : CommandHarness
{
    [Theory]
    [InlineData("SYNC")]
    [InlineData("async")]
    public void Flushing_removes_keys_of_one_or_all_databases(string mode)
    {
        Run("SET", "a", "1");
        Run("SELECT", "1");
        Run("SET", "b", "1");
        Assert.Equal(1, DirtyAfter("FLUSHDB", mode));
        Assert.Equal(0L, Run("DBSIZE"));
        Run("SELECT", "0");
        Assert.Equal(1L, Run("DBSIZE"));
        Assert.Equal("OK", Run("FLUSHALL", mode));
        Assert.Equal(0L, Run("DBSIZE"));
    }

    [Fact]
    public void Flushing_takes_one_known_word()
    {
        Assert.Equal("ERR syntax error", Error("FLUSHALL", "later"));
        Assert.Equal("ERR syntax error", Error("FLUSHDB", "SYNC", "ASYNC"));
    }

    [Fact]
    public void Swapdb_exchanges_what_clients_see()
    {
        Run("SET", "k", "zero");
        Assert.Equal("OK", Run("SWAPDB", "0", "3"));
        Assert.Null(Run("GET", "k"));
        Run("SELECT", "3");
        Assert.Equal("zero", Run("GET", "k"));
        Assert.Equal("ERR invalid first DB index", Error("SWAPDB", "x", "0"));
        Assert.Equal("ERR invalid second DB index", Error("SWAPDB", "0", "x"));
        Assert.Equal("ERR DB index is out of range", Error("SWAPDB", "0", "16"));
    }

    [Fact]
    public void Time_is_that_of_the_clock()
    {
        object?[] time = Assert.IsType<object?[]>(Run("TIME"));
        Assert.Equal((NowMs / 1000).ToString(System.Globalization.CultureInfo.InvariantCulture), time[0]);
    }

    [Fact]
    public void Role_is_a_master_without_replicas() => Assert.Equal("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", Raw("ROLE"));

    [Fact]
    public void Lolwut_ends_with_the_version()
    {
        Assert.EndsWith($"Redis ver. {ServerVersion.Compatible}\n", Assert.IsType<string>(Run("LOLWUT")), StringComparison.Ordinal);
        Assert.Equal("ERR value is not an integer or out of range", Error("LOLWUT", "VERSION", "x"));
        Assert.EndsWith("\n", Assert.IsType<string>(Run("LOLWUT", "VERSION", "5", "-1", "999999")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NOSUCH")]
    [InlineData("SAVE", "NOSAVE")]
    [InlineData("ABORT", "NOW")]
    public void Shutdown_refuses_words_that_make_no_sense(params string[] words) =>
        Assert.Equal("ERR syntax error", Error(["SHUTDOWN", .. words]));

    [Fact]
    public void Shutdown_hands_the_request_on_and_replies_nothing()
    {
        FakeShutdown shutdown = new();
        Server.Shutdown = shutdown;
        Assert.Equal("ERR No shutdown in progress.", Error("SHUTDOWN", "ABORT"));
        Assert.Equal("", Raw("SHUTDOWN", "NOSAVE", "NOW", "FORCE"));
        Assert.Equal(new ShutdownRequest(Save: false, Now: true, Force: true), shutdown.Request);
        Raw("SHUTDOWN");
        Assert.Null(shutdown.Request!.Value.Save);
        shutdown.Refuses = true;
        Assert.Equal("ERR Errors trying to SHUTDOWN. Check logs.", Error("SHUTDOWN", "SAVE"));
    }

    [Fact]
    public void Cluster_subcommands_say_that_this_is_none()
    {
        Assert.Equal("ERR This instance has cluster support disabled", Error("CLUSTER", "NODES"));
        Assert.Equal("ERR unknown subcommand 'x'. Try CLUSTER HELP.", Error("CLUSTER", "x"));
        Assert.Equal("ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' ", Error("SENTINEL", "MASTERS"));
    }

    /// <summary>Here rather than in a script: redis-server finds GET for such a name when its random hash happens to put
    /// both into one bucket, because it compares names up to the null character.</summary>
    [Fact]
    public void A_name_with_a_null_character_is_another_command() =>
        Assert.Equal("ERR unknown command 'GET', with args beginning with: 'k' ", Error("GET\0", "k"));

    private sealed class FakeShutdown : IShutdown
    {
        public ShutdownRequest? Request { get; private set; }

        public bool Refuses { get; set; }

        public bool TryBegin(ShutdownRequest request)
        {
            Request = request;
            return !Refuses;
        }

        public bool TryAbort() => false;
    }
}
