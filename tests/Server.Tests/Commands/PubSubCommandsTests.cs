using KvServer.Server.PubSub;

namespace KvServer.Server.Tests.Commands;

public class PubSubCommandsTests : CommandHarness
{
    [Fact]
    public void A_message_reaches_channel_and_pattern_subscribers_in_their_protocol()
    {
        TestClient two = Connect();
        TestClient three = Connect(protocol: 3);
        Assert.Equal("*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n", two.Raw("SUBSCRIBE", "ch"));
        Assert.Equal(">3\r\n$10\r\npsubscribe\r\n$2\r\nc*\r\n:1\r\n", three.Raw("PSUBSCRIBE", "c*"));
        Assert.Equal(2L, Run("PUBLISH", "ch", "hi"));
        Assert.Equal("*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n", two.TakeOutput());
        Assert.Equal(">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$2\r\nch\r\n$2\r\nhi\r\n", three.TakeOutput());
    }

    [Fact]
    public void Subscribing_twice_counts_once()
    {
        Client.Raw("SUBSCRIBE", "a");
        Assert.Equal("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", Raw("SUBSCRIBE", "a"));
        Assert.Equal(1, Server.PubSub.SubscriberCount(SubscriptionKind.Channel, "a"u8));
    }

    [Fact]
    public void Unsubscribing_from_nothing_replies_null()
    {
        Assert.Equal("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n", Raw("UNSUBSCRIBE"));
        Assert.Equal("*3\r\n$12\r\npunsubscribe\r\n$1\r\nx\r\n:0\r\n", Raw("PUNSUBSCRIBE", "x"));
    }

    [Fact]
    public void Unsubscribing_without_names_replies_once_for_each()
    {
        Client.Raw("SUBSCRIBE", "a", "b");
        string replies = Raw("UNSUBSCRIBE");
        Assert.Equal(2, replies.Split("$11\r\nunsubscribe\r\n").Length - 1);
        Assert.EndsWith(":0\r\n", replies, StringComparison.Ordinal);
        Assert.Equal(0, Server.PubSub.CountOf(SubscriptionKind.Channel));
        Assert.Equal("+PONG\r\n", Raw("PING"));
    }

