using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Net.Tls;

/// <summary>Certificate, key and authorities, read from their files: all that a handshake needs.</summary>
/// <remarks>Never changes. New files make a new object; handshakes under way go on with the one they began with.</remarks>
internal sealed class TlsCredentials
{
    private const int MaxFileBytes = 4 * 1024 * 1024;
    private const int MaxFilesInFolder = 1000;

    private readonly TlsAuthClients _authClients;

    private TlsCredentials(TlsOptions options, X509Certificate2Collection chain, X509Certificate2Collection authorities)
    {
        _authClients = options.AuthClients;
        X509Certificate2 certificate = chain[0];
        ExpiresAt = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
        AuthoritiesExpireAt = authorities.Count == 0
            ? null
            : new DateTimeOffset(authorities.Min(static authority => authority.NotAfter).ToUniversalTime());
        ServerOptions = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(
                certificate, [.. chain.Skip(1), .. authorities], offline: true),
            EnabledSslProtocols = TlsNames.Protocols(options.Protocols),
            ClientCertificateRequired = options.AuthClients != TlsAuthClients.No,
            RemoteCertificateValidationCallback = (_, _, _, errors) => Accepts(errors),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowRenegotiation = false,
            AllowTlsResume = options.SessionCaching,
            CertificateChainPolicy = ClientPolicy(authorities),
        };

