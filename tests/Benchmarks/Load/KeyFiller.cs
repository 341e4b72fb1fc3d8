using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KvServer.Benchmarks.Load;

/// <summary>Sets numbered keys over one connection, in pipelined batches, and notes how long each request took.</summary>
/// <remarks>A batch is sent in one write; the time of each of its requests ends when its reply has arrived.</remarks>
internal sealed class KeyFiller : IDisposable
{
    private readonly Socket _socket;
    private readonly int _digits;
    private readonly int _requestBytes;
    private readonly byte[] _requests;
    private readonly byte[] _replies = new byte[64 * 1024];
    private readonly int _keyAt;
    private readonly int _valueBytes;
    private readonly Random _random = new(1);

    /// <summary>Connects.</summary>
    /// <param name="port">The server's loopback port.</param>
    /// <param name="prefix">What keys start with.</param>
    /// <param name="digits">Digits of the number that follows.</param>
    /// <param name="valueBytes">Bytes of each value.</param>
    /// <param name="batch">Requests per write.</param>
    public KeyFiller(int port, string prefix, int digits, int valueBytes, int batch)
    {
        _digits = digits;
        _valueBytes = valueBytes;
        string key = prefix + new string('0', digits);
        string request = string.Create(
            CultureInfo.InvariantCulture,
            $"*3\r\n$3\r\nSET\r\n${key.Length}\r\n{key}\r\n${valueBytes}\r\n{new string('v', valueBytes)}\r\n");
        _keyAt = request.IndexOf(key, StringComparison.Ordinal) + prefix.Length;
        byte[] bytes = Encoding.ASCII.GetBytes(request);
        _requestBytes = bytes.Length;
        _requests = new byte[_requestBytes * batch];
        for (int i = 0; i < batch; i++)
        {
            bytes.CopyTo(_requests, i * _requestBytes);
        }

        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>Durations of all requests so far.</summary>
    public Histogram Latencies { get; } = new();

    /// <summary>Requests that took longer than <see cref="SlowMs"/>.</summary>
    public List<SlowRequest> Slow { get; } = [];

    /// <summary>From how long a batch is listed in <see cref="Slow"/>.</summary>
    public double SlowMs { get; set; } = double.MaxValue;

    /// <summary>Gives every key a value of its own that does not compress, instead of one letter over and over.</summary>
    public bool RandomValues { get; init; }

    /// <summary>Sets the keys numbered <paramref name="first"/> and on.</summary>
    public void Fill(long first, int count)
    {
        int batch = _requests.Length / _requestBytes;
        for (long done = 0; done < count; done += batch)
        {
            int size = (int)Math.Min(batch, count - done);
            for (int i = 0; i < size; i++)
            {
                RequestTemplate.WriteNumber(_requests.AsSpan((i * _requestBytes) + _keyAt, _digits), first + done + i);
                if (RandomValues)
                {
                    RequestTemplate.WriteText(_requests.AsSpan(((i + 1) * _requestBytes) - 2 - _valueBytes, _valueBytes), _random);
                }
            }

            RunBatch(size, first + done);
        }
    }

    public void Dispose() => _socket.Dispose();

    private void RunBatch(int size, long keys)
    {
        long sentAt = Stopwatch.GetTimestamp();
        ReadOnlySpan<byte> unsent = _requests.AsSpan(0, size * _requestBytes);
        while (unsent.Length > 0)
        {
            unsent = unsent[_socket.Send(unsent)..];
        }

        const int ReplyBytes = 5; // +OK and the line end
        int received = 0;
        int counted = 0;
        while (counted < size)
        {
            int bytes = _socket.Receive(_replies);
            if (bytes == 0 || _replies[0] == '-')
            {
                throw new InvalidOperationException("The server closed the connection or refused a SET.");
            }

            received += bytes;
            long ns = Stopwatch.GetElapsedTime(sentAt).Ticks * 100;
            for (; counted < received / ReplyBytes; counted++)
            {
                Latencies.Add(ns);
            }

            if (ns / 1e6 > SlowMs)
            {
                Slow.Add(new SlowRequest(sentAt, keys, ns / 1e6));
            }
        }
    }
}
