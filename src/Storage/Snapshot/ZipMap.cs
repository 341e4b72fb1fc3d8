using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Reads zipmaps, the form small hashes had before version 4 of the format.</summary>
/// <remarks>
/// <code>
/// | count: 1 | field | value | field | value | ... | FF |
///
/// field:  | length: 1, or FE and 4 | bytes |
/// value:  | length: 1, or FE and 4 | free: 1 | bytes | free bytes |
/// </code>
/// <para>A count of 254 and more means "count them".</para>
/// </remarks>
internal static class ZipMap
{
    /// <summary>Where the first field lies.</summary>
    public const int HeaderBytes = 1;

    private const byte LongLength = 0xFE;
    private const byte End = 0xFF;

    /// <summary>Whether bytes from outside are a well-formed map; one that is may be read without further checks.
    /// O(fields).</summary>
    public static bool IsValid(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes + 1)
        {
            return false;
        }

        int at = HeaderBytes;
        int count = 0;
        while (at < bytes.Length && bytes[at] != End)
        {
            if (!TryRead(bytes, ref at, isValue: false, out _) || !TryRead(bytes, ref at, isValue: true, out _))
            {
                return false;
            }

            count++;
        }

        return at == bytes.Length - 1 && (bytes[0] >= LongLength || bytes[0] == count);
    }

    /// <summary>Reads the field or value at a place and moves on.</summary>
    /// <returns>False at the end, or where a map that was not checked is damaged.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, scoped ref int at, bool isValue, out RdbElement element)
    {
        element = default;
        if (at >= bytes.Length || bytes[at] == End)
        {
            return false;
        }

        long length = bytes[at++];
        if (length == LongLength)
        {
            if (bytes.Length - at < sizeof(uint))
            {
                return false;
            }

            length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
            at += sizeof(uint);
        }

        int free = 0;
        if (isValue)
        {
            if (at >= bytes.Length)
            {
                return false;
            }

            free = bytes[at++];
        }

        if (length + free > bytes.Length - at)
        {
            return false;
        }

        element = RdbElement.OfBytes(bytes.Slice(at, (int)length));
        at += (int)length + free;
        return true;
    }
}
