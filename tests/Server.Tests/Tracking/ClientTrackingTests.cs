using System.Globalization;
using System.Text;
using KvServer.Server.Clients;
using KvServer.Server.Notifications;

namespace KvServer.Server.Tests.Tracking;

public sealed class ClientTrackingTests : CommandHarness
{
    private const string Null = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

    private readonly TestClient _tracker;

    public ClientTrackingTests() => _tracker = Connect(protocol: 3);

    [Fact]
    public void What_has_been_read_is_told_once_when_it_changes()
    {
        Track();
        _tracker.Raw("GET", "k");
        Run("SET", "k", "1");
        Run("SET", "k", "2");

        Assert.Equal(Invalid("k"), _tracker.TakeOutput());
        Assert.Equal(0, Server.Tracking.KeyCount);
    }

    [Fact]
    public void Nobody_listens_while_nothing_is_tracked()
    {
        Assert.Equal(KeyListeners.None, Server.KeyListeners);
        Track();
        Assert.Equal(KeyListeners.None, Server.KeyListeners);
        _tracker.Raw("GET", "k");
        Assert.Equal(KeyListeners.Tracking, Server.KeyListeners);
        Run("DEL", "k");
        Assert.Equal(KeyListeners.Tracking, Server.KeyListeners);
        Run("SET", "k", "1");
        Assert.Equal(KeyListeners.None, Server.KeyListeners);
        _tracker.Raw("CLIENT", "TRACKING", "OFF");
        _tracker.Raw("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b");
        Assert.Equal(KeyListeners.Tracking, Server.KeyListeners);
        _tracker.Raw("CLIENT", "TRACKING", "OFF");
        Assert.Equal(KeyListeners.None, Server.KeyListeners);
    }

    [Fact]
    public void A_key_that_expires_is_told_by_whoever_finds_it()
    {
        Run("SET", "a", "1", "PX", "10");
        Run("SET", "b", "1", "PX", "10");
        Track();
        _tracker.Raw("MGET", "a", "b");
        Advance(11);
        Assert.Equal("_\r\n" + Invalid("a"), _tracker.Raw("GET", "a"));
        Server.RunCron(hz: 10);

        Assert.Equal(Invalid("b"), _tracker.TakeOutput());
    }

    [Fact]
    public void Fields_that_expire_invalidate_their_hash()
    {
        Run("HSET", "h", "a", "1", "b", "2");
        Run("HPEXPIRE", "h", "10", "FIELDS", "1", "a");
        Track();
        _tracker.Raw("HGETALL", "h");
        Advance(11);
        Server.RunCron(hz: 10);

        Assert.Equal(Invalid("h"), _tracker.TakeOutput());
    }

    [Fact]
    public void A_full_table_takes_keys_out_as_if_they_had_changed()
    {
        Server.Config.TrackingTableMaxKeys = 10;
        Track();
        StringBuilder told = new();
        for (int i = 0; i < 100; i++)
        {
            told.Append(_tracker.Raw("GET", Name(i)));
            Assert.True(Server.Tracking.KeyCount <= 10);
        }

        Assert.Equal(10, Server.Tracking.KeyCount);
        Assert.Equal(10, Server.Tracking.ItemCount);
        Assert.Equal(90, CountPushes(told.ToString()));
        Assert.Equal(10, CountPushes(_tracker.Raw(["MGET", .. Enumerable.Range(1000, 10).Select(Name)])));
    }

    [Fact]
    public void A_limit_that_is_lowered_is_reached_within_some_turns()
    {
        Track();
        _tracker.Raw(["MGET", .. Enumerable.Range(0, 2500).Select(Name)]);
        Assert.False(Server.Tracking.HasWork);
        Server.Config.TrackingTableMaxKeys = 100;
        for (int turn = 0; turn < 3; turn++)
        {
            Assert.True(Server.Tracking.HasWork);
            Executor.EndTurn();
        }

        Assert.False(Server.Tracking.HasWork);
        Assert.Equal(100, Server.Tracking.KeyCount);
        Assert.Equal(2400, CountPushes(_tracker.TakeOutput()));
        Server.Config.TrackingTableMaxKeys = 0;
        _tracker.Raw(["MGET", .. Enumerable.Range(0, 2500).Select(Name)]);
        Assert.Equal(2500, Server.Tracking.KeyCount);
    }

