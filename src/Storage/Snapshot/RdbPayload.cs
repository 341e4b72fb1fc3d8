using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>One value as DUMP replies with it and RESTORE takes it.</summary>
/// <remarks>
/// <code>
/// | type: 1 | value as in a file | version: 2 | checksum of all before: 8 |
/// </code>
/// </remarks>
public static class RdbPayload
{
    /// <summary>Writes the payload of a key. Command loop only.</summary>
    /// <param name="output">An empty output that gathers.</param>
    /// <param name="database">Where the entry is.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="compress">Whether to compress long strings (rdbcompression).</param>
    /// <remarks>O(value).</remarks>
    public static void Write(RdbOutput output, Database database, in Entry entry, bool compress)
    {
        RdbWriter writer = new(output, new RdbWriterOptions(compress));
        RdbType type = RdbWriter.TypeOf(entry);
        output.WriteByte((byte)type);
        writer.WriteValue(database, entry);
        writer.WritePayloadEnd(type);
    }

    /// <summary>Whether a payload's version is known and its checksum right. O(payload).</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="ignoresChecksum">Whether any checksum is right, for tests of what comes behind it.</param>
    public static bool HasValidFooter(ReadOnlySpan<byte> payload, bool ignoresChecksum = false)
    {
        if (payload.Length <= RdbFormat.PayloadFooterBytes)
        {
            return false;
        }

        ReadOnlySpan<byte> summed = payload[..^RdbFormat.ChecksumBytes];
        int version = BinaryPrimitives.ReadUInt16LittleEndian(summed[^RdbFormat.PayloadVersionBytes..]);
        return version <= RdbFormat.NewestVersion
            && (ignoresChecksum
                || BinaryPrimitives.ReadUInt64LittleEndian(payload[^RdbFormat.ChecksumBytes..]) == Crc64.Append(0, summed));
    }

    /// <summary>Gives a payload's value to a key, replacing whatever it holds. Command loop only.</summary>
    /// <param name="database">Where the key is.</param>
    /// <param name="key">The key, new or not.</param>
    /// <param name="payload">With a valid footer; not a part of the store.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="limits">Up to where values stay packed.</param>
    /// <param name="reason">When the result is false: why such a value cannot be restored here, or nothing if the bytes
    /// are damaged.</param>
    /// <remarks>The value is read and validated whole before anything changes. O(value).</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public static bool TryRestore(
        Database database, Key key, ReadOnlySpan<byte> payload, long expireAtMs, ValueLimits limits, out string reason)
    {
        if (!TryReadType(payload, out RdbType type, out reason))
        {
            return false;
        }

        try
        {
            return Restore(new RdbTarget(database, key, expireAtMs, limits, isPayload: true), type, ValueOf(payload));
        }
        catch (RdbFormatException)
        {
            return false;
        }
    }

    /// <summary>Reads a payload as <see cref="TryRestore"/> would, and keeps nothing.</summary>
    /// <param name="payload">With a valid footer.</param>
    /// <param name="reason">As for <see cref="TryRestore"/>.</param>
    /// <remarks>O(value).</remarks>
    public static unsafe bool TryValidate(ReadOnlySpan<byte> payload, out string reason)
    {
        if (!TryReadType(payload, out RdbType type, out reason))
        {
            return false;
        }

        ReadOnlySpan<byte> value = ValueOf(payload);
        try
        {
            fixed (byte* start = value)
            {
                RdbInput input = new(start, value.Length);
                RdbElements elements = new(input, type);
                elements.SkipAll();
                return input.Remaining == 0;
            }
        }
        catch (RdbFormatException)
        {
            return false;
        }
    }

    private static unsafe bool Restore(
        in RdbTarget target, RdbType type, ReadOnlySpan<byte> value)
    {
        fixed (byte* start = value)
        {
            RdbElements elements = new(new RdbInput(start, value.Length), type);
            return RdbBuilders.Find(type)!(target, ref elements);
        }
    }

    private static bool TryReadType(ReadOnlySpan<byte> payload, out RdbType type, out string reason)
    {
        type = (RdbType)payload[0];
        reason = "";
        if (!RdbTypes.IsKnown(payload[0]))
        {
            return false;
        }

        if (RdbBuilders.Find(type) is null)
        {
            reason = RdbBuilders.Refusal(type);
            return false;
        }

        return true;
    }

    private static ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> payload) =>
        payload[1..^RdbFormat.PayloadFooterBytes];
}
