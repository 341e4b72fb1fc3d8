using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KvServer.Server.Tests.Net;

/// <summary>A client that sends and expects bytes, exactly.</summary>
internal sealed class RawClient : IDisposable
{
    private const int TimeoutMs = 20_000;

    private RawClient(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    public static RawClient Connect(EndPoint endPoint, int receiveBufferBytes = 0)
    {
        Socket socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.SendTimeout = TimeoutMs;
        socket.ReceiveTimeout = TimeoutMs;
        if (receiveBufferBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBufferBytes;
        }

        socket.Connect(endPoint);
        return new RawClient(socket);
    }

    public static string Request(params string[] arguments)
    {
        StringBuilder text = new();
        text.Append('*').Append(arguments.Length).Append("\r\n");
        foreach (string argument in arguments)
        {
            text.Append('$').Append(Encoding.Latin1.GetByteCount(argument)).Append("\r\n").Append(argument).Append("\r\n");
        }

        return text.ToString();
    }

    public void Send(string text) => Send(Encoding.Latin1.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    /// <summary>Receives as many bytes as are expected and compares.</summary>
    public void Expect(string text) => Assert.Equal(text, Receive(text.Length));

    public string Receive(int count)
    {
        byte[] bytes = new byte[count];
        int received = 0;
        while (received < count)
        {
            int more = Socket.Receive(bytes.AsSpan(received));
            if (more == 0)
            {
                break;
            }

            received += more;
        }

        return Encoding.Latin1.GetString(bytes, 0, received);
    }

    /// <summary>Receives until the server closes; a reset counts as the end too.</summary>
    public string ReceiveToEnd()
    {
        StringBuilder text = new();
        byte[] bytes = new byte[64 * 1024];
        try
        {
            while (Socket.Receive(bytes) is > 0 and int count)
            {
                text.Append(Encoding.Latin1.GetString(bytes, 0, count));
            }
        }
        catch (SocketException fault) when (fault.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed with bytes of ours unread.
        }

        return text.ToString();
    }

    public string Call(params string[] arguments)
    {
        Send(Request(arguments));
        return ReadLine();
    }

    public string ReadLine()
    {
        StringBuilder line = new();
        Span<byte> one = stackalloc byte[1];
        while (Socket.Receive(one) == 1)
        {
            line.Append((char)one[0]);
            if (one[0] == '\n')
            {
                return line.ToString(0, line.Length - 2);
            }
        }

        return line.ToString();
    }

    /// <summary>Closes with a reset instead of an orderly end.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Close();
    }

    public void Dispose() => Socket.Dispose();
}
