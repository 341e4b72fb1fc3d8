using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace KvServer.Server.Acl;

/// <summary>What is kept of a password: its SHA-256. Immutable.</summary>
internal sealed class PasswordHash
{
    private const int HexDigits = SHA256.HashSizeInBytes * 2;

    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789abcdef"u8);

    private readonly byte[] _hash;

    private PasswordHash(byte[] hash) => _hash = hash;

    /// <summary>Hashes a password.</summary>
    public static PasswordHash Of(ReadOnlySpan<byte> password) => new(SHA256.HashData(password));

    /// <summary>Reads 64 lower-case hexadecimal digits; null when it is anything else.</summary>
    public static PasswordHash? Parse(ReadOnlySpan<byte> hex) =>
        hex.Length == HexDigits && !hex.ContainsAnyExcept(Digits)
            ? new PasswordHash(Convert.FromHexString(Encoding.ASCII.GetString(hex)))
            : null;

    /// <summary>Whether both are of the same password. The time taken does not tell where they differ.</summary>
    public bool IsSame(PasswordHash other) => CryptographicOperations.FixedTimeEquals(_hash, other._hash);

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public byte[] ToHex() => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(_hash));
}
