using System.Buffers;
using System.IO.Pipelines;

namespace KvServer.Server.Net.Tls;

/// <summary>The pipes of the framework's socket as a stream, for SslStream to lie on.</summary>
/// <remarks>One reader and one writer at a time. The pipes stay their owner's.</remarks>
internal sealed class DuplexPipeStream(IDuplexPipe pipes) : AsyncStream
{
    /// <summary>How long the handshake has waited for the client; null when nobody asks any more.</summary>
    internal PeerWait? PeerWait { get; set; }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!pipes.Input.TryRead(out ReadResult result))
        {
            PeerWait?.Begin();
            result = await pipes.Input.ReadAsync(cancellationToken);
        }

        PeerWait?.End();
        ReadOnlySequence<byte> bytes = result.Buffer;
        if (bytes.Length > buffer.Length)
        {
            bytes = bytes.Slice(0, buffer.Length);
        }

        int count = (int)bytes.Length;
        bytes.CopyTo(buffer.Span);
        pipes.Input.AdvanceTo(bytes.End); // An empty buffer only waits for there to be something.
        return count;
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        FlushResult flushed = await pipes.Output.WriteAsync(buffer, cancellationToken);
        if (flushed.IsCompleted)
        {
            throw new IOException("The connection is closed");
        }
    }
}
