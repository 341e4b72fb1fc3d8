using KvServer.Server.Net.Tls;

namespace KvServer.Server.Hosting;

/// <summary>Lies between a health check's SslStream and the socket, and remembers whether somebody who speaks TLS is there.</summary>
/// <param name="inner">The socket; closed with this.</param>
/// <remarks>SslStream says that a handshake failed, not how far it came.</remarks>
internal sealed class TlsWitness(Stream inner) : AsyncStream
{
    private const byte HandshakeRecord = 22;
    private const byte MajorVersion = 3;

    private int _matched; // Bytes of the beginning that are right; -1 once one was not.

    /// <summary>Whether the other side took part in the handshake: its first bytes begin a record with the server's hello. An
    /// alert in place of that, or anything else, does not.</summary>
    public bool HasSeenServer => _matched == 2;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken);
        for (int i = 0; i < read && _matched is 0 or 1; i++)
        {
            _matched = buffer.Span[i] == (_matched == 0 ? HandshakeRecord : MajorVersion) ? _matched + 1 : -1;
        }

        return read;
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
