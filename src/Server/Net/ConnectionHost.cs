using KvServer.Resp;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Net;

/// <summary>What a <see cref="Connection"/> needs from the transport that carries it.</summary>
internal abstract class ConnectionHost(NetServices services)
{
    /// <summary>What all transports of the server share.</summary>
    internal NetServices Services { get; } = services;

    /// <summary>The door to the keyspace.</summary>
    internal CommandLoop CommandLoop => Services.CommandLoop;

    /// <summary>Live configuration.</summary>
    internal ServerConfig Config => Services.Config;

    /// <summary>Where the network layer logs.</summary>
    internal ILogger Logger => Services.Logger;

    /// <summary>An empty batch, to be given back with <see cref="ReturnBatch"/>. On the connection's own thread.</summary>
    internal abstract RequestBatch RentBatch();

    /// <summary>Takes a cleared batch back. On the connection's own thread.</summary>
    internal abstract void ReturnBatch(RequestBatch batch);

    /// <summary>Notes that bytes came in. On the connection's own thread.</summary>
    internal abstract void CountReceived(Connection connection, long bytes);

    /// <summary>Hands a connection's batch to the command loop.</summary>
    /// <returns>Completes on the connection's own thread, when the batch has run to its end or the connection is
    /// closed.</returns>
    internal abstract ValueTask RunAsync(Connection connection);

    /// <summary>Whether the peer is known to send nothing more. Inside the command loop.</summary>
    internal abstract bool HasPeerEnded(Connection connection);

    /// <summary>Replies were committed to the output pipe and wait to be sent. Inside the command loop.</summary>
    internal abstract void OutputCommitted(Connection connection);

    /// <summary>Takes bytes to be sent before anything that is committed afterwards. Inside the command loop, while the
    /// connection has no output that is not sent yet.</summary>
    /// <returns>False when this transport sends nothing but what is in the output pipe.</returns>
    internal virtual bool TryShare(Connection connection, byte[] bytes) => false;

    /// <summary>A suspended batch can go on. Inside the command loop.</summary>
    internal abstract void Resume(Connection connection);

    /// <summary>The session is over; what is left is to send what <see cref="Connection.DropsOutput"/> allows and to
    /// close. Inside the command loop.</summary>
    internal abstract void Close(Connection connection);

    /// <summary>Logs a client that talks HTTP.</summary>
    internal void ReportAttack() => Services.ReportAttack();
}
