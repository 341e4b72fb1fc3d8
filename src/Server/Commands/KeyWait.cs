using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>A client in a command that waits for keys: BLPOP and its kin.</summary>
/// <remarks>The call stays in the client's batch, whose arguments stay where they are, and is run again when one of
/// its keys may have what it wants. Command loop only.</remarks>
internal sealed class KeyWait(
    ServerState server, Client client, RequestBatch batch, int requestIndex, Command command, Database database,
    byte[][] keys) : IClientWait
{
    /// <summary>Who waits.</summary>
    public Client Client { get; } = client;

    /// <summary>Where the call is.</summary>
    public RequestBatch Batch { get; } = batch;

    /// <summary>Which request of <see cref="Batch"/> it is.</summary>
    public int RequestIndex { get; } = requestIndex;

    /// <summary>What is called.</summary>
    public Command Command { get; } = command;

    /// <summary>Where its keys are.</summary>
    public Database Database { get; } = database;

    /// <summary>The keys, each once.</summary>
    public byte[][] Keys { get; } = keys;

    /// <summary>What the call wants to know when it is run again.</summary>
    public object? State { get; init; }

    /// <summary>Whether it is run again also when one of its keys is gone.</summary>
    public bool WakesWhenGone { get; init; }

    /// <summary>How long the call took before it began to wait, in nanoseconds.</summary>
    public long ElapsedNanos { get; set; }

    /// <summary>Its places in the queues of <see cref="Keys"/>, in the same order.</summary>
    internal List<LinkedListNode<KeyWait>> Places { get; } = new(keys.Length);

    /// <inheritdoc/>
    public bool TryEnd(bool withError)
    {
        if (withError)
        {
            server.Unblock(Client, Command);
        }
        else
        {
            Client.Reply.NullArray();
        }

        server.KeyWaits.Remove(this);
        server.Blocked.Release(Client);
        return true;
    }
}
