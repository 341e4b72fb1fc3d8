using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Reads ziplists, the form of small collections in files up to version 9. Nothing writes them any more.</summary>
/// <remarks>
/// <code>
/// | total bytes: 4 | offset of the last entry: 4 | count: 2 | entry | entry | ... | FF |
///
/// entry:  | bytes of the entry before: 1, or FE and 4 | encoding | payload |
///
///   00xxxxxx                    string of up to 63 bytes
///   01xxxxxx yyyyyyyy           string of up to 16383 bytes
///   80 + 4, big-endian          string, length in 32 bits
///   C0 + 2, D0 + 4, E0 + 8, F0 + 3, FE + 1    integers, little-endian
///   F1..FD                      integers 0 to 12
/// </code>
/// </remarks>
internal static class ZipList
{
    /// <summary>Where the first entry lies.</summary>
    public const int HeaderBytes = 10;

    private const int LastOffset = 4;
    private const int CountOffset = 8;
    private const int UnknownCount = ushort.MaxValue;
    private const byte LongPrevious = 0xFE;
    private const byte End = 0xFF;

    /// <summary>Whether bytes from outside are a well-formed list; one that is may be read without further checks.
    /// O(entries).</summary>
    public static bool IsValid(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes + 1
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != (uint)bytes.Length
            || bytes[^1] != End)
        {
            return false;
        }

        ReadOnlySpan<byte> entries = bytes[..^1];
        int at = HeaderBytes;
        int previous = 0;
        int last = HeaderBytes;
        int count = 0;
        while (at < entries.Length)
        {
            int start = at;
            if (!TryReadPrevious(entries, ref at, out uint previousBytes)
                || previousBytes != (uint)previous
                || !TryRead(entries, ref at, out _))
            {
                return false;
            }

            previous = at - start;
            last = start;
            count++;
        }

        int declared = BinaryPrimitives.ReadUInt16LittleEndian(bytes[CountOffset..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[LastOffset..]) == (uint)last
            && (declared == UnknownCount || declared == count);
    }

    /// <summary>Number of entries of a valid list.</summary>
    public static int CountOf(ReadOnlySpan<byte> bytes)
    {
        int count = 0;
        int at = HeaderBytes;
        while (TryNext(bytes, ref at, out _))
        {
            count++;
        }

        return count;
    }

    /// <summary>Reads the entry at a place of a valid list and moves on.</summary>
    /// <returns>False at the end.</returns>
    public static bool TryNext(ReadOnlySpan<byte> bytes, scoped ref int at, out RdbElement element)
    {
        element = default;
        return bytes[at] != End
            && TryReadPrevious(bytes, ref at, out _)
            && TryRead(bytes, ref at, out element);
    }

    private static bool TryReadPrevious(ReadOnlySpan<byte> bytes, scoped ref int at, out uint previousBytes)
    {
        previousBytes = bytes[at++];
        if (previousBytes == End)
        {
            return false;
        }

        if (previousBytes != LongPrevious)
        {
            return true;
        }

        if (bytes.Length - at < sizeof(uint))
        {
            return false;
        }

        previousBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
        at += sizeof(uint);
        return true;
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, scoped ref int at, out RdbElement element)
    {
        element = default;
        if (at >= bytes.Length)
        {
            return false;
        }

        byte encoding = bytes[at++];
        ReadOnlySpan<byte> rest = bytes[at..];
        switch (encoding >> 6)
        {
            case 0:
                return TryReadString(rest, ref at, 0, encoding & 0x3F, out element);
            case 1:
                return rest.Length >= 1
                    && TryReadString(rest, ref at, 1, ((encoding & 0x3F) << 8) | rest[0], out element);
            case 2:
                return encoding == 0x80
                    && rest.Length >= sizeof(uint)
                    && TryReadString(rest, ref at, sizeof(uint), BinaryPrimitives.ReadUInt32BigEndian(rest), out element);
            default:
                return TryReadInteger(encoding, rest, ref at, out element);
        }
    }

    private static bool TryReadString(
        ReadOnlySpan<byte> rest, scoped ref int at, int headBytes, long lengthBytes, out RdbElement element)
    {
        element = default;
        if (lengthBytes > rest.Length - headBytes)
        {
            return false;
        }

        element = RdbElement.OfBytes(rest.Slice(headBytes, (int)lengthBytes));
        at += headBytes + (int)lengthBytes;
        return true;
    }

    private static bool TryReadInteger(byte encoding, ReadOnlySpan<byte> rest, scoped ref int at, out RdbElement element)
    {
        element = default;
        if (encoding is >= 0xF1 and <= 0xFD)
        {
            element = RdbElement.OfInteger((encoding & 0x0F) - 1);
            return true;
        }

        int bytes = encoding switch
        {
            0xFE => 1,
            0xC0 => 2,
            0xF0 => 3,
            0xD0 => 4,
            0xE0 => 8,
            _ => 0,
        };
        if (bytes == 0 || rest.Length < bytes)
        {
            return false;
        }

        at += bytes;
        element = RdbElement.OfInteger(bytes switch
        {
            1 => (sbyte)rest[0],
            2 => BinaryPrimitives.ReadInt16LittleEndian(rest),
            3 => rest[0] | (rest[1] << 8) | ((sbyte)rest[2] << 16),
            4 => BinaryPrimitives.ReadInt32LittleEndian(rest),
            _ => BinaryPrimitives.ReadInt64LittleEndian(rest),
        });
        return true;
    }
}
