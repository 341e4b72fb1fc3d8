using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KvServer.TestSupport;

/// <summary>Somebody who may not log in and wants the server's memory or time. One thread at a time.</summary>
public sealed class Attacker : IDisposable
{
    // The beginning of a greeting that never goes on: a record of 512 bytes is announced.
    private static readonly byte[] HalfHello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

    private static readonly string[] HugeRequests =
    [
        "*2147483647\r\n", "*3\r\n$3\r\nSET\r\n$536870912\r\n", "*1\r\n$-5\r\n", new string('x', 70_000),
        "*1\r\n$99999999999999999999\r\n",
    ];

    private readonly int _port;
    private readonly int _most;
    private readonly Func<Attacker, bool> _turn;
    private readonly byte[] _drained = new byte[64 * 1024];
    private readonly byte[] _pings = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("PING\r\n", 1000)));
    private readonly List<Socket> _open = [];

    /// <summary>Makes one that has done nothing yet.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="port">The port for plain text.</param>
    /// <param name="tlsPort">The port for TLS.</param>
    /// <param name="most">Connections it keeps open at most.</param>
    public Attacker(string kind, int port, int tlsPort, int most)
    {
        _most = most;
        _port = kind == HalfHandshakes ? tlsPort : port;
        _turn = kind switch
        {
            "huge lengths" => static attacker => attacker.SendHugeLengths(),
            "slow bytes" => static attacker => attacker.Trickle(),
            "requests without reading" => static attacker => attacker.Flood(),
            "connect and close" => static attacker => attacker.Knock(),
            "connections" => static attacker => attacker.Hold([]),
            HalfHandshakes => static attacker => attacker.Hold(HalfHello),
            _ => static _ => false,
        };
    }

    /// <summary>What there is, for nothing at all too.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
    [
        "nothing", "huge lengths", "slow bytes", "requests without reading", "connect and close", "connections", HalfHandshakes,
    ];

    private const string HalfHandshakes = "half TLS handshakes";

    /// <summary>Connections opened.</summary>
    public long Tried { get; private set; }

    /// <summary>Connections that the server closed.</summary>
    public long Closed { get; private set; }

    /// <summary>Goes on with it.</summary>
    /// <returns>Whether there was something to do at once; otherwise it should be left alone for a moment.</returns>
    public bool Turn() => _turn(this);

    public void Dispose() => _open.ForEach(socket => socket.Dispose());

    private bool SendHugeLengths()
    {
        if (TryOpen() is not { } socket)
        {
            return false;
        }

        using (socket)
        {
            TrySend(socket, Encoding.ASCII.GetBytes(HugeRequests[Tried % HugeRequests.Length]));
            while (socket.Poll(1_000_000, SelectMode.SelectRead) && Receive(socket) > 0)
            {
            }

            Closed++;
        }

        return true;
    }

    // As much of a request as somebody without a password may send, byte by byte.
    private bool Trickle()
    {
        if (_open.Count < _most && TryOpen() is { } socket)
        {
            TrySend(socket, "*10\r\n$16384\r\n"u8);
            _open.Add(socket);
            return true;
        }

        SendToAll("x"u8);
        return false;
    }

    private bool Flood()
    {
        if (_open.Count < _most && TryOpen() is { } socket)
        {
            _open.Add(socket);
        }

        SendToAll(_pings);
        return true;
    }

    private bool Knock()
    {
        using Socket? socket = TryOpen();
        return socket is not null;
    }

    private bool Hold(byte[] first)
    {
        if (_open.Count < _most && TryOpen() is { } socket)
        {
            TrySend(socket, first);
            _open.Add(socket);
            return true;
        }

        CountClosed();
        return false;
    }

    private Socket? TryOpen()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(IPAddress.Loopback, _port);
            socket.Blocking = false;
            Tried++;
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private void SendToAll(ReadOnlySpan<byte> bytes)
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            if (!TrySend(_open[i], bytes))
            {
                Remove(i);
            }
        }
    }

    private void CountClosed()
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            if (_open[i].Poll(0, SelectMode.SelectRead) && Receive(_open[i]) <= 0)
            {
                Remove(i);
            }
        }
    }

    private void Remove(int index)
    {
        _open[index].Dispose();
        _open[index] = _open[^1];
        _open.RemoveAt(_open.Count - 1);
        Closed++;
    }

    // False when the connection is gone; bytes that don't fit are dropped.
    private static bool TrySend(Socket socket, ReadOnlySpan<byte> bytes)
    {
        socket.Send(bytes, SocketFlags.None, out SocketError error);
        return error is SocketError.Success or SocketError.WouldBlock;
    }

    private int Receive(Socket socket)
    {
        int received = socket.Receive(_drained, SocketFlags.None, out SocketError error);
        return error == SocketError.Success ? received : error == SocketError.WouldBlock ? 1 : -1;
    }
}
