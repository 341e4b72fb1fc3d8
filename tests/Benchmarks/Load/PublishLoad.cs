using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Net;

namespace KvServer.Benchmarks.Load;

/// <summary>Publishers that each send a PUBLISH when the last one was answered, and the subscribers of their one channel,
/// all on one thread.</summary>
/// <remarks>
/// Each message carries the time it was sent at. All messages are of one length, so where one ends is known by counting.
/// Publishers wait while subscribers are behind, so that nobody comes near a limit on unread output.
/// </remarks>
internal sealed class PublishLoad : IDisposable
{
    private const string Channel = "bench:channel";
    private const int PayloadBytes = 64;
    private const int StampDigits = 16;
    private const int PatienceMs = 60_000;

    private readonly Contestant _server;
    private readonly Epoll _epoll = new();
    private readonly Socket[] _subscribers;
    private readonly Socket[] _publishers;
    private readonly Dictionary<int, int> _receivedBytes = [];
    private readonly Queue<int> _ready = new();
    private readonly RequestTemplate _request;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly int _messageBytes;
    private readonly int _stampAt;

    /// <summary>Connects and subscribes everybody.</summary>
    public PublishLoad(Contestant server, int subscribers, int publishers)
    {
        _server = server;
        string stamp = new('#', StampDigits);
        string payload = stamp + new string('x', PayloadBytes - StampDigits);
        _request = new RequestTemplate("PUBLISH", Channel, payload);
        byte[] message = TestSupport.CommandLine.ToRequest([.. ((string[])["message", Channel, payload]).Select(Encoding.ASCII.GetBytes)]);
        _messageBytes = message.Length;
        _stampAt = message.AsSpan().IndexOf((byte)'#');
        _subscribers = [.. Enumerable.Range(0, subscribers).Select(_ => Subscribe())];
        _publishers = [.. Enumerable.Range(0, publishers).Select(_ => Connect())];
        foreach (Socket socket in _publishers)
        {
            _ready.Enqueue(Watch(socket));
        }

        foreach (Socket socket in _subscribers)
        {
            _receivedBytes.Add(Watch(socket), 0);
        }
    }

    /// <summary>Publishes so many messages and waits until every subscriber has them.</summary>
    /// <returns>Figures of deliveries: their number per second, their latency, and the server's CPU time for each.</returns>
    public BenchmarkRun Measure(long messages)
    {
        Histogram latencies = new();
        long wanted = messages * _subscribers.Length;
        long behind = 2L * _publishers.Length * _subscribers.Length;
        long sent = 0;
        long answered = 0;
        long received = 0;
        TimeSpan cpu = _server.WholeCpuTime;
        long startedAt = Stopwatch.GetTimestamp();
        while (received < wanted || answered < messages)
        {
            while (sent < messages && (sent * _subscribers.Length) - received < behind && _ready.TryDequeue(out int publisher))
            {
                Send(publisher, _request.With(Stopwatch.GetTimestamp()));
                sent++;
            }

            int count = _epoll.Wait(PatienceMs);
            if (count == 0)
            {
                throw new InvalidOperationException($"{_server.Name} stopped delivering.");
            }

            for (int i = 0; i < count; i++)
            {
                int socket = _epoll.Event(i, out _);
                int bytes = LinuxSocket.Receive(socket, _buffer);
                if (bytes <= 0)
                {
                    throw new InvalidOperationException($"{_server.Name} closed a connection.");
                }

                if (_receivedBytes.TryGetValue(socket, out int before))
                {
                    received += Count(latencies, before, bytes);
                    _receivedBytes[socket] = (before + bytes) % _messageBytes;
                }
                else if (_buffer[bytes - 1] == '\n')
                {
                    answered++;
                    _ready.Enqueue(socket);
                }
            }
        }

        double seconds = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        cpu = _server.WholeCpuTime - cpu;
        return new BenchmarkRun(
            wanted / seconds, latencies.PercentileMs(50), latencies.PercentileMs(99), latencies.PercentileMs(99.9),
            latencies.MaxNs / 1e6, cpu.TotalMicroseconds / wanted);
    }

    public void Dispose()
    {
        Array.ForEach(_publishers, socket => socket.Dispose());
        Array.ForEach(_subscribers, socket => socket.Dispose());
        _epoll.Dispose();
    }

    // Messages that end in the bytes just received. Times are read of those that lie in them whole.
    private int Count(Histogram latencies, int before, int bytes)
    {
        long now = Stopwatch.GetTimestamp();
        for (int at = before == 0 ? 0 : _messageBytes - before; at + _messageBytes <= bytes; at += _messageBytes)
        {
            long stamp = long.Parse(_buffer.AsSpan(at + _stampAt, StampDigits), NumberStyles.None, CultureInfo.InvariantCulture);
            latencies.Add(Stopwatch.GetElapsedTime(stamp, now).Ticks * 100);
        }

        return (before + bytes) / _messageBytes;
    }

    private static void Send(int socket, ReadOnlySpan<byte> request)
    {
        if (LinuxSocket.Send(socket, request) != request.Length)
        {
            throw new InvalidOperationException("A request of a hundred bytes did not fit into an empty socket.");
        }
    }

    private int Watch(Socket socket)
    {
        int descriptor = (int)socket.SafeHandle.DangerousGetHandle();
        _epoll.Add(descriptor, Libc.EPOLLIN);
        return descriptor;
    }

    private Socket Subscribe()
    {
        Socket socket = Connect();
        socket.Send(TestSupport.CommandLine.ToRequest([.. ((string[])["SUBSCRIBE", Channel]).Select(Encoding.ASCII.GetBytes)]));
        int expected = $"*3\r\n$9\r\nsubscribe\r\n${Channel.Length}\r\n{Channel}\r\n:1\r\n".Length;
        while (expected > 0)
        {
            expected -= socket.Receive(_buffer.AsSpan(0, expected));
        }

        return socket;
    }

    private Socket Connect()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, _server.Server.Port);
        return socket;
    }
}
