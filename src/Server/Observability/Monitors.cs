using System.Buffers.Text;
using System.Globalization;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <summary>The clients in MONITOR, which see every command that runs.</summary>
/// <remarks>A line is spelled once, piece by piece, and each piece goes to every monitor, so a large argument takes no
/// memory of its own and a monitor that does not read meets its output limit in the middle of a line. Command loop
/// only.</remarks>
internal sealed class Monitors(ServerState server)
{
    private const int PieceBytes = 4096;
    private const int MaxEscapedBytes = 4;

    private readonly List<Client> _clients = [];
    private readonly byte[] _piece = new byte[PieceBytes];
    private int _length;

    /// <summary>Clients that see the commands.</summary>
    public int Count => _clients.Count;

    /// <summary>Shows a client every command from now on.</summary>
    public void Add(Client client)
    {
        _clients.Add(client);
        client.Set(ClientFlags.Monitor, on: true);
    }

    /// <summary>Shows a client no more commands. O(monitors); does nothing for a client that sees none.</summary>
    public void Remove(Client client)
    {
        if (client.Is(ClientFlags.Monitor))
        {
            _clients.Remove(client);
            client.Set(ClientFlags.Monitor, on: false);
        }
    }

    /// <summary>Shows a call that has run. O(bytes of its arguments * monitors).</summary>
    /// <remarks>Call only while <see cref="Count"/> is not 0. After the call, so that a password it took is hidden and the
    /// commands of a transaction come before their EXEC. Those for operators are not shown. Monitors that there is no
    /// memory for are disconnected: half a line must not be followed by another one.</remarks>
    public void Show(Client client, Command command, Arguments args)
    {
        if ((command.Flags & (CommandFlags.Admin | CommandFlags.SkipMonitor)) != 0)
        {
            return;
        }

        try
        {
            ShowLine(client, command, args);
        }
        catch (OutOfMemoryException)
        {
            _length = 0;
            foreach (Client monitor in _clients)
            {
                Drop(monitor);
            }
        }
    }

    private void ShowLine(Client client, Command command, Arguments args)
    {
        long micros = (server.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        Append(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"+{micros / 1_000_000}.{micros % 1_000_000:D6} [{client.Database.Index} {OriginOf(client)}]")));
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        for (int i = 0; i < args.Count; i++)
        {
            Append(" \""u8);
            AppendEscaped(ShownArgument.Read(server.Keyspace, client.Database, command, args, i, scratch));
            Append("\""u8);
        }

        Append("\r\n"u8);
        Flush();
    }

    private string OriginOf(Client client) => client.Is(ClientFlags.UnixSocket)
        ? "unix:" + server.Config.UnixSocket
        : client.Address;

    private void AppendEscaped(ReadOnlySpan<byte> argument)
    {
        foreach (byte b in argument)
        {
            Span<byte> room = Room(MaxEscapedBytes);
            byte letter = b switch
            {
                (byte)'\\' or (byte)'"' => b,
                (byte)'\n' => (byte)'n',
                (byte)'\r' => (byte)'r',
                (byte)'\t' => (byte)'t',
                (byte)'\a' => (byte)'a',
                (byte)'\b' => (byte)'b',
                _ => 0,
            };
            if (letter != 0)
            {
                room[0] = (byte)'\\';
                room[1] = letter;
                _length += 2;
            }
            else if (b is >= (byte)' ' and <= (byte)'~')
            {
                room[0] = b;
                _length++;
            }
            else
            {
                room[0] = (byte)'\\';
                room[1] = (byte)'x';
                _ = Utf8Formatter.TryFormat(b, room[2..], out _, new System.Buffers.StandardFormat('x', 2));
                _length += MaxEscapedBytes;
            }
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    private Span<byte> Room(int bytes)
    {
        if (_length + bytes > PieceBytes)
        {
            Flush();
        }

        return _piece.AsSpan(_length);
    }

    // As replies, not as pushes: CLIENT REPLY OFF silences them.
    private void Flush()
    {
        ReadOnlySpan<byte> piece = _piece.AsSpan(0, _length);
        foreach (Client monitor in _clients)
        {
            if (!monitor.Is(ClientFlags.Closing))
            {
                SendTo(monitor, piece);
            }
        }

        _length = 0;
    }

    private static void SendTo(Client monitor, ReadOnlySpan<byte> piece)
    {
        try
        {
            monitor.Reply.Raw(piece);
            monitor.Connection.MarkOutputPending();
        }
        catch (OutOfMemoryException)
        {
            Drop(monitor);
        }
    }

    private static void Drop(Client monitor)
    {
        monitor.CloseNow("no memory to show it a command");
    }
}
