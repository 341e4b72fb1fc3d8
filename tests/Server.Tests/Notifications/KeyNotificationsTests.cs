using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Notifications;
using KvServer.Server.Persistence;

namespace KvServer.Server.Tests.Notifications;

public sealed class KeyNotificationsTests : CommandHarness
{
    private const KeyspaceEvents KeyeventsOfAll = KeyspaceEvents.Keyevent | KeyspaceEvents.All;

    private readonly TestClient _subscriber;

    public KeyNotificationsTests()
    {
        Server.Notifications.Classes = KeyeventsOfAll;
        _subscriber = Connect();
        _subscriber.Raw("PSUBSCRIBE", "__key*@*__:*");
    }

    [Fact]
    public void Every_event_has_a_name_and_a_class_or_neither()
    {
        KeyEvent[] silent = [KeyEvent.PfCount, KeyEvent.PfDebug, KeyEvent.Populate];
        foreach (KeyEvent keyEvent in Enum.GetValues<KeyEvent>())
        {
            Assert.Equal(silent.Contains(keyEvent), keyEvent.Name().IsEmpty);
            Assert.Equal(silent.Contains(keyEvent), keyEvent.Class() == KeyspaceEvents.None);
        }
    }

    [Fact]
    public void A_key_is_published_under_its_name_and_its_event()
    {
        Server.Notifications.Classes = KeyspaceEvents.Keyspace | KeyspaceEvents.Keyevent | KeyspaceEvents.String;
        Run("SELECT", "2");
        Run("SET", "k", "v");

        Assert.Equal(["__keyspace@2__:k set", "__keyevent@2__:set k"], TakeEvents());
    }

    [Fact]
    public void A_key_longer_than_any_buffer_is_published_whole()
    {
        string key = new('k', 100_000);
        Run("SET", key, "v");

        Assert.Equal([$"__keyevent@0__:set {key}"], TakeEvents());
    }

    [Theory]
    [InlineData(KeyspaceEvents.All)]
    [InlineData(KeyspaceEvents.Keyspace | KeyspaceEvents.Keyevent)]
    [InlineData(KeyspaceEvents.None)]
    public void Nothing_is_published_without_a_channel_and_a_class(KeyspaceEvents classes)
    {
        Server.Notifications.Classes = classes;
        Assert.Equal(KeyListeners.None, Server.KeyListeners);
        Run("SET", "k", "v", "PX", "1");
        Advance(2);
        Run("GET", "k");

        Assert.Empty(TakeEvents());
    }

    [Fact]
    public void New_keys_and_missed_ones_are_not_among_all()
    {
        Run("SET", "k", "v");
        Run("GET", "none");
        Assert.Equal(["__keyevent@0__:set k"], TakeEvents());

        Server.Notifications.Classes = KeyspaceEvents.Keyevent | KeyspaceEvents.New | KeyspaceEvents.KeyMiss;
        Run("SET", "k2", "v");
        Run("SET", "k2", "w");
        Run("GET", "none");
        Run("DEL", "none");
        Assert.Equal(["__keyevent@0__:new k2", "__keyevent@0__:keymiss none"], TakeEvents());

        Server.Notifications.Classes = KeyeventsOfAll;
        Assert.Null(Server.Keyspace.Added);
        Assert.Null(Server.Keyspace.Missed);
    }

    [Fact]
    public void What_moves_a_member_tells_of_the_new_key_last()
    {
        Run("SADD", "from", "a");
        TakeEvents();
        Server.Notifications.Classes |= KeyspaceEvents.New;
        Run("SMOVE", "from", "to", "a");

        Assert.Equal(
            ["__keyevent@0__:srem from", "__keyevent@0__:del from", "__keyevent@0__:new to", "__keyevent@0__:sadd to"],
            TakeEvents());
    }

    [Fact]
    public void A_key_that_is_found_to_be_over_is_published_before_it_is_missed()
    {
        Server.Notifications.Classes |= KeyspaceEvents.KeyMiss;
        Run("SET", "k", "v", "PX", "10");
        TakeEvents();
        Advance(11);
        Run("GET", "k");

        Assert.Equal(["__keyevent@0__:expired k", "__keyevent@0__:keymiss k"], TakeEvents());
    }

