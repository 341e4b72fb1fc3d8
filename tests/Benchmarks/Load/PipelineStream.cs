using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KvServer.Benchmarks.Load;

/// <summary>One connection that sends SETs as fast as the server takes them, until it is told to stop.</summary>
internal sealed class PipelineStream : IDisposable
{
    private readonly Socket _socket;
    private readonly Thread _sender;
    private readonly Thread _receiver;
    private volatile bool _stopping;
    private long _sentBytes;

    /// <summary>Connects and starts sending.</summary>
    public PipelineStream(int port)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(IPAddress.Loopback, port);
        _sender = new Thread(Send) { IsBackground = true, Name = "pipeline sender" };
        _receiver = new Thread(Receive) { IsBackground = true, Name = "pipeline receiver" };
        _sender.Start();
        _receiver.Start();
    }

    /// <summary>Bytes sent so far.</summary>
    public long SentBytes => Interlocked.Read(ref _sentBytes);

    public void Dispose()
    {
        _stopping = true;
        _socket.Shutdown(SocketShutdown.Both);
        _sender.Join();
        _receiver.Join();
        _socket.Dispose();
    }

    private void Send()
    {
        StringBuilder text = new();
        for (int i = 0; i < 1000; i++)
        {
            text.Append("*3\r\n$3\r\nSET\r\n$10\r\nstream:").Append(i.ToString("000", null)).Append("\r\n$64\r\n").Append('v', 64).Append("\r\n");
        }

        byte[] requests = Encoding.ASCII.GetBytes(text.ToString());
        try
        {
            while (!_stopping)
            {
                Interlocked.Add(ref _sentBytes, _socket.Send(requests));
            }
        }
        catch (SocketException) when (_stopping)
        {
            // The socket was shut down under the write, as intended.
        }
    }

    private void Receive()
    {
        byte[] replies = new byte[256 * 1024];
        try
        {
            while (_socket.Receive(replies) > 0)
            {
            }
        }
        catch (SocketException) when (_stopping)
        {
            // As above.
        }
    }
}
