using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KvServer.Server.Config;
using KvServer.Server.Net.Tls;

namespace KvServer.Server.Hosting;

/// <summary>Where a health check finds the server.</summary>
/// <param name="Host">A name or an address; empty with a socket.</param>
/// <param name="Port">The TCP port; 0 with a socket.</param>
/// <param name="UnixSocket">The path of the unix socket; empty for TCP.</param>
/// <param name="Tls">The configuration of a server that speaks TLS there, for the certificate to show; null for plain RESP.</param>
internal sealed record HealthTarget(string Host, int Port, string UnixSocket, ServerConfig? Tls = null)
{
    /// <summary>Finds the endpoint in a configuration: TCP where there is a port, the unix socket, or the port for TLS.</summary>
    /// <returns>Null when the server listens nowhere.</returns>
    public static HealthTarget? Of(ServerConfig config)
    {
        if (config.Port != 0)
        {
            return new HealthTarget(HostOf(config.Bind), config.Port, "");
        }

        if (config.UnixSocket.Length > 0)
        {
            return new HealthTarget("", 0, Path.GetFullPath(config.UnixSocket, config.Dir));
        }

        return config.TlsPort > 0 ? new HealthTarget(HostOf(config.Bind), config.TlsPort, "", config) : null;
    }

    /// <summary>Whether this is a place where only a server of this machine, or of these addresses, can be.</summary>
    /// <param name="bind">The addresses the server is told to listen on.</param>
    public bool IsOwn(string[] bind) =>
        UnixSocket.Length > 0
        || Host == "localhost"
        || (IPAddress.TryParse(Host, out IPAddress? address) && IPAddress.IsLoopback(address))
        || bind.Any(one => one.TrimStart('-') == Host);

    /// <summary>Connects.</summary>
    /// <returns>The bytes of the socket; those of a server that speaks TLS are watched by a <see cref="TlsWitness"/>.</returns>
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

            NetworkStream plain = new(socket, ownsSocket: true);
            return Tls is null ? plain : new TlsWitness(plain);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Shakes hands where the server speaks TLS.</summary>
    /// <param name="connected">What <see cref="ConnectAsync"/> returned; it remains the caller's where this fails.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <returns>A stream of RESP, which closes the other one.</returns>
    /// <exception cref="IOException">The handshake was broken off.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">There was no handshake to agree on.</exception>
    public async Task<Stream> EncryptAsync(Stream connected, CancellationToken cancel)
    {
        if (Tls is null)
        {
            return connected;
        }

        SslStream encrypted = new(connected);
        try
        {
            await encrypted.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",

                    // The question is whether the server of this place lives, as on a plain port: its certificate bears the name
                    // that clients call it by, which nobody here knows, and the file may have been renewed meanwhile.
                    RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        DisableCertificateDownloads = true, // Nor is it fetched what would be missing for judging that.
                        RevocationMode = X509RevocationMode.NoCheck,
                    },
                    ClientCertificateContext = CertificateOf(Tls),
                },
                cancel);
            return encrypted;
        }
        catch
        {
            await encrypted.DisposeAsync();
            throw;
        }
    }

    // The one that this server would show to others, or else its own where clients need one.
    private static SslStreamCertificateContext? CertificateOf(ServerConfig config)
    {
        try
        {
            return config.TlsClientCertFile.Length > 0
                ? TlsCredentials.LoadForClient(config.TlsClientCertFile, config.TlsClientKeyFile, config.TlsClientKeyFilePass)
                : config.TlsAuthClients == TlsAuthClients.Yes && config.TlsCertFile.Length > 0
                    ? TlsCredentials.LoadForClient(config.TlsCertFile, config.TlsKeyFile, config.TlsKeyFilePass)
                    : null;
        }
        catch (TlsException)
        {
            return null; // The server goes on with the last good one; where it asks for ours, it says what is missing.
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
