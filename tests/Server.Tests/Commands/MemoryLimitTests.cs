using System.Buffers;
using System.Globalization;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

/// <summary>What clients see of the memory limit: refusals, evicted keys, figures.</summary>
public sealed class MemoryLimitTests : CommandHarness
{
    private const string Oom = "OOM command not allowed when used memory > 'maxmemory'.";

    public MemoryLimitTests() => ConfigEffects.Follow(Server);

    [Fact]
    public void Over_the_limit_what_grows_is_refused_and_all_else_goes_on()
    {
        Run("SET", "k", "v");
        Run("CONFIG", "SET", "maxmemory", "1");

        Assert.Equal(Oom, Error("SET", "k", "w"));
        Assert.Equal(Oom, Error("LPUSH", "l", "a"));
        Assert.Equal("v", Run("GET", "k"));
        Assert.Equal(1L, Run("EXPIRE", "k", "100"));
        Assert.Equal(1L, Run("DEL", "k"));
        Assert.Equal("OK", Run("CONFIG", "SET", "maxmemory", "0"));
        Assert.Equal("OK", Run("SET", "k", "w"));
        Assert.Equal(2, Server.Commands.All.Single(command => command.DisplayName == "set").RejectedCalls
            + Server.Commands.All.Single(command => command.DisplayName == "lpush").RejectedCalls);
    }

    [Fact]
    public void A_transaction_that_would_grow_is_refused_as_a_whole()
    {
        Run("MULTI");
        Run("SET", "k", "v");
        TestClient other = Connect();
        other.Run("CONFIG", "SET", "maxmemory", "1");

        Assert.Equal("EXECABORT Transaction discarded because of: " + Oom, Error("EXEC"));
        Assert.Equal("ERR EXEC without MULTI", Error("EXEC"));
        Run("MULTI");
        Assert.Equal(Oom, Error("GET", "k"));
        Assert.Equal("EXECABORT Transaction discarded because of previous errors.", Error("EXEC"));
        Run("MULTI");
        Assert.Equal("OK", Run("DISCARD"));
        Assert.Equal(0L, Run("EXISTS", "k"));
    }

    [Fact]
    public void Keys_evicted_for_a_request_are_told_before_its_reply()
    {
        for (int i = 0; i < 100; i++)
        {
            Run("SET", $"key:{i}", new string('x', 500));
        }

        TestClient client = Connect(protocol: 3);
        client.Raw("SUBSCRIBE", "__keyevent@0__:evicted");
        Server.Notifications.Classes = KeyspaceEvents.Keyevent | KeyspaceEvents.Evicted;
        client.Raw("MULTI");
        long limit = Server.Keyspace.Heap.UsedBytes - 2000;
        Run("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", limit.ToString(CultureInfo.InvariantCulture));
        Assert.Matches("^>3\r\n[^+]*evicted[^+]*\\+QUEUED\r\n$", client.Raw("GET", "key:1"));
        client.Raw("DISCARD");
        limit = Server.Keyspace.Heap.UsedBytes - 2000;
        Run("CONFIG", "SET", "maxmemory", limit.ToString(CultureInfo.InvariantCulture));
        Assert.Matches("^>3\r\n[^+]*evicted[^+]*\\+PONG\r\n$", client.Raw("PING"));
    }

    [Fact]
    public void A_transaction_that_only_reads_runs()
    {
        Run("SET", "k", "v");
        Run("MULTI");
        Run("GET", "k");
        Connect().Run("CONFIG", "SET", "maxmemory", "1");

        Assert.Equal(["v"], (object?[])Run("EXEC")!);
    }

