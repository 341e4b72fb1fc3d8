using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KvServer.Storage;

/// <summary>Hashes keys and members with SipHash-1-2 and a random key per process.</summary>
/// <remarks>Without the key nobody can choose keys that all fall into one bucket. Any thread.</remarks>
public sealed class KeyHasher
{
    private readonly ulong _key0;
    private readonly ulong _key1;
    private readonly HashFunction? _injected;

    /// <summary>Makes a hasher with a random key.</summary>
    public KeyHasher()
        : this(RandomNumberGenerator.GetBytes(16))
    {
    }

    /// <summary>Makes a hasher with a given key, for results that can be repeated.</summary>
    /// <param name="seed">16 bytes.</param>
    public KeyHasher(ReadOnlySpan<byte> seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seed.Length, 16);
        _key0 = MemoryMarshal.Read<ulong>(seed);
        _key1 = MemoryMarshal.Read<ulong>(seed[8..]);
    }

    /// <summary>Makes a hasher that asks <paramref name="injected"/>; for tests.</summary>
    public KeyHasher(HashFunction injected) => _injected = injected;

    /// <summary>Gives the hash of some bytes; tests inject one.</summary>
    public delegate ulong HashFunction(ReadOnlySpan<byte> bytes);

    /// <summary>The 64-bit hash of <paramref name="bytes"/>. O(bytes), allocates nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ReadOnlySpan<byte> bytes) => _injected is null ? SipHash(bytes, _key0, _key1) : _injected(bytes);

    private static ulong SipHash(ReadOnlySpan<byte> bytes, ulong key0, ulong key1)
    {
        ulong v0 = key0 ^ 0x736f6d6570736575;
        ulong v1 = key1 ^ 0x646f72616e646f6d;
        ulong v2 = key0 ^ 0x6c7967656e657261;
        ulong v3 = key1 ^ 0x7465646279746573;

        ref byte at = ref MemoryMarshal.GetReference(bytes);
        int left = bytes.Length;
        while (left >= 8)
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(ref at);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
            at = ref Unsafe.Add(ref at, 8);
            left -= 8;
        }

        ulong last = (ulong)bytes.Length << 56;
        if ((left & 4) != 0)
        {
            last |= Unsafe.ReadUnaligned<uint>(ref at);
            int shift = 32;
            for (int i = 4; i < left; i++, shift += 8)
            {
                last |= (ulong)Unsafe.Add(ref at, i) << shift;
            }
        }
        else
        {
            int shift = 0;
            for (int i = 0; i < left; i++, shift += 8)
            {
                last |= (ulong)Unsafe.Add(ref at, i) << shift;
            }
        }

        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
