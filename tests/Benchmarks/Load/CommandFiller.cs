using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>Sends many different commands over one connection, in pipelined batches, and checks that none is refused.</summary>
internal sealed class CommandFiller : IDisposable
{
    private const int BatchBytes = 64 * 1024;

    private readonly RespClient _client;
    private readonly MemoryStream _batch = new();
    private int _pending;

    /// <summary>Connects.</summary>
    public CommandFiller(ServerProcess server) => _client = new RespClient(new IPEndPoint(IPAddress.Loopback, server.Port));

    /// <summary>Sends a command, now or with those that follow.</summary>
    public void Add(IEnumerable<string> arguments)
    {
        TestSupport.CommandLine.AppendRequest(_batch, [.. arguments.Select(Encoding.ASCII.GetBytes)]);
        _pending++;
        if (_batch.Length >= BatchBytes)
        {
            Flush();
        }
    }

    /// <summary>Sends what waits and takes the replies.</summary>
    /// <exception cref="InvalidOperationException">The server refused a command.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    public void Flush()
    {
        _client.SendRaw(_batch.GetBuffer().AsSpan(0, (int)_batch.Length));
        _batch.SetLength(0);
        for (; _pending > 0; _pending--)
        {
            if (_client.ReadReply() is { IsError: true } error)
            {
                throw new InvalidOperationException($"A command was refused: {error.AsString}");
            }
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _batch.Dispose();
    }
}
