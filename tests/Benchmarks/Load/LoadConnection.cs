using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KvServer.Benchmarks.Load;

/// <summary>One connection with one request on its way. One thread at a time; allocates nothing between replies.</summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly IRequestSource _source;
    private readonly byte[] _reply = new byte[1024];
    private int _received;

    /// <summary>Connects to a loopback port.</summary>
    /// <param name="port">The port.</param>
    /// <param name="source">Its requests.</param>
    /// <param name="password">Sent with AUTH first, unless null.</param>
    /// <exception cref="InvalidOperationException">The password was refused.</exception>
    public LoadConnection(int port, IRequestSource source, string? password = null)
    {
        _source = source;
        Socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.Connect(IPAddress.Loopback, port);
        if (password is not null)
        {
            Socket.Send(Encoding.ASCII.GetBytes($"AUTH {password}\r\n"));
            if (!_reply.AsSpan(0, Socket.Receive(_reply)).SequenceEqual("+OK\r\n"u8))
            {
                throw new InvalidOperationException("The server refused the password.");
            }
        }
    }

    /// <summary>To wait for replies on.</summary>
    public Socket Socket { get; }

    /// <summary>What its requests are called.</summary>
    public string Name => _source.Name;

    /// <summary>When the last request was sent, by the stopwatch's clock.</summary>
    public long SentAt { get; private set; }

    /// <summary>Sends the next request.</summary>
    public void Send()
    {
        _received = 0;
        SentAt = Stopwatch.GetTimestamp();
        ReadOnlySpan<byte> request = _source.Next();
        while (request.Length > 0)
        {
            request = request[Socket.Send(request)..];
        }
    }

    /// <summary>Receives once.</summary>
    /// <returns>Nanoseconds from the sending to now, or -1 when the reply is not complete yet.</returns>
    /// <exception cref="InvalidOperationException">An error reply, one that is too long, or the end of the connection.</exception>
    public long Receive()
    {
        int bytes = Socket.Receive(_reply.AsSpan(_received));
        _received += bytes;
        if (bytes == 0 || _reply[0] == '-')
        {
            throw new InvalidOperationException($"The server closed the connection or refused a request of {Name}.");
        }

        int expected = _source.ReplyBytes;
        bool isComplete = expected > 0 ? _received == expected : IsComplete(_reply.AsSpan(0, _received));
        return isComplete ? Stopwatch.GetElapsedTime(SentAt).Ticks * 100 : -1;
    }

    public void Dispose() => Socket.Dispose();

    private static bool IsComplete(ReadOnlySpan<byte> reply)
    {
        int lineEnd = reply.IndexOf("\r\n"u8);
        if (lineEnd < 0 || reply[0] != '$')
        {
            return lineEnd >= 0;
        }

        return Utf8Parser.TryParse(reply[1..lineEnd], out int length, out _)
            && reply.Length >= lineEnd + 2 + (length < 0 ? 0 : length + 2);
    }
}
