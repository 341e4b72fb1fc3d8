using KvServer.Server.Clients;
using KvServer.Server.Config;

namespace KvServer.Server.Tests.Commands;

/// <summary>maxmemory-clients, without sockets: what waits for a client is set by hand.</summary>
public class ClientEvictionTests : CommandHarness
{
    private const long Limit = 1_000_000;

    [Fact]
    public void The_largest_go_first_until_the_rest_fits()
    {
        SetLimit(Limit);
        TestClient[] clients = [Holding(100_000), Holding(500_000), Holding(300_000), Holding(400_000)];
        Server.ClientEviction.Enforce();
        Assert.Equal([null, "evicted", null, null], clients.Select(client => client.ClosedBecause));
        Assert.Equal(1, Server.Statistics.EvictedClients);
        Assert.InRange(Server.ClientEviction.AccountedBytes, 800_000, Limit);
        Assert.Contains("evicted_clients:1\r\n", (string)Run("INFO", "stats")!, StringComparison.Ordinal);

        clients[0].PendingInputBytes = 900_000;
        Server.ClientEviction.Account(clients[0].Session);
        Server.ClientEviction.Enforce();
        Assert.Equal(["evicted", "evicted", null, null], clients.Select(client => client.ClosedBecause));
        Run("CONFIG", "RESETSTAT");
        Assert.Equal(0, Server.Statistics.EvictedClients);
    }

    [Fact]
    public void Clients_with_no_evict_count_and_stay()
    {
        SetLimit(Limit);
        TestClient spared = Holding(2_000_000);
        Assert.Equal("OK", spared.Run("CLIENT", "NO-EVICT", "ON"));
        TestClient other = Holding(100);
        Server.ClientEviction.Enforce();
        Assert.Null(spared.ClosedBecause);
        Assert.Equal("evicted", other.ClosedBecause);
        Assert.Equal("OK", spared.Run("CLIENT", "NO-EVICT", "OFF"));
        Server.ClientEviction.Account(spared.Session);
        Server.ClientEviction.Enforce();
        Assert.Equal("evicted", spared.ClosedBecause);
    }

    [Fact]
    public void What_has_been_sent_by_the_next_entry_is_forgiven()
    {
        SetLimit(Limit);
        TestClient client = Holding(2_000_000);
        client.PendingInputBytes = 0;
        Server.ClientEviction.Enforce();
        Assert.Null(client.ClosedBecause);
        Assert.InRange(Server.ClientEviction.AccountedBytes, 2 * ClientMemory.IdleBytes, Limit);
    }

    [Fact]
    public void A_client_that_disconnects_leaves_the_sum()
    {
        SetLimit(Limit);
        TestClient client = Holding(900_000);
        long before = Server.ClientEviction.AccountedBytes;
        Executor.Disconnected(client.Session);
        Assert.InRange(before - Server.ClientEviction.AccountedBytes, 900_000, 910_000);
    }

    [Fact]
    public void A_share_is_one_of_maxmemory_and_there_is_a_least_limit()
    {
        Server.Config.MaxMemoryClients = new MemoryAmount(50, IsPercent: true);
        TestClient client = Holding(600_000);
        Server.ClientEviction.Enforce();
        Assert.Null(client.ClosedBecause); // Half of no limit is none.
        Server.Config.MaxMemory = new MemoryAmount(2_000_000, IsPercent: false);
        Server.ClientEviction.AccountAll();
        Server.ClientEviction.Enforce();
        Assert.Null(client.ClosedBecause);
        Server.Config.MaxMemory = new MemoryAmount(1_000_000, IsPercent: false);
        Server.ClientEviction.AccountAll();
        Server.ClientEviction.Enforce();
        Assert.Equal("evicted", client.ClosedBecause);

        SetLimit(1);
        TestClient small = Holding(100_000);
        Server.ClientEviction.Enforce();
        Assert.Null(small.ClosedBecause); // 128 KB are allowed whatever the option says.
        small.PendingInputBytes = 130_000;
        Server.ClientEviction.Account(small.Session);
        Server.ClientEviction.Enforce();
        Assert.Equal("evicted", small.ClosedBecause);
    }

    [Fact]
    public void Without_a_limit_nothing_is_counted()
    {
        TestClient client = Holding(long.MaxValue / 4);
        Assert.Equal(0, Server.ClientEviction.AccountedBytes);
        Server.ClientEviction.Enforce();
        Assert.Null(client.ClosedBecause);
    }

    [Fact]
    public void Queued_commands_and_subscriptions_weigh()
    {
        long idle = ClientMemory.Of(Client.Session);
        TestClient queuing = Connect();
        queuing.Run("MULTI");
        queuing.Run("SET", "k", new string('x', 10_000));
        Assert.InRange(ClientMemory.Of(queuing.Session) - idle, 10_000, 10_500);
        TestClient subscriber = Connect();
        subscriber.Raw("SUBSCRIBE", "a", "b", "c");
        Assert.True(ClientMemory.Of(subscriber.Session) > idle + 100);
    }

    private void SetLimit(long bytes) => Server.Config.MaxMemoryClients = new MemoryAmount(bytes, IsPercent: false);

    private TestClient Holding(long bytes)
    {
        TestClient client = Connect();
        client.PendingInputBytes = bytes;
        Server.ClientEviction.Account(client.Session);
        return client;
    }
}
