using System.Net.Sockets;

namespace KvServer.Server.Net;

/// <summary>A listening socket.</summary>
/// <remarks>Holds the <see cref="System.Net.Sockets.Socket"/> for as long as its descriptor is used: a collected socket
/// object would close it.</remarks>
/// <param name="socket">Bound and listening; owned from here on.</param>
/// <param name="bind">The address as the configuration names it, without a leading <c>-</c>; null for a Unix
/// socket.</param>
/// <param name="port">The TCP port.</param>
/// <param name="isTls">Whether connections begin with a TLS handshake.</param>
internal sealed class Listener(Socket socket, string? bind, int port, bool isTls = false) : IDisposable
{
    private readonly string? _path = bind is null ? socket.LocalEndPoint?.ToString() : null;

    /// <summary>The socket itself.</summary>
    internal Socket Socket { get; } = socket;

    /// <summary>Its descriptor, good until <see cref="Dispose"/>.</summary>
    internal int Descriptor { get; } = (int)socket.Handle;

    /// <summary>The address as the configuration names it, null for a Unix socket.</summary>
    internal string? Bind { get; } = bind;

    /// <summary>The TCP port, 0 for a Unix socket.</summary>
    internal int Port { get; } = port;

    /// <summary>The kind of endpoint as logs name it.</summary>
    internal string Kind => Bind is null ? "unix" : IsTls ? "tls" : "tcp";

    /// <summary>Whether connections begin with a TLS handshake.</summary>
    internal bool IsTls { get; } = isTls;

    /// <summary>Whether it is closed.</summary>
    internal bool IsClosed { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        IsClosed = true;
        Socket.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }
}