    [Theory]
    [InlineData("no", "DEL")]
    [InlineData("yes", "UNLINK")]
    public void Evicted_keys_are_passed_on_as_deletions(string lazily, string name)
    {
        Run("CONFIG", "SET", "lazyfree-lazy-eviction", lazily);
        Fill(50);
        Server.Propagation.Start();
        LimitTo(keysToLose: 1, "allkeys-lru");

        Assert.Equal("PONG", Run("PING"));
        string text = Encoding.Latin1.GetString(Server.Propagation.Bytes);
        Assert.StartsWith($"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*2\r\n${name.Length}\r\n{name}\r\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("MULTI", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_evicted_key_breaks_watches()
    {
        Fill(50);
        TestClient watcher = Connect();
        watcher.Run(["WATCH", .. Enumerable.Range(0, 50).Select(i => "k" + i)]);
        LimitTo(keysToLose: 1, "allkeys-random");
        Run("PING");
        Run("CONFIG", "SET", "maxmemory", "0");
        watcher.Run("MULTI");
        watcher.Run("SET", "x", "1");

        Assert.Equal("*-1\r\n", watcher.Raw("EXEC"));
    }

    [Fact]
    public void A_client_that_waits_in_a_group_hears_that_its_stream_was_evicted()
    {
        Run("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
        TestClient waiter = Connect();
        Assert.False(waiter.Start("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"));
        Run("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", "1");
        Run("PING");

        Assert.Equal(0L, Run("DBSIZE"));
        Assert.StartsWith("-", waiter.TakeOutput(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_evicted_while_clients_are_paused()
    {
        Fill(50);
        Run("CLIENT", "PAUSE", "1000", "WRITE");
        LimitTo(keysToLose: 10, "allkeys-lru");
        Run("GET", "k1");
        Assert.Equal(50L, Run("DBSIZE"));
        Run("CLIENT", "UNPAUSE");
        Run("GET", "k1");
        Assert.InRange((long)Run("DBSIZE")!, 35, 45);
    }

    [Fact]
    public void What_clients_have_queued_counts()
    {
        Fill(50);
        LeaveRoom(100_000, "noeviction");
        Assert.Equal("OK", Run("SET", "k0", "v"));
        TestClient queues = Connect();
        queues.Run("MULTI");
        for (int i = 0; i < 15; i++)
        {
            Assert.Equal("QUEUED", queues.Run("SET", "k", new string('x', 10_000)));
        }

        Server.RunCron(10);

        Assert.Equal(Oom, Error("SET", "k0", "v"));
        queues.Run("DISCARD");
        Server.RunCron(10);
        Assert.Equal("OK", Run("SET", "k0", "v"));
    }

    [Fact]
    public void Clients_that_have_gone_count_no_longer_before_anything_is_evicted_for_them()
    {
        Fill(50);
        TestClient owed = Connect();
        owed.PendingInputBytes = 100_000;
        LeaveRoom(10_000, "allkeys-lru");
        owed.PendingInputBytes = 0;

        Run("SET", "large", new string('x', 50_000));
        Run("SET", "after", "v");

        Assert.Equal(52L, Run("DBSIZE"));
    }

    [Fact]
    public void What_clients_hold_counts_from_the_moment_the_limit_is_set()
    {
        Fill(50);
        Connect().PendingInputBytes = 10_000_000;
        Run("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "8mb");

        Assert.Equal(Oom, Error("SET", "k0", "v"));
    }

    [Fact]
    public void A_small_table_is_not_worth_keys_to_a_small_limit()
    {
        Fill(4096);
        LeaveRoom(10_000, "allkeys-random");

        Run("SET", "one", "v");
        Run("SET", "two", "v");

        Assert.Equal(4098L, Run("DBSIZE"));
    }

    [Fact]
    public void The_library_is_asked_ever_more_seldom_for_what_it_does_not_have()
    {
        const long Mega = 1024 * 1024;
        Run("CONFIG", "SET", "maxmemory", "10mb");
        Eviction eviction = Server.Keyspace.Eviction;
        Assert.False(eviction.CheckResident(9 * Mega, 0));
        int asked = Enumerable.Range(0, 1000).Count(_ => eviction.CheckResident(100 * Mega, 0));
        Assert.InRange(asked, 5, 12);
        Assert.False(eviction.CheckResident(9 * Mega, 0));
        Assert.True(eviction.CheckResident(100 * Mega, 0)); // It is over the limit anew.
        Assert.False(eviction.CheckResident(100 * Mega, 95 * Mega));

        // While it helps, at every other look.
        asked = Enumerable.Range(0, 20).Count(i => eviction.CheckResident((400 - (10 * i)) * Mega, 0));
        Assert.Equal(10, asked);
    }

    [Fact]
    public void Managed_memory_that_has_grown_explains_what_is_resident()
    {
        long before = Server.ProcessBytes;
        byte[] large = GC.AllocateUninitializedArray<byte>(200_000_000, pinned: true);
        GC.Collect();
        Assert.True(Server.ProcessBytes - before > 100_000_000, "It is not explained.");
        GC.KeepAlive(large);
    }

    [Fact]
    public void Names_that_clients_subscribe_to_count()
    {
        Run("CONFIG", "SET", "maxmemory-policy", "noeviction");
        long used = Server.Keyspace.Heap.UsedBytes + Server.ClientBytes;
        Run("CONFIG", "SET", "maxmemory", (used + 500_000).ToString(CultureInfo.InvariantCulture));
        long sum = Server.PubSub.SizeBytes;
        TestClient subscriber = Connect(protocol: 3);
        long idle = ClientMemory.Of(subscriber.Session);
        string name = new('n', 60_000);
        for (int i = 0; i < 10; i++)
        {
            subscriber.Raw("SUBSCRIBE", name + i);
        }

        Server.RunCron(10);
        Assert.Equal(Oom, Error("SET", "k", "v"));
        Assert.InRange(Server.PubSub.SizeBytes - sum, 600_000, 605_000);
        Assert.InRange(ClientMemory.Of(subscriber.Session) - idle, 600_000, 603_000);
        subscriber.Raw("UNSUBSCRIBE");
        Assert.Equal(sum, Server.PubSub.SizeBytes);
        Assert.Equal(idle, ClientMemory.Of(subscriber.Session));
        Server.RunCron(10);
        Assert.Equal("OK", Run("SET", "k", "v"));
    }

    [Fact]
    public void A_large_argument_that_is_still_arriving_counts_once()
    {
        const int Bytes = 3_000_000;
        using RequestReader reader = new(new ProtocolLimits(), new LargeBulkBridge(Server.Keyspace));
        using RequestBatch batch = new();
        long before = Counted();
        string start = $"*3\r\n$3\r\nSET\r\n$200\r\n{new string('k', 200)}\r\n$4000000\r\n";
        ReadOnlySequence<byte> unread = new(Encoding.ASCII.GetBytes(start + new string('v', Bytes)));
        Assert.Equal(ReadStatus.Incomplete, reader.ReadAll(ref unread, batch));
        TestClient client = Connect();
        client.PendingInputBytes = reader.PendingBytes;
        client.PendingArgumentBytes = reader.DetachedBytes;

        Assert.Equal(start.Length + Bytes, reader.PendingBytes);
        Assert.Equal(Bytes, reader.DetachedBytes);
        Assert.Equal(start.Length, Server.Clients.BufferBytes - Client.PendingOutputBytes);
        Assert.InRange(Counted() - before, Bytes, 4_000_000 + 10_000);
    }

    [Fact]
    public void INFO_tells_of_the_limit_and_of_what_was_evicted()
    {
        Fill(50);
        LimitTo(keysToLose: 10, "volatile-lru");
        Assert.Equal(Oom, Error("SET", "x", "1"));
        string info = Assert.IsType<string>(Run("INFO", "everything"));
        Assert.Contains("maxmemory_policy:volatile-lru\r\n", info, StringComparison.Ordinal);
        Assert.Contains($"maxmemory:{Server.Config.MaxMemoryBytes}\r\n", info, StringComparison.Ordinal);
        Assert.Contains("evicted_keys:0\r\n", info, StringComparison.Ordinal);

        Run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
        Run("PING");
        long evicted = Server.Keyspace.Statistics.EvictedKeys;
        Assert.InRange(evicted, 7, 13);
        Assert.Contains($"evicted_keys:{evicted}\r\n", Assert.IsType<string>(Run("INFO", "stats")), StringComparison.Ordinal);
        Assert.Contains("current_eviction_exceeded_time:0\r\n", Assert.IsType<string>(Run("INFO", "stats")), StringComparison.Ordinal);
        Run("CONFIG", "RESETSTAT");
        Assert.Equal(0, Server.Keyspace.Statistics.EvictedKeys);
    }

    [Fact]
    public void A_percentage_is_one_of_the_memory_there_is()
    {
        Assert.Equal("OK", Run("CONFIG", "SET", "maxmemory", "75%"));
        Assert.Equal(["maxmemory", "75%"], (object?[])Run("CONFIG", "GET", "maxmemory")!);
        Assert.Equal((long)(MachineMemory.LimitBytes / 100.0 * 75), Server.Keyspace.Eviction.LimitBytes);
        Assert.EndsWith("percentage argument must be less or equal to 100", Error("CONFIG", "SET", "maxmemory", "101%"), StringComparison.Ordinal);
        foreach (string bad in new[] { "x%", "0%", "00%", "-1%" })
        {
            Assert.EndsWith("argument must be a memory value", Error("CONFIG", "SET", "maxmemory", bad), StringComparison.Ordinal);
        }

        Assert.Equal(["maxmemory", "75%"], (object?[])Run("CONFIG", "GET", "maxmemory")!);
    }

    private void Fill(int keys)
    {
        for (int i = 0; i < keys; i++)
        {
            Run("SET", "k" + i, new string('v', 500));
        }
    }

    private long Counted() => Server.Keyspace.Heap.UsedBytes + Server.Clients.BufferBytes;

    private void LeaveRoom(long bytes, string policy) =>
        Run(
            "CONFIG", "SET", "maxmemory-policy", policy,
            "maxmemory", (Counted() + bytes).ToString(CultureInfo.InvariantCulture));

    private void LimitTo(int keysToLose, string policy)
    {
        long limit = Server.Keyspace.Heap.UsedBytes - (keysToLose * 500);
        Run("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", limit.ToString(CultureInfo.InvariantCulture));
    }
}
