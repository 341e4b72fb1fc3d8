using KvServer.Server.Clients;
using KvServer.Server.Commands;

namespace KvServer.Server.Persistence.Aof;

/// <summary>A client in WAITAOF.</summary>
/// <param name="server">The server.</param>
/// <param name="client">Who waits.</param>
/// <param name="command">In which command.</param>
/// <param name="end">The place in the log that has to be on disk.</param>
/// <param name="isEndable">Whether reaching it ends the wait: it does not while replicas are waited for, too.</param>
internal sealed class AofWait(ServerState server, Client client, Command command, long end, bool isEndable) : IClientWait
{
    /// <summary>Who waits.</summary>
    public Client Client { get; } = client;

    /// <summary>Ends the wait if its place is on disk.</summary>
    public bool TryEndAt(long durableEnd) => isEndable && durableEnd >= end && TryEnd(withError: false);

    /// <inheritdoc/>
    public bool TryEnd(bool withError)
    {
        if (withError)
        {
            server.Unblock(Client, command);
        }
        else
        {
            Reply(Client, server.Aof.DurableEnd >= end && server.Aof.State == AofState.On);
        }

        server.Aof.EndWait(this);
        return true;
    }

    /// <summary>Replies as WAITAOF does: whether the log is on disk here, and on how many replicas.</summary>
    public static void Reply(Client client, bool isLocal)
    {
        client.Reply.Array(2);
        client.Reply.Integer(isLocal ? 1 : 0);
        client.Reply.Integer(0);
    }
}
