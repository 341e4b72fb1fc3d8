using System.Security.Cryptography;

namespace KvServer.Server.Tracking;

/// <summary>A hash that can be taken of every beginning of a key in one pass over its bytes.</summary>
/// <remarks>A polynomial modulo 2^61 - 1 in a base chosen at random for the process, so that nobody can choose names that
/// hash alike. Any thread.</remarks>
internal static class PrefixHash
{
    private const ulong Modulus = (1UL << 61) - 1;

    private static readonly ulong Base =
        (1UL << 32) + (BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) % (Modulus - (1UL << 33)));

    /// <summary>The hash of bytes, given the hash of those before them; 0 for none. O(bytes).</summary>
    public static ulong Append(ulong hash, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            ulong high = Math.BigMul(hash, Base, out ulong low);
            ulong sum = (low & Modulus) + ((high << 3) | (low >> 61)) + b + 1; // Below 2^62 + 257.
            sum = (sum & Modulus) + (sum >> 61);
            hash = sum >= Modulus ? sum - Modulus : sum;
        }

        return hash;
    }
}
