using System.Globalization;
using KvServer.TestSupport;
using StackExchange.Redis;

namespace KvServer.Client.Tests;

/// <summary>The .NET client most people use; the version is chosen in Directory.Packages.props.</summary>
public sealed class StackExchangeRedisTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Connecting_finds_a_writable_server_and_its_databases()
    {
        await using ConnectedClient connected = await ConnectAsync();
        ConnectionMultiplexer client = connected.Multiplexer;
        IServer server = client.GetServer("127.0.0.1", shared.Server.Port);
        Assert.True(client.IsConnected);
        Assert.True(server.IsConnected);
        Assert.False(server.IsSlave);
        Assert.Equal(ServerType.Standalone, server.ServerType);
        Assert.True(server.Version.Major >= 7);
    }

    [Fact]
    public async Task Strings_go_in_and_come_out()
    {
        await using ConnectedClient connected = await ConnectAsync();
        ConnectionMultiplexer client = connected.Multiplexer;
        IDatabase db = client.GetDatabase(1);
        byte[] binary = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        Assert.True(await db.StringSetAsync("se:text", "grüße"));
        Assert.Equal("grüße", (string?)await db.StringGetAsync("se:text"));
        Assert.True(await db.StringSetAsync("se:binary", binary));
        Assert.Equal(binary, (byte[]?)await db.StringGetAsync("se:binary"));
        Assert.True((await db.StringGetAsync("se:missing")).IsNull);
        Assert.False(await db.StringSetAsync("se:text", "other", when: When.NotExists));
        Assert.Equal(5, await db.StringIncrementAsync("se:counter", 5));
        Assert.Equal(4, await db.StringDecrementAsync("se:counter"));
        Assert.Equal(4.5, await db.StringIncrementAsync("se:counter", 0.5));
        Assert.Equal(9, await db.StringAppendAsync("se:text", "!!"));
        Assert.Equal("grüße!!", (string?)await db.StringGetSetAsync("se:text", "x"));
        RedisValue[] values = await db.StringGetAsync(["se:text", "se:missing"]);
        Assert.Equal("x", (string?)values[0]);
        Assert.True(values[1].IsNull);
        Assert.False(await db.StringSetBitAsync("se:bits", 9, true));
        Assert.Equal(1, await db.StringBitCountAsync("se:bits"));
        await Assert.ThrowsAsync<RedisServerException>(() => db.SetAddAsync("se:text", "member"));
    }

    [Fact]
    public async Task Transactions_run_when_their_conditions_hold()
    {
        await using ConnectedClient connected = await ConnectAsync();
        IDatabase db = connected.Multiplexer.GetDatabase();
        await db.KeyDeleteAsync(["se:tx", "se:tx2"]);
        ITransaction transaction = db.CreateTransaction();
        transaction.AddCondition(Condition.KeyNotExists("se:tx"));
        Task<bool> set = transaction.StringSetAsync("se:tx", "1");
        Task<long> increment = transaction.StringIncrementAsync("se:tx");
        Task<long> wrong = transaction.ListLeftPushAsync("se:tx", "x");
        Assert.True(await transaction.ExecuteAsync());
        Assert.True(await set);
        Assert.Equal(2, await increment);
        await Assert.ThrowsAsync<RedisServerException>(() => wrong);

        ITransaction refused = db.CreateTransaction();
        refused.AddCondition(Condition.StringEqual("se:tx", "1"));
        Task<bool> never = refused.StringSetAsync("se:tx2", "1");
        Assert.False(await refused.ExecuteAsync());
        await Assert.ThrowsAsync<TaskCanceledException>(() => never);
        Assert.False(await db.KeyExistsAsync("se:tx2"));
    }

    [Fact]
    public async Task Transactions_of_many_tasks_that_condition_each_other_lose_no_change()
    {
        await using ConnectedClient connected = await ConnectAsync();
        IDatabase db = connected.Multiplexer.GetDatabase();
        await db.StringSetAsync("se:race", 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async task =>
        {
            for (int done = 0; done < 25;)
            {
                RedisValue seen = await db.StringGetAsync("se:race");
                ITransaction transaction = db.CreateTransaction();
                transaction.AddCondition(Condition.StringEqual("se:race", seen));
                _ = transaction.StringSetAsync("se:race", (long)seen + 1);
                done += await transaction.ExecuteAsync() ? 1 : 0;
            }
        }));
        Assert.Equal(200, (long)await db.StringGetAsync("se:race"));
    }

    [Fact]
    public async Task Sets_go_in_and_come_out()
    {
        await using ConnectedClient connected = await ConnectAsync();
        ConnectionMultiplexer client = connected.Multiplexer;
        IDatabase db = client.GetDatabase();
        await db.KeyDeleteAsync(["se:a", "se:b"]);
        Assert.Equal(3, await db.SetAddAsync("se:a", ["1", "2", "three"]));
        Assert.Equal(2, await db.SetAddAsync("se:b", ["2", "4"]));
        Assert.True(await db.SetContainsAsync("se:a", "three"));
        Assert.Equal(3, await db.SetLengthAsync("se:a"));
        Assert.Equal(["2"], Texts(await db.SetCombineAsync(SetOperation.Intersect, "se:a", "se:b")));
        Assert.Equal(["1", "2", "4", "three"], Texts(await db.SetCombineAsync(SetOperation.Union, "se:a", "se:b")));
        Assert.Equal(["1", "three"], Texts(await db.SetCombineAsync(SetOperation.Difference, "se:a", "se:b")));
        Assert.True(await db.SetMoveAsync("se:a", "se:b", "1"));
        Assert.Equal(["1", "2", "4"], Texts(await db.SetMembersAsync("se:b")));
        Assert.Equal(["1", "2", "4"], Texts([.. db.SetScan("se:b", pageSize: 100)]));
        Assert.False((await db.SetPopAsync("se:b")).IsNull);
        Assert.Equal(2, await db.SetLengthAsync("se:b"));

        static string[] Texts(RedisValue[] values) => [.. values.Select(v => (string)v!).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Keys_expire_and_can_be_listed()
    {
        await using ConnectedClient connected = await ConnectAsync();
        ConnectionMultiplexer client = connected.Multiplexer;
        IDatabase db = client.GetDatabase(2);
        Assert.True(await db.StringSetAsync("se:ttl", "x", TimeSpan.FromMinutes(5)));
        TimeSpan? ttl = await db.KeyTimeToLiveAsync("se:ttl");
        Assert.InRange(ttl!.Value, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
        Assert.True(await db.KeyPersistAsync("se:ttl"));
        Assert.Null(await db.KeyTimeToLiveAsync("se:ttl"));
        Assert.True(await db.KeyRenameAsync("se:ttl", "se:renamed"));
        Assert.Equal(RedisType.String, await db.KeyTypeAsync("se:renamed"));
        IServer server = client.GetServer("127.0.0.1", shared.Server.Port);
        Assert.Contains("se:renamed", server.Keys(2, "se:*", pageSize: 1000).Select(key => (string)key!));
        Assert.True(await db.KeyExpireAsync("se:renamed", TimeSpan.FromMilliseconds(1)));
        long startedAt = Environment.TickCount64;
        while (await db.KeyExistsAsync("se:renamed"))
        {
            Assert.True(Environment.TickCount64 - startedAt < 10_000, "the key never expired");
        }
    }

    [Fact]
    public async Task Thousands_of_requests_in_flight_get_their_own_replies()
    {
        await using ConnectedClient connected = await ConnectAsync();
        ConnectionMultiplexer client = connected.Multiplexer;
        IDatabase db = client.GetDatabase(3);
        const int Count = 20_000;
        Task[] writes = [.. Enumerable.Range(0, Count).Select(i => db.StringSetAsync(Key(i), i))];
        await Task.WhenAll(writes).WaitAsync(Patience);
        Task<RedisValue>[] reads = [.. Enumerable.Range(0, Count).Select(i => db.StringGetAsync(Key(i)))];
        RedisValue[] values = await Task.WhenAll(reads).WaitAsync(Patience);
        Assert.All(values.Index(), value => Assert.Equal(value.Index, (int)value.Item));
        await client.GetServer("127.0.0.1", shared.Server.Port).FlushDatabaseAsync(3);

        static string Key(int i) => "se:many:" + i.ToString(CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Messages_reach_subscribers_of_channels()
    {
        await using ConnectedClient connected = await ConnectAsync();
        ConnectionMultiplexer client = connected.Multiplexer;
        ISubscriber subscriber = client.GetSubscriber();
        TaskCompletionSource<string> received = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await subscriber.SubscribeAsync("se:channel", (_, message) => received.TrySetResult(message!));
        Assert.Equal(1, await subscriber.PublishAsync("se:channel", "hello"));
        Assert.Equal("hello", await received.Task.WaitAsync(Patience));
        await subscriber.UnsubscribeAsync("se:channel");
        Assert.Equal(0, await client.GetDatabase().PublishAsync("se:channel", "nobody"));
        Assert.True(await subscriber.PingAsync() > TimeSpan.Zero);
    }

    [Fact]
    public async Task Messages_come_in_the_order_they_were_published()
    {
        const int Count = 5_000;
        await using ConnectedClient connected = await ConnectAsync();
        await using ConnectedClient publishing = await ConnectAsync();
        ISubscriber subscriber = connected.Multiplexer.GetSubscriber();
        connected.Multiplexer.PreserveAsyncOrder = true;
        List<int> received = [];
        TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await subscriber.SubscribeAsync("se:order", (_, message) =>
        {
            received.Add((int)message);
            if (received.Count == Count)
            {
                all.TrySetResult();
            }
        });
        IDatabase db = publishing.Multiplexer.GetDatabase();
        long[] receivers = await Task.WhenAll(Enumerable.Range(0, Count).Select(i => db.PublishAsync("se:order", i)));
        await all.Task.WaitAsync(Patience);
        Assert.All(receivers, count => Assert.Equal(1, count));
        Assert.Equal(Enumerable.Range(0, Count), received);
        await subscriber.UnsubscribeAllAsync();
    }

    [Fact]
    public async Task Patterns_and_channels_reach_their_own_handlers()
    {
        await using ConnectedClient connected = await ConnectAsync();
        ISubscriber subscriber = connected.Multiplexer.GetSubscriber();
        TaskCompletionSource<string> byPattern = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<string> byChannel = new(TaskCreationOptions.RunContinuationsAsynchronously);
        RedisChannel pattern = new("se:p?ttern:*", RedisChannel.PatternMode.Pattern);
        await subscriber.SubscribeAsync(pattern, (channel, message) => byPattern.TrySetResult($"{channel} {message}"));
        await subscriber.SubscribeAsync("se:pattern:1", (channel, message) => byChannel.TrySetResult($"{channel} {message}"));
        Assert.Equal(2, await connected.Multiplexer.GetDatabase().PublishAsync("se:pattern:1", "hello"));
        Assert.Equal("se:pattern:1 hello", await byPattern.Task.WaitAsync(Patience));
        Assert.Equal("se:pattern:1 hello", await byChannel.Task.WaitAsync(Patience));
        IServer server = connected.Multiplexer.GetServer("127.0.0.1", shared.Server.Port);
        Assert.Contains("se:pattern:1", (await server.SubscriptionChannelsAsync("se:pattern:*")).Select(name => (string)name!));
        Assert.Equal(1, await server.SubscriptionSubscriberCountAsync("se:pattern:1"));
        Assert.True(await server.SubscriptionPatternCountAsync() >= 1);
        await subscriber.UnsubscribeAllAsync();
        Assert.Equal(0, await connected.Multiplexer.GetDatabase().PublishAsync("se:pattern:1", "nobody"));
    }

    [Fact]
    public async Task A_subscriber_that_is_killed_comes_back_with_its_subscriptions()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        await using ConnectedClient connected = await ConnectAsync(server.Port);
        using RespClient other = server.Connect();
        ISubscriber subscriber = connected.Multiplexer.GetSubscriber();
        TaskCompletionSource<string> received = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await subscriber.SubscribeAsync("se:killed", (_, message) => received.TrySetResult(message!));
        Assert.True(other.Execute("CLIENT", "KILL", "TYPE", "pubsub").AsString == "1");
        long startedAt = Environment.TickCount64;
        while (other.Execute("PUBLISH", "se:killed", "again").AsString == "0")
        {
            Assert.True(Environment.TickCount64 - startedAt < Patience.TotalMilliseconds, "it did not subscribe again");
        }

        Assert.Equal("again", await received.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Transactions_check_conditions_of_every_type()
    {
        await using ConnectedClient connected = await ConnectAsync();
        IDatabase db = connected.Multiplexer.GetDatabase(4);
        await db.KeyDeleteAsync(["se:h", "se:l", "se:out"]);
        await db.HashSetAsync("se:h", "field", "1");
        await db.ListRightPushAsync("se:l", ["a", "b"]);
        Condition[] holding =
        [
            Condition.KeyExists("se:h"), Condition.HashEqual("se:h", "field", "1"), Condition.HashNotExists("se:h", "other"),
            Condition.ListIndexEqual("se:l", 1, "b"), Condition.ListIndexNotExists("se:l", 2), Condition.StringNotEqual("se:out", "x"),
        ];
        ITransaction all = db.CreateTransaction();
        ConditionResult[] results = [.. holding.Select(all.AddCondition)];
        Task<long> published = all.PublishAsync("se:nobody", "m");
        Task<bool> set = all.StringSetAsync("se:out", "done");
        Assert.True(await all.ExecuteAsync());
        Assert.All(results, result => Assert.True(result.WasSatisfied));
        Assert.True(await set);
        Assert.Equal(0, await published);

        ITransaction one = db.CreateTransaction();
        ConditionResult holds = one.AddCondition(Condition.ListIndexExists("se:l", 0));
        ConditionResult fails = one.AddCondition(Condition.HashExists("se:h", "missing"));
        _ = one.KeyDeleteAsync("se:out");
        Assert.False(await one.ExecuteAsync());
        Assert.True(holds.WasSatisfied);
        Assert.False(fails.WasSatisfied);
        Assert.Equal("done", (string?)await db.StringGetAsync("se:out"));
    }

    [Fact]
    public async Task A_client_comes_back_after_the_server_was_restarted()
    {
        int port = FreePort.Next();
        ServerOptions options = ServerOptions.ForTests().With("port", port.ToString(CultureInfo.InvariantCulture));
        ServerProcess first = await ServerProcess.StartAsync(options);
        await using ConnectedClient connected = await ConnectAsync(port);
        ConnectionMultiplexer client = connected.Multiplexer;
        TaskCompletionSource restored = new(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ConnectionRestored += (_, e) =>
        {
            if (e.ConnectionType == ConnectionType.Interactive)
            {
                restored.TrySetResult();
            }
        };
        Assert.True(await client.GetDatabase().StringSetAsync("k", "before"));
        await first.DisposeAsync();

        await using ServerProcess second = await ServerProcess.StartAsync(options);
        await restored.Task.WaitAsync(Patience);
        Assert.True(await SetWhenUsableAsync(client.GetDatabase(), "k", "after"));
        Assert.Equal("after", (string?)await client.GetDatabase().StringGetAsync("k"));
    }

    /// <summary>The client tells of a restored connection a moment before it hands it out.</summary>
    private static async Task<bool> SetWhenUsableAsync(IDatabase db, string key, string value)
    {
        long startedAt = Environment.TickCount64;
        while (true)
        {
            try
            {
                return await db.StringSetAsync(key, value);
            }
            catch (RedisConnectionException) when (Environment.TickCount64 - startedAt < Patience.TotalMilliseconds)
            {
                await Task.Delay(20);
            }
        }
    }

    private Task<ConnectedClient> ConnectAsync() => ConnectAsync(shared.Server.Port);

    private static async Task<ConnectedClient> ConnectAsync(int port)
    {
        ConfigurationOptions options = new()
        {
            EndPoints = { { "127.0.0.1", port } },
            AbortOnConnectFail = true,
            AllowAdmin = true,
            ConnectTimeout = 15_000,
            SyncTimeout = 15_000,
            ResponseTimeout = 15_000,
            ClientName = "client-tests",
        };
        return new ConnectedClient(await ConnectionMultiplexer.ConnectAsync(options));
    }
}