    [Fact]
    public void Long_names_are_counted_and_bound_the_table()
    {
        string name = new('n', 60_000);
        long before = Server.ClientBytes;
        Track();
        _tracker.Raw("GET", name + "0");
        Assert.InRange(Server.ClientBytes - before, 60_000, 61_000);
        Run("SET", name + "0", "1");
        _tracker.TakeOutput();
        Assert.Equal(before, Server.ClientBytes);

        Server.Config.TrackingTableMaxKeys = 1000;
        int told = 0;
        for (int i = 0; i < 200; i++)
        {
            told += CountPushes(_tracker.Raw("GET", name + i));
        }

        Assert.InRange(Server.Tracking.SizeBytes, 1_900_000, 2_100_000);
        Assert.Equal(200 - Server.Tracking.KeyCount, told);
        Executor.Disconnected(_tracker.Session);
        Assert.Equal(0, Server.Tracking.SizeBytes);
    }

    [Fact]
    public void Prefixes_are_counted()
    {
        long before = Server.ClientBytes;
        long idle = ClientMemory.Of(_tracker.Session);
        string name = new('n', 60_000);
        Track("BCAST", "PREFIX", name + "a", "PREFIX", name + "b");
        Assert.InRange(Server.ClientBytes - before, 120_000, 122_000);
        Assert.InRange(ClientMemory.Of(_tracker.Session) - idle, 120_000, 121_000);
        TestClient other = Connect(protocol: 3);
        other.Raw("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", name + "a");
        Assert.InRange(Server.ClientBytes - before, 180_000, 183_000);
        Executor.Disconnected(other.Session);
        Assert.InRange(Server.ClientBytes - before, 120_000, 122_000);
        _tracker.Raw("CLIENT", "TRACKING", "OFF");
        Assert.Equal(before, Server.ClientBytes);
        Assert.Equal(idle, ClientMemory.Of(_tracker.Session));
    }

    [Fact]
    public void NOLOOP_does_not_keep_a_key_that_is_taken_out_from_being_told()
    {
        Server.Config.TrackingTableMaxKeys = 1;
        Track("NOLOOP");
        _tracker.Raw("GET", "a");

        Assert.Equal(1, CountPushes(_tracker.Raw("GET", "b")));
    }

    [Fact]
    public void Clients_that_are_gone_do_not_pile_up_at_a_key_that_never_changes()
    {
        Track();
        _tracker.Raw("GET", "k");
        for (int i = 0; i < 5000; i++)
        {
            TestClient client = Connect(protocol: 3);
            client.Raw("CLIENT", "TRACKING", "ON");
            client.Raw("GET", "k");
            Executor.Disconnected(client.Session);
        }

        Assert.True(Server.Tracking.ItemCount < 200, $"{Server.Tracking.ItemCount} items");
        Run("SET", "k", "1");
        Assert.Equal(Invalid("k"), _tracker.TakeOutput());
        Assert.Equal(0, Server.Tracking.ItemCount);
    }

    [Fact]
    public void Many_clients_of_one_key_are_all_told()
    {
        List<TestClient> clients = [];
        for (int i = 0; i < 300; i++)
        {
            TestClient client = Connect(protocol: 3);
            client.Raw("CLIENT", "TRACKING", "ON");
            clients.Add(client);
        }

        foreach (TestClient client in clients.OrderBy(_ => Random.Shared.Next()))
        {
            client.Raw("GET", "k");
            client.Raw("GET", "k");
        }

        Assert.Equal(300, Server.Tracking.ItemCount);
        Run("SET", "k", "1");
        Assert.All(clients, client => Assert.Equal(Invalid("k"), client.TakeOutput()));
    }

    [Fact]
    public void The_last_client_that_leaves_takes_the_table_with_it()
    {
        Track();
        _tracker.Raw("GET", "k");
        Executor.Disconnected(_tracker.Session);

        Assert.Equal(0, Server.Tracking.KeyCount);
        Assert.Equal(0, Server.Tracking.ClientCount);
        Assert.Equal(KeyListeners.None, Server.KeyListeners);
    }

