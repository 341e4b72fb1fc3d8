using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Clients;

/// <summary><c>maxmemory-clients</c>: closes the clients that take most memory while all of them together take too much.</summary>
/// <remarks>
/// <para>The sum is kept by differences: each connection that an entry of the loop has touched is counted anew at its end, and
/// every connection once a second. When the sum reaches the limit, the next entry begins by counting all clients and closing
/// the largest, before their requests run. By then the sockets have taken what they could of the replies, so nobody is
/// closed for a large reply that was on its way.</para>
/// <para>Clients with NO-EVICT ON count and stay. Without a limit nothing is counted. Command loop only.</para>
/// </remarks>
internal sealed partial class ClientEviction(ServerState server)
{
    // With less nobody could talk to the server.
    private const long MinLimitBytes = 128 * 1024;

    private bool _isOver;

    /// <summary>What was counted for all clients, in bytes.</summary>
    public long AccountedBytes { get; private set; }

    private bool IsOn => server.Config.MaxMemoryClients.Amount > 0;

    // A share of no maxmemory is no limit.
    private long LimitBytes =>
        server.Config.MaxMemoryClients.ToBytes(server.Config.MaxMemoryBytes) is > 0 and long bytes
            ? Math.Max(bytes, MinLimitBytes)
            : long.MaxValue;

    /// <summary>Counts a client anew. O(1); nothing without a limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Account(Client client)
    {
        if (IsOn)
        {
            Count(client);
            _isOver |= AccountedBytes >= LimitBytes;
        }
    }

    /// <summary>Counts all clients anew. O(clients).</summary>
    public void AccountAll()
    {
        foreach (Client client in server.Clients.All)
        {
            Account(client);
        }
    }

    /// <summary>Takes a client that disconnects out of the sum.</summary>
    public void Forget(Client client)
    {
        AccountedBytes -= client.AccountedBytes;
        client.AccountedBytes = 0;
    }

    /// <summary>Closes the largest clients if the limit has been reached. O(1) if not, else O(clients log clients).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enforce()
    {
        if (_isOver)
        {
            EvictLargest();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EvictLargest()
    {
        AccountAll();
        _isOver = false;
        long limitBytes = LimitBytes;
        if (AccountedBytes < limitBytes)
        {
            return;
        }

        IEnumerable<Client> largestFirst = server.Clients.All
            .Where(client => !client.Is(ClientFlags.NoEvict | ClientFlags.Closing))
            .OrderByDescending(client => client.AccountedBytes);
        foreach (Client client in largestFirst.ToArray())
        {
            if (AccountedBytes < limitBytes)
            {
                return;
            }

            Evict(client);
        }
    }

    private void Evict(Client client)
    {
        if (server.Log.IsEnabled(LogLevel.Information))
        {
            StringBuilder line = new();
            ClientDescription.Append(line, client, server.Keyspace.NowMs);
            string text = line.ToString();
            Log.Evicting(server.Log, text);
        }

        server.Statistics.EvictedClients++;
        client.CloseNow("evicted");
        Forget(client);
    }

    private void Count(Client client)
    {
        long bytes = client.Is(ClientFlags.Closing) ? 0 : ClientMemory.Of(client);
        AccountedBytes += bytes - client.AccountedBytes;
        client.AccountedBytes = bytes;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2051, Level = LogLevel.Information, Message = "Evicting client: {Client}")]
        public static partial void Evicting(ILogger logger, string client);
    }
}
