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
        Assert.Equal(1, Server.PubSub.SubscriberCount("a"u8));
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
        Assert.Equal(0, Server.PubSub.ChannelCount);
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
