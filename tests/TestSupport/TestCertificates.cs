using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KvServer.TestSupport;

/// <summary>An authority with a certificate for a server and one for a client, as PEM files in a folder of their
/// own.</summary>
public sealed class TestCertificates : IDisposable
{
    private readonly X509Certificate2 _authority;

    /// <summary>Makes all of them.</summary>
    public TestCertificates()
    {
        Folder = TestPaths.CreateTempFolder("certificates");
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new($"CN=Test authority {Guid.NewGuid():N}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        _authority = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        File.WriteAllText(CaFile, _authority.ExportCertificatePem());
        IssueServer(365);
        Issue("client", 365);
    }

    /// <summary>Where the files are.</summary>
    public string Folder { get; }

    public string CaFile => PathOf("ca.crt");

    public string ServerCertFile => PathOf("server.crt");

    public string ServerKeyFile => PathOf("server.key");

    public string ClientCertFile => PathOf("client.crt");

    public string ClientKeyFile => PathOf("client.key");

    /// <summary>The authority itself, without its key.</summary>
    public X509Certificate2 Authority => X509CertificateLoader.LoadCertificate(_authority.RawData);

    /// <summary>The client's certificate with its key.</summary>
    public X509Certificate2 Client => X509Certificate2.CreateFromPemFile(ClientCertFile, ClientKeyFile);

    /// <summary>Replaces the server's certificate and key; the serial number changes.</summary>
    /// <returns>The serial number.</returns>
    public string IssueServer(int days) => Issue("server", days);

    /// <summary>Makes certificate and key <c>NAME.crt</c> and <c>NAME.key</c>.</summary>
    /// <param name="name">Also the subject.</param>
    /// <param name="days">How long it is valid from now on; less than zero for one that has expired.</param>
    /// <param name="password">Encrypts the key.</param>
    /// <param name="forServersOnly">Makes it one that clients may not show.</param>
    /// <returns>The serial number.</returns>
    public string Issue(string name, int days, string? password = null, bool forServersOnly = false)
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        if (forServersOnly)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        }

        DateTimeOffset end = TimeProvider.System.GetUtcNow().AddDays(days);
        DateTimeOffset authorityStart = new(_authority.NotBefore);
        DateTimeOffset start = authorityStart > end ? end.AddDays(-1) : authorityStart;
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        serial[0] = 1;
        using X509Certificate2 certificate = request.Create(
            _authority.SubjectName, X509SignatureGenerator.CreateForRSA(_authority.GetRSAPrivateKey()!,
                RSASignaturePadding.Pkcs1), start, end, serial);
        PbeParameters encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2000);
        File.WriteAllText(PathOf(name + ".key"), password is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(password, encryption));
        File.WriteAllText(PathOf(name + ".crt"), certificate.ExportCertificatePem());
        return certificate.SerialNumber;
    }

    public void Dispose()
    {
        _authority.Dispose();
        TestPaths.DeleteFolder(Folder);
    }

    private string PathOf(string name) => Path.Combine(Folder, name);
}