    [Fact]
    public void A_redirected_message_reaches_the_other_client_in_its_own_protocol()
    {
        TestClient three = Connect(protocol: 3);
        TestClient two = Connect(protocol: 2);
        Run("CLIENT", "TRACKING", "ON", "REDIRECT", Id(three));
        Run("GET", "k");
        Run("SET", "k", "1");
        Assert.Equal(Invalid("k"), three.TakeOutput());
        Run("FLUSHALL");
        Assert.Equal(Null, three.TakeOutput());

        Run("CLIENT", "TRACKING", "ON", "REDIRECT", Id(two));
        Run("GET", "k");
        Run("SET", "k", "1");
        Assert.Equal("", two.TakeOutput());
        two.Raw("SUBSCRIBE", "__redis__:invalidate");
        Run("GET", "k");
        Run("SET", "k", "1");
        Assert.Equal("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n", two.TakeOutput());
        Run("FLUSHALL");
        Assert.Equal("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n", two.TakeOutput());
    }

    [Fact]
    public void A_client_is_told_when_the_one_it_redirects_to_is_gone()
    {
        TestClient other = Connect(protocol: 3);
        string id = Id(other);
        Track("REDIRECT", id);
        _tracker.Raw("GET", "k");
        Executor.Disconnected(other.Session);
        Run("SET", "k", "1");

        Assert.Equal($">2\r\n$21\r\ntracking-redir-broken\r\n:{id}\r\n", _tracker.TakeOutput());
        Assert.Contains("broken_redirect", _tracker.Raw("CLIENT", "TRACKINGINFO"), StringComparison.Ordinal);
        Assert.Contains(" flags=tR ", _tracker.Raw("CLIENT", "INFO"), StringComparison.Ordinal);
        Track();
        Assert.Contains(" flags=t ", _tracker.Raw("CLIENT", "INFO"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_is_being_closed_counts_as_gone()
    {
        TestClient other = Connect(protocol: 3);
        Track("REDIRECT", Id(other));
        _tracker.Raw("GET", "k");
        other.Session.CloseAfterReplies();
        Run("SET", "k", "1");

        Assert.Contains("tracking-redir-broken", _tracker.TakeOutput(), StringComparison.Ordinal);
    }

    [Fact]
    public void Broadcasts_come_at_the_end_of_the_turn_ordered_and_each_key_once()
    {
        Track("BCAST", "PREFIX", "user:", "PREFIX", "x");
        Run("MSET", "x2", "1", "user:1", "1", "other", "1", "x1", "1");
        Run("DEL", "x2");
        Run("SET", "use", "1");
        Assert.Equal("", _tracker.TakeOutput());
        Executor.EndTurn();

        Assert.Equal(Invalid("user:1") + Invalid("x1", "x2"), _tracker.TakeOutput());
        Executor.EndTurn();
        Assert.Equal("", _tracker.TakeOutput());
    }

    [Fact]
    public void Broadcasts_spare_the_client_that_changed_a_key_last_if_it_asks_for_that()
    {
        Track("BCAST", "NOLOOP");
        _tracker.Raw("MSET", "a", "1", "b", "1");
        Run("SET", "b", "2");
        Run("SET", "c", "1");
        _tracker.Raw("SET", "c", "1");
        Executor.EndTurn();
        Assert.Equal(Invalid("b"), _tracker.TakeOutput());

        Run("SET", "d", "1", "PX", "1");
        Executor.EndTurn();
        _tracker.TakeOutput();
        Advance(2);
        _tracker.Raw("GET", "d");
        Executor.EndTurn();
        Assert.Equal(Invalid("d"), _tracker.TakeOutput());
    }

    [Fact]
    public void Only_those_who_changed_something_get_a_message_of_their_own()
    {
        const int Keys = 2000;
        TestClient[] clients = new TestClient[100];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i] = Connect(protocol: 3);
            clients[i].Raw("CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP");
        }

        string[] names = [.. Enumerable.Range(0, Keys).Select(Name)];
        for (int round = 0; round < 2; round++)
        {
            clients[0].Raw("SET", names[0], "1");
            clients[1].Raw("SET", names[1], "1");
            Run(["MSET", .. names[1..].Reverse().SelectMany(name => (string[])[name, "1"])]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Executor.EndTurn();
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            Assert.Equal(Invalid(names[1..]), clients[0].TakeOutput());
            Assert.All(clients[1..], client => Assert.Equal(Invalid(names), client.TakeOutput()));
            if (round > 0)
            {
                // The buffers are there by now. A list for each client would be a hundred of eight bytes a key.
                Assert.InRange(allocated, 0, 20 * 8 * Keys);
            }
        }
    }

    [Fact]
    public void A_client_that_leaves_takes_its_prefixes_and_what_waits_for_it()
    {
        Track("BCAST", "PREFIX", "a");
        TestClient other = Connect(protocol: 3);
        other.Raw("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b");
        Assert.Equal(2, Server.Tracking.PrefixCount);
        Run("MSET", "a", "1", "b", "1");
        Executor.Disconnected(other.Session);
        Assert.Equal(1, Server.Tracking.PrefixCount);
        Executor.EndTurn();

        Assert.Equal(Invalid("a"), _tracker.TakeOutput());
        Executor.Disconnected(_tracker.Session);
        Assert.Equal(0, Server.Tracking.PrefixCount);
        Run("SET", "a", "1");
        Assert.False(Server.Tracking.HasWork);
    }

    [Fact]
    public void Thousands_of_prefixes_of_few_lengths_cost_a_change_little()
    {
        List<string> request = ["CLIENT", "TRACKING", "ON", "BCAST"];
        for (int i = 0; i < 20_000; i++)
        {
            request.AddRange(["PREFIX", Name(i)]);
        }

        Assert.Equal("+OK\r\n", _tracker.Raw([.. request]));
        Assert.Equal(20_000, Server.Tracking.PrefixCount);
        for (int i = 0; i < 20_000; i++)
        {
            Run("SET", Name(i) + "x", "1");
        }

        Executor.EndTurn();
        Assert.Equal(20_000, CountPushes(_tracker.TakeOutput()));
    }

    [Fact]
    public void A_client_that_cannot_be_told_for_lack_of_memory_is_dropped_alone()
    {
        Track();
        _tracker.Raw("GET", "k");
        _tracker.IsOutOfMemory = true;
        Assert.StartsWith("+OK\r\n", _tracker.Raw("SET", "k", "1"), StringComparison.Ordinal); // Held until then.
        Assert.NotNull(_tracker.ClosedBecause);

        TestClient poor = Connect(protocol: 3);
        TestClient other = Connect(protocol: 3);
        poor.Raw("CLIENT", "TRACKING", "ON", "BCAST");
        other.Raw("CLIENT", "TRACKING", "ON", "BCAST");
        poor.IsOutOfMemory = true;
        Run("SET", "k", "2");
        Executor.EndTurn();
        Assert.NotNull(poor.ClosedBecause);
        Assert.Null(other.ClosedBecause);
        Assert.Equal(Invalid("k"), other.TakeOutput());
    }

    [Fact]
    public void INFO_tells_how_much_is_tracked()
    {
        Track();
        _tracker.Raw("MGET", "a", "b");
        Run("CLIENT", "TRACKING", "ON");
        Run("GET", "a");
        TestClient broadcast = Connect(protocol: 3);
        broadcast.Raw("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "x", "PREFIX", "y");
        string info = (string)Run("INFO", "everything")!;

        Assert.Contains("\r\ntracking_clients:3\r\n", info, StringComparison.Ordinal);
        Assert.Contains("\r\ntracking_total_keys:2\r\n", info, StringComparison.Ordinal);
        Assert.Contains("\r\ntracking_total_items:3\r\n", info, StringComparison.Ordinal);
        Assert.Contains("\r\ntracking_total_prefixes:2\r\n", info, StringComparison.Ordinal);
        Assert.Contains(" flags=tB ", broadcast.Raw("CLIENT", "INFO"), StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_without_tracking_allocates_nothing_while_others_track()
    {
        Run("SET", "k", "1");
        Track();
        _tracker.Raw("GET", "k");

        Assert.Equal(0, Client.AllocatedBytesOf([["GET", "k"]], rounds: 2000));
    }

    private static string Name(int i) => i.ToString("D6", CultureInfo.InvariantCulture);

    private static string Id(TestClient client) => client.Session.Id.ToString(CultureInfo.InvariantCulture);

    private static string Invalid(params string[] keys) =>
        $">2\r\n$10\r\ninvalidate\r\n*{keys.Length}\r\n" + string.Concat(keys.Select(key => $"${key.Length}\r\n{key}\r\n"));

    private static int CountPushes(string output) => output.Split(">2\r\n$10\r\ninvalidate\r\n").Length - 1;

    private void Track(params string[] options) =>
        Assert.Equal("+OK\r\n", _tracker.Raw(["CLIENT", "TRACKING", "ON", .. options]));
}
