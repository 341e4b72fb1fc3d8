using System.Net.Sockets;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Running;

/// <summary>One of the two servers, with the connections a script has opened to it.</summary>
public sealed class ScriptSide(ServerProcess server) : IDisposable
{
    private const int ReplyTimeoutMs = 5_000;
    private readonly Dictionary<string, RespClient> _connections = new(StringComparer.Ordinal);
    private string _current = "";

    /// <summary>The process behind it.</summary>
    public ServerProcess Server { get; } = server;

    /// <summary>Changes to a named connection.</summary>
    public void Use(string connection) => _current = connection;

    /// <summary>Closes the current connection; the next use opens a new one.</summary>
    public void CloseCurrent()
    {
        if (_connections.Remove(_current, out RespClient? client))
        {
            client.Dispose();
        }
    }

    /// <summary>Sends the command or nothing, then reads as many replies as the step asks for.</summary>
    public StepOutcome Run(ScriptStep step)
    {
        List<RespValue> replies = [];
        try
        {
            RespClient client = Current();
            if (step.Kind != ScriptStepKind.Read)
            {
                client.Send(step.Arguments);
            }

            while (replies.Count < step.ReplyCount)
            {
                replies.Add(client.ReadReply());
            }

            return new StepOutcome(replies, Failure: null, Closed: false);
        }
        catch (Exception e) when (e is EndOfStreamException or SocketException or InvalidDataException)
        {
            return ToOutcome(replies, e);
        }
    }

    /// <summary>Sends bytes without reading.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Current().SendRaw(bytes);
        }
        catch (SocketException)
        {
            // The server may close before it has read everything; what it answered is read next.
        }
    }

    /// <summary>Reads everything until the server closes or stays silent for so long.</summary>
    /// <returns>What came before and now.</returns>
    public StepOutcome ReadRaw(int quietMs, StepOutcome before)
    {
        if (before.IsBroken)
        {
            return before;
        }

        try
        {
            (byte[] received, bool closed) = Current().ReadUntilQuiet(quietMs);
            return before with { RawBytes = [.. before.RawBytes, .. received], Closed = closed };
        }
        catch (SocketException e)
        {
            return ToOutcome([], e);
        }
    }

    public void Dispose()
    {
        foreach (RespClient client in _connections.Values)
        {
            client.Dispose();
        }

        _connections.Clear();
    }

    private RespClient Current()
    {
        if (!_connections.TryGetValue(_current, out RespClient? client))
        {
            client = new RespClient(Server.Port, ReplyTimeoutMs);
            _connections.Add(_current, client);
        }

        return client;
    }

    private static StepOutcome ToOutcome(List<RespValue> replies, Exception e) => e switch
    {
        EndOfStreamException => new StepOutcome(replies, Failure: null, Closed: true),
        SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown } =>
            new StepOutcome(replies, Failure: null, Closed: true),
        SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock } =>
            new StepOutcome(replies, "no reply in time", Closed: false),
        _ => new StepOutcome(replies, e.Message, Closed: false),
    };
}