        if (TlsNames.Ciphers(options.Ciphers, options.CipherSuites) is { } suites
            && !OperatingSystem.IsWindows() && !OperatingSystem.IsAndroid())
        {
            ServerOptions.CipherSuitesPolicy = new CipherSuitesPolicy(suites);
        }
    }

    /// <summary>For <see cref="SslStream.AuthenticateAsServerAsync(SslServerAuthenticationOptions, CancellationToken)"/>;
    /// shared by all handshakes.</summary>
    internal SslServerAuthenticationOptions ServerOptions { get; }

    /// <summary>When the server's certificate ends.</summary>
    internal DateTimeOffset ExpiresAt { get; }

    /// <summary>When the first of the authorities' certificates ends; null without any.</summary>
    internal DateTimeOffset? AuthoritiesExpireAt { get; }

    /// <summary>Reads the files.</summary>
    /// <exception cref="TlsException">They, or the other options, cannot be used.</exception>
    /// <remarks>Blocks for as long as the disk takes.</remarks>
    internal static TlsCredentials Load(TlsOptions options)
    {
        if (options.CertFile.Length == 0)
        {
            throw new TlsException("No tls-cert-file configured!");
        }

        if (options.KeyFile.Length == 0)
        {
            throw new TlsException("No tls-key-file configured!");
        }

        if (options.AuthClients != TlsAuthClients.No && options.CaCertFile.Length == 0 && options.CaCertDir.Length == 0)
        {
            throw new TlsException("Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, "
                + "tls-replication or tls-auth-clients are enabled!");
        }

        X509Certificate2Collection chain = LoadChain(options.CertFile, options.KeyFile, options.KeyFilePass);
        X509Certificate2Collection authorities = LoadAuthorities(options);
        try
        {
            return new TlsCredentials(options, chain, authorities);
        }
        catch (Exception fault) when (fault is CryptographicException or NotSupportedException or PlatformNotSupportedException)
        {
            throw new TlsException($"Failed to configure TLS: {OneLine(fault)}", fault);
        }
    }

    /// <summary>Tells one state of the files from another: names, lengths and times of change.</summary>
    /// <remarks>Links are followed, because a folder mounted from a secret store changes by turning one link.</remarks>
    internal static string Stamp(TlsOptions options)
    {
        StringBuilder stamp = new();
        Append(stamp, options.CertFile);
        Append(stamp, options.KeyFile);
        Append(stamp, options.CaCertFile);
        if (options.CaCertDir.Length > 0 && Directory.Exists(options.CaCertDir))
        {
            foreach (string file in FilesIn(options.CaCertDir))
            {
                Append(stamp, file);
            }
        }

        return stamp.ToString();
    }

    private static void Append(StringBuilder stamp, string path)
    {
        if (path.Length == 0)
        {
            return;
        }

        try
        {
            FileInfo file = Resolve(path);
            stamp.Append(path).Append('|');
            if (file.Exists)
            {
                stamp.Append(file.LastWriteTimeUtc.Ticks).Append('|').Append(file.Length);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // It cannot be looked at now, or has no possible name, which is a state as well.
        }

        stamp.Append('\n');
    }

    private static IEnumerable<string> FilesIn(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Take(MaxFilesInFolder).Order(StringComparer.Ordinal)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Reads what a client shows: its certificate and those between it and the authority.</summary>
    /// <param name="certFile">The certificates, the client's first.</param>
    /// <param name="keyFile">The key of the first.</param>
    /// <param name="keyFilePass">What the key file is encrypted with, if it is.</param>
    /// <exception cref="TlsException">They cannot be used.</exception>
    internal static SslStreamCertificateContext LoadForClient(string certFile, string keyFile, byte[] keyFilePass)
    {
        X509Certificate2Collection chain = LoadChain(certFile, keyFile, keyFilePass);
        return SslStreamCertificateContext.Create(chain[0], [.. chain.Skip(1)], offline: true);
    }

    private static X509Certificate2Collection LoadChain(string certFile, string keyFile, byte[] keyFilePass)
    {
        X509Certificate2Collection chain = [];
        string certificatePem;
        try
        {
            certificatePem = ReadText(certFile);
            chain.ImportFromPem(certificatePem);
            if (chain.Count == 0)
            {
                throw new CryptographicException("no certificate in it");
            }
        }
        catch (Exception fault) when (IsFileFault(fault))
        {
            throw new TlsException($"Failed to load certificate: {certFile}: {OneLine(fault)}", fault);
        }

        try
        {
            string keyPem = ReadText(keyFile);
            using X509Certificate2 withoutKey = chain[0];
            chain[0] = keyPem.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal)
                ? X509Certificate2.CreateFromEncryptedPem(certificatePem, keyPem, ConfigText.FromBytes(keyFilePass))
                : X509Certificate2.CreateFromPem(certificatePem, keyPem);
            return chain;
        }
        catch (Exception fault) when (IsFileFault(fault))
        {
            throw new TlsException($"Failed to load private key: {keyFile}: {OneLine(fault)}", fault);
        }
    }

    private static X509Certificate2Collection LoadAuthorities(TlsOptions options)
    {
        X509Certificate2Collection authorities = [];
        if (options.CaCertFile.Length > 0)
        {
            try
            {
                authorities.ImportFromPem(ReadText(options.CaCertFile));
                if (authorities.Count == 0)
                {
                    throw new CryptographicException("no certificate in it");
                }
            }
            catch (Exception fault) when (IsFileFault(fault))
            {
                throw new TlsException($"Failed to configure CA certificate(s) file/directory: {OneLine(fault)}", fault);
            }
        }

        if (options.CaCertDir.Length > 0 && Directory.Exists(options.CaCertDir))
        {
            foreach (string file in FilesIn(options.CaCertDir))
            {
                try
                {
                    authorities.ImportFromPem(ReadText(file));
                }
                catch (Exception fault) when (IsFileFault(fault))
                {
                    // A folder of authorities may hold other things, which do not count.
                }
            }
        }

        return authorities;
    }

    // A pipe would block the opener until somebody writes, a device may have no end: neither has a length.
    private static string ReadText(string path)
    {
        FileInfo file = Resolve(path);
        long length = file.Length;
        if (length == 0)
        {
            throw new IOException("Empty, or not a regular file");
        }

        if (length > MaxFileBytes)
        {
            throw new IOException("File too large");
        }

        using FileStream stream = file.OpenRead();
        byte[] bytes = new byte[length]; // If it has grown since, the next look finds that it has changed.
        int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        using StreamReader text = new(new MemoryStream(bytes, 0, count));
        return text.ReadToEnd();
    }

    private static FileInfo Resolve(string path)
    {
        FileInfo file = new(path);
        return (FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
    }

    private static bool IsFileFault(Exception fault) => fault is IOException or UnauthorizedAccessException
        or CryptographicException or ArgumentException or NotSupportedException;

    private static string OneLine(Exception fault) => fault switch
    {
        FileNotFoundException or DirectoryNotFoundException => "No such file or directory",
        UnauthorizedAccessException => "Permission denied",
        _ => fault.Message.ReplaceLineEndings(" "),
    };

    private static X509ChainPolicy ClientPolicy(X509Certificate2Collection authorities)
    {
        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true, // A client must not make the server fetch anything.
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private bool Accepts(SslPolicyErrors errors) => errors switch
    {
        SslPolicyErrors.None => true,
        SslPolicyErrors.RemoteCertificateNotAvailable => _authClients != TlsAuthClients.Yes,
        _ => _authClients == TlsAuthClients.No,
    };
}
