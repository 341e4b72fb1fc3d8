using System.Security.Cryptography;

namespace KvServer.Server.Clients;

/// <summary>Checks what AUTH and HELLO bring.</summary>
internal static class Credentials
{
    /// <summary>The only user there is.</summary>
    public static ReadOnlySpan<byte> DefaultUser => "default"u8;

    /// <summary>Whether this user may enter with this password.</summary>
    /// <remarks><paramref name="requiredPassword"/> is the configured one; empty admits the default user with any.
    /// Both sides are hashed first, so the time taken tells neither the length nor the first difference.</remarks>
    public static bool AreValid(
        ReadOnlySpan<byte> user, ReadOnlySpan<byte> password, ReadOnlySpan<byte> requiredPassword)
    {
        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> wanted = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(password, given);
        SHA256.HashData(requiredPassword, wanted);
        bool isSame = CryptographicOperations.FixedTimeEquals(given, wanted);
        return user.SequenceEqual(DefaultUser) && (isSame || requiredPassword.IsEmpty);
    }
}
