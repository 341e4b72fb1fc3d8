using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The LZF byte format in which RDB files keep long strings.</summary>
/// <remarks>
/// <code>
/// 000nnnnn  bytes...               n + 1 bytes as they are (1 to 32)
/// nnnddddd  dddddddd               n + 2 bytes (3 to 8) from d + 1 bytes back
/// 111ddddd  nnnnnnnn dddddddd      n + 9 bytes (9 to 264) from d + 1 bytes back, at most 8192
/// </code>
/// <para>Reading is static and any thread's. Compressing needs an instance for its table of places where three bytes
/// were last seen: one thread at a time. The table is never cleared between inputs; places of earlier inputs are
/// recognised by their number.</para>
/// </remarks>
public sealed class Lzf
{
    private const int TableBits = 14;
    private const int MaxLiteral = 32;
    private const int MaxDistance = 8192;
    private const int MinMatch = 3;
    private const int MaxMatch = 264;
    private const int LongMatch = 7;

    private readonly int[] _places = new int[1 << TableBits];
    private int _base = 1;

    /// <summary>Compresses bytes.</summary>
    /// <param name="input">At least 4 bytes to be worth it.</param>
    /// <param name="output">Where the result goes; what does not fit is not worth compressing.</param>
    /// <returns>Bytes written, or 0 when they would have been more than there is room for.</returns>
    /// <remarks>O(input). Allocates nothing.</remarks>
    public int Compress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (_base > int.MaxValue - input.Length - 1)
        {
            Array.Clear(_places);
            _base = 1;
        }

        int result = CompressFrom(_base, input, output);
        _base += input.Length;
        return result;
    }

    /// <summary>How many bytes a compressed run stands for, from its control bytes alone.</summary>
    /// <returns>-1 when it is cut off.</returns>
    /// <remarks>Allocating by this, rather than by a length that came along, costs no more than the bytes justify.
    /// O(compressed).</remarks>
    public static long MeasureLength(ReadOnlySpan<byte> compressed)
    {
        long length = 0;
        int at = 0;
        while (at < compressed.Length)
        {
            int control = compressed[at++];
            if (control < MaxLiteral)
            {
                at += control + 1;
                length += control + 1;
                continue;
            }

            int count = control >> 5;
            if (count == LongMatch)
            {
                if (at >= compressed.Length)
                {
                    return -1;
                }

                count += compressed[at++];
            }

            at++;
            length += count + 2;
        }

        return at == compressed.Length ? length : -1;
    }

    /// <summary>Restores what was compressed.</summary>
    /// <returns>False unless the bytes are well formed and fill the output exactly.</returns>
    /// <remarks>O(output).</remarks>
    public static bool TryDecompress(ReadOnlySpan<byte> compressed, Span<byte> output)
    {
        int at = 0;
        int to = 0;
        while (at < compressed.Length)
        {
            int control = compressed[at++];
            if (control < MaxLiteral)
            {
                int run = control + 1;
                if (run > compressed.Length - at || run > output.Length - to)
                {
                    return false;
                }

                compressed.Slice(at, run).CopyTo(output[to..]);
                at += run;
                to += run;
                continue;
            }

            int length = control >> 5;
            if (length == LongMatch)
            {
                if (at >= compressed.Length)
                {
                    return false;
                }

                length += compressed[at++];
            }

            length += 2;
            if (at >= compressed.Length)
            {
                return false;
            }

            int from = to - (((control & 31) << 8) | compressed[at++]) - 1;
            if (from < 0 || length > output.Length - to)
            {
                return false;
            }

            CopyMatch(output, from, to, length);
            to += length;
        }

        return to == output.Length;
    }

    // A match may overlap what it makes: then it repeats, byte after byte.
    private static void CopyMatch(Span<byte> output, int from, int to, int length)
    {
        if (to - from >= length)
        {
            output.Slice(from, length).CopyTo(output[to..]);
            return;
        }

        if (to - from == 1)
        {
            output.Slice(to, length).Fill(output[from]);
            return;
        }

        for (int i = 0; i < length; i++)
        {
            output[to + i] = output[from + i];
        }
    }

    private int CompressFrom(int start, ReadOnlySpan<byte> input, Span<byte> output)
    {
        int at = 0;
        int literalStart = 0;
        int to = 0;
        int lastStart = input.Length - MinMatch - 1;
        ref byte source = ref MemoryMarshal.GetReference(input);
        ref int places = ref MemoryMarshal.GetArrayDataReference(_places);
        while (at <= lastStart)
        {
            // Four bytes are read, three of them compared.
            uint here = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at)) & 0xFFFFFF;
            ref int place = ref Unsafe.Add(ref places, (int)((here * 0x9E3779B1u) >> (32 - TableBits)));
            int candidate = place - start;
            place = start + at;
            if (candidate < 0
                || at - candidate > MaxDistance
                || (Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, candidate)) & 0xFFFFFF) != here)
            {
                at++;
                continue;
            }

            int limit = Math.Min(input.Length - at, MaxMatch);
            int length = MinMatch + input.Slice(candidate + MinMatch, limit - MinMatch)
                .CommonPrefixLength(input.Slice(at + MinMatch, limit - MinMatch));
            if (!TryPutLiterals(input[literalStart..at], output, ref to)
                || !TryPutMatch(at - candidate - 1, length - 2, output, ref to))
            {
                return 0;
            }

            at += length;
            literalStart = at;
        }

        return TryPutLiterals(input[literalStart..], output, ref to) ? to : 0;
    }

    private static bool TryPutLiterals(ReadOnlySpan<byte> bytes, Span<byte> output, ref int to)
    {
        int runs = (bytes.Length + MaxLiteral - 1) / MaxLiteral;
        if (bytes.Length + runs > output.Length - to)
        {
            return false;
        }

        while (!bytes.IsEmpty)
        {
            int run = Math.Min(bytes.Length, MaxLiteral);
            output[to++] = (byte)(run - 1);
            bytes[..run].CopyTo(output[to..]);
            to += run;
            bytes = bytes[run..];
        }

        return true;
    }

    private static bool TryPutMatch(int distance, int length, Span<byte> output, ref int to)
    {
        if (output.Length - to < 3)
        {
            return false;
        }

        if (length < LongMatch)
        {
            output[to++] = (byte)((length << 5) | (distance >> 8));
        }
        else
        {
            output[to++] = (byte)((LongMatch << 5) | (distance >> 8));
            output[to++] = (byte)(length - LongMatch);
        }

        output[to++] = (byte)distance;
        return true;
    }
}