    [Fact]
    public void A_resp2_subscriber_may_do_little_else()
    {
        Client.Raw("SUBSCRIBE", "a");
        Assert.Equal(
            "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            Error("GET", "k"));
        Assert.Equal("*2\r\n$4\r\npong\r\n$0\r\n\r\n", Raw("PING"));
        Assert.Equal("*2\r\n$4\r\npong\r\n$1\r\nx\r\n", Raw("PING", "x"));
    }

    [Theory]
    [InlineData("publish", "PUBLISH", "a", "m")]
    [InlineData("pubsub|channels", "PUBSUB", "CHANNELS")]
    [InlineData("client|id", "CLIENT", "ID")]
    public void A_resp2_subscriber_may_not_publish_or_ask(string name, params string[] request)
    {
        Client.Raw("SUBSCRIBE", "a");
        Assert.Equal(
            $"ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            Error(request));
    }

    [Fact]
    public void A_resp3_subscriber_may_do_everything()
    {
        TestClient client = Connect(protocol: 3);
        client.Raw("SUBSCRIBE", "a");
        Assert.Equal("_\r\n", client.Raw("GET", "k"));
        Assert.Equal("+PONG\r\n", client.Raw("PING"));
    }

    [Fact]
    public void Confirmations_and_messages_pass_reply_off()
    {
        TestClient silent = Connect();
        silent.Raw("CLIENT", "REPLY", "OFF");
        Assert.Equal("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", silent.Raw("SUBSCRIBE", "a"));
        Run("PUBLISH", "a", "m");
        Assert.Equal("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n", silent.TakeOutput());
        Assert.Equal("", silent.Raw("PING"));
    }

    [Fact]
    public void A_publisher_that_listens_gets_the_message_before_its_reply()
    {
        TestClient client = Connect(protocol: 3);
        client.Raw("SUBSCRIBE", "a");
        Assert.Equal(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n:1\r\n", client.Raw("PUBLISH", "a", "m"));
    }

    [Fact]
    public void Shard_channels_are_apart_from_channels_and_patterns()
    {
        TestClient two = Connect();
        TestClient three = Connect(protocol: 3);
        Assert.Equal("*3\r\n$10\r\nssubscribe\r\n$2\r\nch\r\n:1\r\n", two.Raw("SSUBSCRIBE", "ch"));
        Assert.Equal("*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n", two.Raw("SUBSCRIBE", "ch"));
        Assert.Equal(">3\r\n$10\r\nssubscribe\r\n$2\r\nch\r\n:1\r\n", three.Raw("SSUBSCRIBE", "ch"));
        three.Raw("PSUBSCRIBE", "*");
        Assert.Equal(2L, Run("SPUBLISH", "ch", "hi"));
        Assert.Equal("*3\r\n$8\r\nsmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n", two.TakeOutput());
        Assert.Equal(">3\r\n$8\r\nsmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n", three.TakeOutput());
        Assert.Equal(["ch"], Assert.IsType<object?[]>(Run("PUBSUB", "SHARDCHANNELS")));
        Assert.Equal(["ch", 2L, "x", 0L], Assert.IsType<object?[]>(Run("PUBSUB", "SHARDNUMSUB", "ch", "x")));
        Assert.Contains("pubsubshard_channels:1\r\n", (string)Run("INFO", "stats")!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_is_a_subscriber_until_its_last_subscription_of_any_kind_ends()
    {
        Client.Raw("SUBSCRIBE", "a");
        Client.Raw("SSUBSCRIBE", "s");
        Assert.Contains(" sub=1 psub=0 ssub=1 ", (string)Connect().Run("CLIENT", "LIST")!, StringComparison.Ordinal);
        Client.Raw("UNSUBSCRIBE");
        Assert.StartsWith("ERR Can't execute 'get'", Error("GET", "k"), StringComparison.Ordinal);
        Assert.Equal("*3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:0\r\n", Raw("SUNSUBSCRIBE"));
        Assert.Equal("*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n", Raw("SUNSUBSCRIBE"));
        Assert.Null(Run("GET", "k"));
    }

    [Fact]
    public void Reset_ends_subscriptions_of_every_kind()
    {
        foreach (string command in (string[])["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"])
        {
            Client.Raw(command, "a");
        }

        Assert.Equal("+RESET\r\n", Raw("RESET"));
        Assert.All(
            [SubscriptionKind.Channel, SubscriptionKind.Pattern, SubscriptionKind.Shard],
            kind => Assert.Equal(0, Server.PubSub.CountOf(kind)));
        Assert.Null(Client.Session.Subscriptions);
    }

    [Fact]
    public void Inside_a_transaction_channels_may_be_subscribed_but_no_shard_channels()
    {
        Run("MULTI");
        Run("SSUBSCRIBE", "s");
        Run("SUBSCRIBE", "a");
        Assert.Equal(
            "*2\r\n-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
            Raw("EXEC"));
    }

    [Fact]
    public void A_message_that_comes_while_replies_are_skipped_is_sent()
    {
        TestClient client = Connect(protocol: 3);
        client.Raw("SUBSCRIBE", "a");
        client.Raw("CLIENT", "REPLY", "SKIP");
        Assert.Equal(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n", client.Raw("PUBLISH", "a", "m"));
        Assert.Equal("+PONG\r\n", client.Raw("PING"));
    }

    [Fact]
    public void A_client_that_quits_gets_no_more_messages()
    {
        TestClient client = Connect();
        client.Raw("SUBSCRIBE", "a");
        client.Raw("QUIT");
        client.Session.Set(KvServer.Server.Clients.ClientFlags.CloseAfterReplies, on: true);
        Assert.Equal(1L, Run("PUBLISH", "a", "m"));
        Assert.Equal("", client.TakeOutput());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(1000)]
    [InlineData(123_456)]
    public void A_message_of_any_length_is_spelled_like_any_bulk_string(int length)
    {
        TestClient client = Connect(protocol: 3);
        string name = new('c', length);
        string message = new('m', length);
        client.Raw("PSUBSCRIBE", "c*", "*");
        string expected = string.Concat(((string[])["c*", "*"]).Where(pattern => length > 0).Select(pattern =>
            $">4\r\n$8\r\npmessage\r\n${pattern.Length}\r\n{pattern}\r\n${length}\r\n{name}\r\n${length}\r\n{message}\r\n"));
        Run("PUBLISH", name, message);
        Assert.Equal(expected, client.TakeOutput());
    }

    [Fact]
    public void Ten_thousand_hostile_patterns_do_not_hold_the_server_up()
    {
        // Each is tried at every place of the channel's name and fails at the end. Matchers that try every star again
        // would not come back.
        TestClient client = Connect();
        for (int i = 0; i < 10_000; i++)
        {
            client.Raw("PSUBSCRIBE", $"*a*a*a*a*a*a*a*a*a*a*a*a*[^b]*[a-z]*a{i}");
        }

        System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(0L, Run("PUBLISH", new string('a', 300), "m"));
        Assert.True(watch.ElapsedMilliseconds < 10_000, $"{watch.ElapsedMilliseconds} ms");
        Assert.Equal(10_000L, Run("PUBSUB", "NUMPAT"));
    }

    [Fact]
    public void Pubsub_tells_who_listens()
    {
        TestClient one = Connect();
        TestClient two = Connect();
        one.Raw("SUBSCRIBE", "news", "sport");
        two.Raw("SUBSCRIBE", "news");
        two.Raw("PSUBSCRIBE", "n*");
        Assert.Equal(["news"], Assert.IsType<object?[]>(Run("PUBSUB", "CHANNELS", "n*")));
        Assert.Equal(2, Assert.IsType<object?[]>(Run("PUBSUB", "CHANNELS")).Length);
        Assert.Equal(["news", 2L, "none", 0L], Assert.IsType<object?[]>(Run("PUBSUB", "NUMSUB", "news", "none")));
        Assert.Equal(1L, Run("PUBSUB", "NUMPAT"));
        Server.PubSub.Remove(two.Session);
        Assert.Equal(0L, Run("PUBSUB", "NUMPAT"));
        Assert.Equal(["news", 1L], Assert.IsType<object?[]>(Run("PUBSUB", "NUMSUB", "news")));
    }
}
