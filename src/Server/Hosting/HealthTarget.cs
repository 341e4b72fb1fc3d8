using System.Net;
using System.Net.Sockets;
using KvServer.Server.Config;

namespace KvServer.Server.Hosting;

/// <summary>Where a health check finds the server.</summary>
/// <param name="Host">A name or an address; empty with a socket.</param>
/// <param name="Port">The TCP port; 0 with a socket.</param>
/// <param name="UnixSocket">The path of the unix socket; empty for TCP.</param>
internal sealed record HealthTarget(string Host, int Port, string UnixSocket)
{
    /// <summary>Finds the endpoint in a configuration: TCP where there is a port, else the unix socket.</summary>
    /// <returns>Null when the server listens nowhere.</returns>
    public static HealthTarget? Of(ServerConfig config)
    {
        if (config.Port != 0)
        {
            return new HealthTarget(HostOf(config.Bind), config.Port, "");
        }

        return config.UnixSocket.Length > 0
            ? new HealthTarget("", 0, Path.GetFullPath(config.UnixSocket, config.Dir))
            : null;
    }

    /// <summary>Connects.</summary>
    /// <returns>A stream of plain RESP; a server that speaks TLS on this endpoint needs its handshake here.</returns>
    /// <exception cref="SocketException">Nobody is there.</exception>
    public async Task<Stream> ConnectAsync(CancellationToken cancel)
    {
        Socket socket = UnixSocket.Length > 0
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (UnixSocket.Length > 0)
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(UnixSocket), cancel);
            }
            else
            {
                await socket.ConnectAsync(Host, Port, cancel);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => UnixSocket.Length > 0
        ? UnixSocket
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Host}:{Port}");

    // The server listens on all of them, so the first will do.
    private static string HostOf(string[] bind)
    {
        string first = bind.Length > 0 ? bind[0].TrimStart('-') : "*";
        return first switch
        {
            "*" => "127.0.0.1",
            "::*" => "::1",
            _ when IPAddress.TryParse(first, out IPAddress? address) && address.Equals(IPAddress.Any) => "127.0.0.1",
            _ when IPAddress.TryParse(first, out IPAddress? address) && address.Equals(IPAddress.IPv6Any) => "::1",
            _ => first,
        };
    }
}
