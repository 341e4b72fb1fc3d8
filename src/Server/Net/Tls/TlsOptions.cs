using KvServer.Server.Config;

namespace KvServer.Server.Net.Tls;

/// <summary>What the configuration says about TLS, as it was at one moment.</summary>
/// <remarks>A copy, because files are read again on other threads than the one that changes options.</remarks>
internal sealed record TlsOptions(
    string CertFile,
    string KeyFile,
    byte[] KeyFilePass,
    string CaCertFile,
    string CaCertDir,
    TlsAuthClients AuthClients,
    string Protocols,
    string Ciphers,
    string CipherSuites,
    bool SessionCaching)
{
    /// <summary>Takes them from the configuration.</summary>
    internal static TlsOptions From(ServerConfig config) => new(
        config.TlsCertFile, config.TlsKeyFile, config.TlsKeyFilePass, config.TlsCaCertFile, config.TlsCaCertDir,
        config.TlsAuthClients, config.TlsProtocols, config.TlsCiphers, config.TlsCipherSuites, config.TlsSessionCaching);
}
