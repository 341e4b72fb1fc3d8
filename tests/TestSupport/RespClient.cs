using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KvServer.TestSupport;

/// <summary>A small blocking client that shows replies exactly as they arrive. One thread at a time.</summary>
/// <remarks>It shares no code with the server's parser, so that a mistake there cannot hide itself.</remarks>
public sealed class RespClient : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer;
    private int _start;
    private int _end;

    /// <summary>Connects to a loopback port.</summary>
    public RespClient(int port, int receiveTimeoutMs = 20_000, int bufferBytes = 64 * 1024)
        : this(new IPEndPoint(IPAddress.Loopback, port), receiveTimeoutMs, bufferBytes)
    {
    }

    /// <summary>Connects to an endpoint; a <see cref="UnixDomainSocketEndPoint"/> works too.</summary>
    public RespClient(EndPoint endPoint, int receiveTimeoutMs = 20_000, int bufferBytes = 64 * 1024)
    {
        _buffer = new byte[bufferBytes];
        bool isUnix = endPoint is UnixDomainSocketEndPoint;
        _socket = new Socket(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.IP : ProtocolType.Tcp)
        {
            ReceiveTimeout = receiveTimeoutMs,
            SendTimeout = receiveTimeoutMs,
        };
        if (!isUnix)
        {
            _socket.NoDelay = true;
        }

        try
        {
            _socket.Connect(endPoint);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The local port of the connection, as CLIENT LIST shows it.</summary>
    public int LocalPort => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <summary>True when bytes have arrived that nobody has read yet.</summary>
    public bool HasPendingBytes => _end > _start || _socket.Available > 0;

    /// <summary>Sends bytes as they are.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>Sends bytes given as text, one byte per character.</summary>
    public void SendRaw(string bytes) => SendRaw(Encoding.Latin1.GetBytes(bytes));

    /// <summary>Sends one command as a multibulk request.</summary>
    public void Send(IReadOnlyList<byte[]> arguments) => SendRaw(CommandLine.ToRequest(arguments));

    /// <summary>Sends one command; arguments are UTF-8.</summary>
    public void Send(params string[] arguments) => Send([.. arguments.Select(Encoding.UTF8.GetBytes)]);

    /// <summary>Sends one command and reads one reply.</summary>
    public RespValue Execute(params string[] arguments)
    {
        Send(arguments);
        return ReadReply();
    }

    /// <summary>Sends one command line in redis-cli quoting and reads one reply.</summary>
    public RespValue ExecuteLine(string line)
    {
        Send(CommandLine.Split(line));
        return ReadReply();
    }

    /// <summary>Reads one complete reply.</summary>
    /// <exception cref="EndOfStreamException">The server closed the connection.</exception>
    /// <exception cref="SocketException">Nothing arrived in time, or the connection broke.</exception>
    /// <exception cref="InvalidDataException">The bytes are no RESP reply.</exception>
    public RespValue ReadReply()
    {
        int position = 0;
        RespValue value = ReadValue(ref position);
        value.Raw = _buffer.AsSpan(_start, position).ToArray();
        _start += position;
        return value;
    }

    /// <summary>Reads a reply that is an array of bulk strings without line ends, and keeps nothing of it.</summary>
    /// <returns>How many elements it had.</returns>
    public int SkipBulkStrings()
    {
        int position = 0;
        int count = ParseLength(ReadLine(ref position)[1..]);
        _start += position;
        for (long lines = 2L * count; lines > 0; lines--)
        {
            SkipLine();
        }

        return count;
    }

    /// <summary>Reads everything until the server closes or nothing arrives for <paramref name="quietMs"/>.</summary>
    /// <returns>The bytes, and whether the server closed the connection.</returns>
    public (byte[] Bytes, bool Closed) ReadUntilQuiet(int quietMs)
    {
        int before = _socket.ReceiveTimeout;
        _socket.ReceiveTimeout = quietMs;
        bool closed = false;
        try
        {
            while (FillMore())
            {
            }

            closed = true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            // Quiet: what the caller waits for.
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            closed = true;
        }
        finally
        {
            _socket.ReceiveTimeout = before;
        }

        byte[] bytes = _buffer.AsSpan(_start, _end - _start).ToArray();
        _start = _end = 0;
        return (bytes, closed);
    }

    /// <summary>Reads exactly as many bytes.</summary>
    public byte[] ReadExactly(int count)
    {
        while (_end - _start < count)
        {
            FillOrThrow();
        }

        byte[] bytes = _buffer.AsSpan(_start, count).ToArray();
        _start += count;
        return bytes;
    }

    /// <summary>Tells the server that nothing more will be sent.</summary>
    public void ShutdownSend() => _socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => _socket.Dispose();

    private RespValue ReadValue(ref int position)
    {
        string line = ReadLine(ref position);
        if (line.Length == 0)
        {
            throw new InvalidDataException("An empty line where a reply should start.");
        }

        byte type = (byte)line[0];
        string rest = line[1..];
        switch (line[0])
        {
            case '+' or '-' or ':' or '#' or ',' or '(':
                return new RespValue(type, Encoding.Latin1.GetBytes(rest), [], isNull: false);
            case '_':
                return new RespValue(type, [], [], isNull: true);
            case '$' or '=' or '!':
                return ReadBulk(type, ParseLength(rest), ref position);
            case '*' or '~' or '>' or '%' or '|':
                return ReadAggregate(type, ParseLength(rest), ref position);
            default:
                throw new InvalidDataException($"No reply starts like this: {CommandLine.Quote(Encoding.Latin1.GetBytes(line))}");
        }
    }

    private RespValue ReadBulk(byte type, int length, ref int position)
    {
        if (length < 0)
        {
            return new RespValue(type, [], [], isNull: true);
        }

        while (_end - _start < position + length + 2)
        {
            FillOrThrow();
        }

        byte[] text = _buffer.AsSpan(_start + position, length).ToArray();
        position += length + 2;
        return new RespValue(type, text, [], isNull: false);
    }

    private RespValue ReadAggregate(byte type, int count, ref int position)
    {
        if (count < 0)
        {
            return new RespValue(type, [], [], isNull: true);
        }

        List<RespValue> items = [];
        for (int i = 0; i < count * (type is (byte)'%' or (byte)'|' ? 2 : 1); i++)
        {
            items.Add(ReadValue(ref position));
        }

        return new RespValue(type, [], items, isNull: false);
    }

    private string ReadLine(ref int position)
    {
        int searched = position;
        while (true)
        {
            int lineEnd = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf("\r\n"u8);
            if (lineEnd >= 0)
            {
                int from = _start + position;
                string line = Encoding.Latin1.GetString(_buffer, from, _start + searched + lineEnd - from);
                position = searched + lineEnd + 2;
                return line;
            }

            // A CR may be the last byte so far, its LF still on the way.
            searched = Math.Max(position, _end - _start - 1);
            FillOrThrow();
        }
    }

    private void SkipLine()
    {
        int lineEnd;
        while ((lineEnd = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n')) < 0)
        {
            _start = _end = 0;
            FillOrThrow();
        }

        _start += lineEnd + 1;
    }

    private static int ParseLength(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int length)
            ? length
            : throw new InvalidDataException($"Not a length: {text}");

    private void FillOrThrow()
    {
        if (!FillMore())
        {
            throw new EndOfStreamException("The server closed the connection.");
        }
    }

    private bool FillMore()
    {
        if (_start > 0 && _start == _end)
        {
            _start = _end = 0;
        }

        if (_end == _buffer.Length)
        {
            MakeRoom();
        }

        int received = _socket.Receive(_buffer.AsSpan(_end));
        _end += received;
        return received > 0;
    }

    private void MakeRoom()
    {
        int unread = _end - _start;
        if (_start >= _buffer.Length / 2)
        {
            Array.Copy(_buffer, _start, _buffer, 0, unread);
        }
        else
        {
            byte[] larger = new byte[_buffer.Length * 2];
            Array.Copy(_buffer, _start, larger, 0, unread);
            _buffer = larger;
        }

        _start = 0;
        _end = unread;
    }
}