    [Fact]
    public void The_expiry_cycle_publishes_what_it_removes()
    {
        Run("SET", "a", "v", "PX", "10");
        Run("SET", "b", "v", "PX", "10");
        TakeEvents();
        Advance(11);
        Server.RunCron(hz: 10);

        Assert.Equal(["__keyevent@0__:expired a", "__keyevent@0__:expired b"], TakeEvents().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Commands_on_fields_that_expire_publish_what_they_do()
    {
        Run("HSET", "h", "a", "1", "b", "2", "c", "3", "d", "4");
        TakeEvents();

        Assert.Equal(["__keyevent@0__:hexpire h"], EventsOf("HEXPIRE", "h", "100", "FIELDS", "2", "a", "b"));
        Assert.Equal(["__keyevent@0__:hexpire h"], EventsOf("HPEXPIREAT", "h", "9999999999999", "FIELDS", "1", "a"));
        Assert.Empty(EventsOf("HEXPIRE", "h", "100", "NX", "FIELDS", "1", "a"));
        Assert.Empty(EventsOf("HTTL", "h", "FIELDS", "1", "a"));
        Assert.Equal(["__keyevent@0__:hpersist h"], EventsOf("HPERSIST", "h", "FIELDS", "1", "a"));
        Assert.Equal(["__keyevent@0__:hexpire h"], EventsOf("HGETEX", "h", "EX", "50", "FIELDS", "2", "a", "b"));
        Assert.Empty(EventsOf("HGETEX", "h", "FIELDS", "1", "a"));
        Assert.Equal(["__keyevent@0__:hpersist h"], EventsOf("HGETEX", "h", "PERSIST", "FIELDS", "1", "a"));
        Assert.Equal(
            ["__keyevent@0__:hset h", "__keyevent@0__:hexpire h"], EventsOf("HSETEX", "h", "EX", "50", "FIELDS", "1", "a", "1"));
        Assert.Equal(["__keyevent@0__:hset h"], EventsOf("HSETEX", "h", "FIELDS", "1", "a", "1"));
        Assert.Equal(["__keyevent@0__:hdel h"], EventsOf("HEXPIRE", "h", "0", "FIELDS", "1", "a"));
        Assert.Equal(["__keyevent@0__:hdel h"], EventsOf("HGETDEL", "h", "FIELDS", "1", "b"));
        Assert.Equal(
            ["__keyevent@0__:hdel h", "__keyevent@0__:del h"], EventsOf("HGETDEL", "h", "FIELDS", "3", "c", "d", "none"));
    }

    [Fact]
    public void Fields_that_expire_together_are_published_once_and_the_key_with_the_last()
    {
        Run("HSET", "h", "a", "1", "b", "2", "c", "3", "d", "4");
        Run("HPEXPIRE", "h", "10", "FIELDS", "2", "a", "b");
        Run("HPEXPIRE", "h", "20", "FIELDS", "2", "c", "d");
        TakeEvents();
        Advance(11);
        Server.RunCron(hz: 10);
        Assert.Equal(["__keyevent@0__:hexpired h"], TakeEvents());

        Advance(10);
        Run("HGET", "h", "c");
        Assert.Equal(["__keyevent@0__:hexpired h", "__keyevent@0__:del h"], TakeEvents());
    }

    [Fact]
    public void A_key_removed_to_make_room_is_published_breaks_watches_and_is_invalidated()
    {
        TestClient tracker = Connect(protocol: 3);
        tracker.Raw("CLIENT", "TRACKING", "ON");
        tracker.Raw("GET", "k");
        Run("WATCH", "k");
        Server.Keyspace.Evicted!(Server.Keyspace[0], "k"u8);

        Assert.Equal(["__keyevent@0__:evicted k"], TakeEvents());
        Assert.Equal(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", tracker.TakeOutput());
        Run("MULTI");
        Run("PING");
        Assert.Null(Run("EXEC"));
    }

    [Fact]
    public void A_client_gets_its_own_messages_after_its_reply()
    {
        TestClient client = Connect(protocol: 3);
        client.Raw("SUBSCRIBE", "__keyevent@0__:keymiss", "__keyevent@0__:set");
        Server.Notifications.Classes |= KeyspaceEvents.KeyMiss;
        string Message(string name, string key) =>
            $">3\r\n$7\r\nmessage\r\n${15 + name.Length}\r\n__keyevent@0__:{name}\r\n${key.Length}\r\n{key}\r\n";

        Assert.Equal("*2\r\n_\r\n_\r\n" + Message("keymiss", "x") + Message("keymiss", "y"), client.Raw("MGET", "x", "y"));
        Assert.Equal("+OK\r\n" + Message("set", "a"), client.Raw("SET", "a", "1"));
        client.Raw("MULTI");
        client.Raw("SET", "a", "1");
        client.Raw("GET", "none");
        client.Raw("SET", "b", "1");
        Assert.Equal(
            "*3\r\n+OK\r\n_\r\n+OK\r\n" + Message("set", "a") + Message("keymiss", "none") + Message("set", "b"),
            client.Raw("EXEC"));
    }

    [Fact]
    public void A_client_without_replies_still_gets_its_messages()
    {
        TestClient client = Connect(protocol: 3);
        client.Raw("SUBSCRIBE", "__keyevent@0__:set");
        client.Raw("CLIENT", "REPLY", "OFF");

        Assert.Equal(">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$1\r\na\r\n", client.Raw("SET", "a", "1"));
    }

    [Fact]
    public void A_call_that_has_waited_gets_its_own_messages_after_its_reply()
    {
        TestClient waiter = Connect(protocol: 3);
        waiter.Raw("SUBSCRIBE", "__keyevent@0__:lpop");
        Assert.False(waiter.Start("BLPOP", "q", "0"));
        Run("RPUSH", "q", "a");

        Assert.Equal(
            "*2\r\n$1\r\nq\r\n$1\r\na\r\n>3\r\n$7\r\nmessage\r\n$19\r\n__keyevent@0__:lpop\r\n$1\r\nq\r\n", waiter.TakeOutput());
        Assert.Equal(["__keyevent@0__:rpush q", "__keyevent@0__:lpop q", "__keyevent@0__:del q"], TakeEvents());
    }

    [Fact]
    public void What_is_loaded_is_not_new()
    {
        Server.Notifications.Classes |= KeyspaceEvents.New;
        Server.Restrict(Restrictions.Loading, applies: true);
        Server.Keyspace[0].SetString(Server.Keyspace.KeyOf("k"u8), "v"u8);
        Server.Restrict(Restrictions.Loading, applies: false);

        Assert.Empty(TakeEvents());
    }

    private List<string> EventsOf(params string[] args)
    {
        Assert.DoesNotContain("-ERR", Raw(args), StringComparison.Ordinal);
        return TakeEvents();
    }

    private List<string> TakeEvents()
    {
        ReplyDecoder decoder = new(System.Text.Encoding.Latin1.GetBytes(_subscriber.TakeOutput()));
        List<string> events = [];
        while (!decoder.AtEnd)
        {
            object?[] message = (object?[])decoder.Next()!;
            events.Add($"{message[2]} {message[3]}");
        }

        return events;
    }
}
