using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Net;

/// <summary>A client that speaks TLS and expects bytes, exactly.</summary>
internal sealed class TlsClient : IDisposable
{
    private const int TimeoutMs = 20_000;

    private readonly RawClient _raw;
    private readonly SslStream _ssl;

    private TlsClient(RawClient raw, SslStream ssl)
    {
        _raw = raw;
        _ssl = ssl;
    }

    /// <summary>Which certificate the server has shown.</summary>
    public string ServerSerial => _ssl.RemoteCertificate!.GetSerialNumberString();

    public SslStream Stream => _ssl;

    public Socket Socket => _raw.Socket;

    /// <summary>Connects and does the handshake; throws what SslStream throws when that fails.</summary>
    public static TlsClient Connect(
        NetServer server, TestCertificates certificates, X509Certificate2? certificate,
        Action<SslClientAuthenticationOptions>? configure = null)
    {
        RawClient raw = RawClient.Connect(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, server.Config.TlsPort));
        return Over(raw, certificates, certificate, configure);
    }

    /// <summary>Does the handshake on a connection that is there already and is owned from here on.</summary>
    public static TlsClient Over(
        RawClient raw, TestCertificates certificates, X509Certificate2? certificate,
        Action<SslClientAuthenticationOptions>? configure = null)
    {
        SslStream ssl = new(new NetworkStream(raw.Socket) { ReadTimeout = TimeoutMs, WriteTimeout = TimeoutMs });
        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.Add(certificates.Authority);
        SslClientAuthenticationOptions options = new()
        {
            TargetHost = "localhost",
            CertificateChainPolicy = policy,
            ClientCertificates = certificate is null ? null : [certificate],
        };
        configure?.Invoke(options);
        try
        {
            ssl.AuthenticateAsClient(options);
            return new TlsClient(raw, ssl);
        }
        catch
        {
            ssl.Dispose();
            raw.Dispose();
            throw;
        }
    }

    public void Send(string text) => _ssl.Write(Encoding.Latin1.GetBytes(text));

    public void Expect(string text) => Assert.Equal(text, Receive(text.Length));

    public string Receive(int count)
    {
        byte[] bytes = new byte[count];
        return Encoding.Latin1.GetString(bytes, 0, _ssl.ReadAtLeast(bytes, count, throwOnEndOfStream: false));
    }

    /// <summary>Receives until the server closes.</summary>
    public string ReceiveToEnd()
    {
        using MemoryStream all = new();
        _ssl.CopyTo(all);
        return Encoding.Latin1.GetString(all.ToArray());
    }

    public string Call(params string[] arguments)
    {
        Send(RawClient.Request(arguments));
        StringBuilder line = new();
        while (_ssl.ReadByte() is >= 0 and int next)
        {
            line.Append((char)next);
            if (next == '\n')
            {
                return line.ToString(0, line.Length - 2);
            }
        }

        return line.ToString();
    }

    /// <summary>Closes with a reset and without a word.</summary>
    public void Reset() => _raw.Reset();

    public void Dispose()
    {
        _ssl.Dispose();
        _raw.Dispose();
    }
}
