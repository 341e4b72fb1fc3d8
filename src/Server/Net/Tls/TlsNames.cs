using System.Net.Security;
using System.Security.Authentication;

namespace KvServer.Server.Net.Tls;

/// <summary>The names that options use for versions and ciphers.</summary>
internal static class TlsNames
{
    // What OpenSSL calls the suites of TLS 1.2 that are still thought safe; TLS 1.3 uses the standard's own names.
    private static readonly (string Name, TlsCipherSuite Suite)[] Suites =
    [
        ("ECDHE-ECDSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        ("ECDHE-RSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
        ("DHE-RSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ("ECDHE-RSA-CHACHA20-POLY1305", TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
        ("DHE-RSA-CHACHA20-POLY1305", TlsCipherSuite.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
        ("ECDHE-ECDSA-AES128-GCM-SHA256", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        ("ECDHE-RSA-AES128-GCM-SHA256", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        ("DHE-RSA-AES128-GCM-SHA256", TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256),
        ("ECDHE-ECDSA-AES256-SHA384", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384),
        ("ECDHE-RSA-AES256-SHA384", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384),
        ("DHE-RSA-AES256-SHA256", TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256),
        ("ECDHE-ECDSA-AES128-SHA256", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256),
        ("ECDHE-RSA-AES128-SHA256", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256),
        ("DHE-RSA-AES128-SHA256", TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256),
        ("ECDHE-ECDSA-AES256-SHA", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
        ("ECDHE-RSA-AES256-SHA", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
        ("ECDHE-ECDSA-AES128-SHA", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
        ("ECDHE-RSA-AES128-SHA", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
        ("AES256-GCM-SHA384", TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384),
        ("AES128-GCM-SHA256", TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256),
        ("AES256-SHA256", TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA256),
        ("AES128-SHA256", TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256),
        ("AES256-SHA", TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA),
        ("AES128-SHA", TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA),
    ];

    private static readonly TlsCipherSuite[] Tls13Suites =
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
    ];

    // Words that stand for all of the above, and for what is not among it anyway.
    private static readonly string[] WholeGroups = ["DEFAULT", "ALL", "HIGH", "COMPLEMENTOFDEFAULT"];

    private static readonly string[] AbsentGroups =
    [
        "MEDIUM", "LOW", "EXP", "EXPORT", "NULL", "eNULL", "aNULL", "MD5", "RC4", "DES", "3DES", "IDEA", "SEED", "CAMELLIA",
        "PSK", "SRP", "DSS", "aDSS", "ADH", "AECDH", "ARIA",
    ];

    /// <summary>Reads <c>tls-protocols</c>: names with blanks between them, in any case; empty for TLS 1.2 and 1.3.</summary>
    /// <exception cref="TlsException">There is another word, or none.</exception>
    internal static SslProtocols Protocols(string names)
    {
        if (names.Length == 0)
        {
            return SslProtocols.Tls12 | SslProtocols.Tls13;
        }

        SslProtocols protocols = SslProtocols.None;
        foreach (string name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
#pragma warning disable SYSLIB0039, CA5397 // Old versions are the operator's choice; they are off unless asked for.
            protocols |= name.ToUpperInvariant() switch
            {
                "TLSV1" => SslProtocols.Tls,
                "TLSV1.1" => SslProtocols.Tls11,
                "TLSV1.2" => SslProtocols.Tls12,
                "TLSV1.3" => SslProtocols.Tls13,
                _ => throw InvalidProtocols(),
            };
#pragma warning restore SYSLIB0039, CA5397
        }

        return protocols != SslProtocols.None ? protocols : throw InvalidProtocols();
    }

    /// <summary>Reads <c>tls-ciphers</c> and <c>tls-ciphersuites</c>.</summary>
    /// <returns>The suites in the order they were named; null for the platform's own choice.</returns>
    /// <exception cref="TlsException">A name that nobody knows, or nothing left.</exception>
    internal static IReadOnlyList<TlsCipherSuite>? Ciphers(string ciphers, string cipherSuites)
    {
        if (ciphers.Length == 0 && cipherSuites.Length == 0)
        {
            return null;
        }

        IEnumerable<TlsCipherSuite> first = cipherSuites.Length == 0 ? Tls13Suites : NewSuites(cipherSuites);
        IEnumerable<TlsCipherSuite> second =
            ciphers.Length == 0 ? Suites.Select(static known => known.Suite) : OldSuites(ciphers);
        return [.. first.Concat(second).Distinct()];
    }

    private static List<TlsCipherSuite> NewSuites(string list)
    {
        List<TlsCipherSuite> found = [];
        foreach (string name in list.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (char.IsAsciiLetter(name[0]) && Enum.TryParse(name, out TlsCipherSuite suite)
                && ((int)suite >> 8) == 0x13)
            {
                found.Add(suite);
            }
            else
            {
                throw new TlsException($"Failed to configure ciphersuites: {list}");
            }
        }

        return found.Count > 0 ? found : throw new TlsException($"Failed to configure ciphersuites: {list}");
    }

    private static List<TlsCipherSuite> OldSuites(string list)
    {
        List<TlsCipherSuite> found = [];
        foreach (string word in list.Split([':', ',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word[0] is '!' or '-')
            {
                string name = word[1..];
                int index = Array.FindIndex(Suites, known => known.Name == name);
                if (index >= 0)
                {
                    _ = found.RemoveAll(suite => suite == Suites[index].Suite);
                }
                else if (!AbsentGroups.Contains(name))
                {
                    throw new TlsException($"Failed to configure ciphers: {list}");
                }
            }
            else if (WholeGroups.Contains(word))
            {
                found.AddRange(Suites.Select(static known => known.Suite));
            }
            else
            {
                int index = Array.FindIndex(Suites, known => known.Name == word);
                if (index >= 0)
                {
                    found.Add(Suites[index].Suite);
                }
                else if (word[0] != '@' && !AbsentGroups.Contains(word))
                {
                    throw new TlsException($"Failed to configure ciphers: {list}");
                }
            }
        }

        return found.Count > 0 ? found : throw new TlsException($"Failed to configure ciphers: {list}");
    }

    private static TlsException InvalidProtocols() => new(
        "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.");
}
