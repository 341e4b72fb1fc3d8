using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>How many bytes a value takes in a dump file, before compression: DEBUG OBJECT's serializedlength.</summary>
internal static class SerializedLength
{
    private const int RawIdBytes = 16;

    /// <summary>The length in bytes of the value as the RDB format writes it.</summary>
    public static long Of(Database database, Entry entry)
    {
        if (entry.Type == ValueType.String)
        {
            return entry.TryGetInteger(out long value) ? OfInteger(value) : OfString(entry.StringLength);
        }

        return entry.Type switch
        {
            ValueType.Hash => OfHash(HashValue.Open(database, entry, default)),
            ValueType.List => OfList(ListValue.Open(database, entry, default)),
            ValueType.SortedSet => OfSortedSet(SortedSetValue.Open(database, entry, default)),
            ValueType.Stream => OfStream(StreamValue.Open(database, entry, default)),
            _ => OfSet(SetValue.Open(database, entry, default)),
        };
    }

    // The number of nodes, then each with a byte that says what it is.
    private static long OfList(ListValue list)
    {
        long total = OfString(list.NodeCount) - list.NodeCount;
        ListNodeEnumerator nodes = list.Nodes();
        while (nodes.MoveNext())
        {
            total += 1 + OfString(nodes.Bytes.Length);
        }

        return total;
    }

    private static long OfSortedSet(SortedSetValue set)
    {
        if (set.Encoding == ValueEncoding.PackedList)
        {
            return OfString(set.PackedBytes.Length);
        }

        long total = OfString(set.Count) - set.Count;
        foreach (SortedSetMember member in set)
        {
            total += sizeof(double) + (member.Member.TryGetInteger(out long integer)
                ? OfInteger(integer)
                : OfString(member.Member.Bytes.Length));
        }

        return total;
    }

    // Nodes with their ids, what the stream says of itself, groups.
    private static long OfStream(StreamValue stream)
    {
        long total = OfNumber((ulong)stream.NodeCount);
        StreamNodeEnumerator nodes = stream.Nodes();
        while (nodes.MoveNext())
        {
            total += OfString(RawIdBytes) + OfString(nodes.Bytes.Length);
        }

        total += OfNumber((ulong)stream.Length) + OfNumber((ulong)stream.EntriesAdded) + OfNumber((ulong)stream.GroupCount);
        total += OfId(stream.LastId) + OfId(stream.FirstId) + OfId(stream.MaxDeletedId);
        foreach (StreamGroup group in stream.Groups())
        {
            total += OfText(group.Name) + OfId(group.LastId) + OfNumber((ulong)group.EntriesRead)
                + OfNumber((ulong)group.PendingCount) + OfNumber((ulong)group.ConsumerCount);
            foreach (StreamPending pending in group.Pending(StreamId.Min))
            {
                total += RawIdBytes + sizeof(long) + OfNumber((ulong)pending.Deliveries);
            }

            foreach (StreamConsumer consumer in group.AllConsumers())
            {
                total += OfText(consumer.Name) + sizeof(long) + OfNumber((ulong)consumer.PendingCount)
                    + (consumer.PendingCount * RawIdBytes);
            }
        }

        return total;
    }

    private static long OfId(StreamId id) => OfNumber(id.Ms) + OfNumber(id.Sequence);

    /// <summary>A string: its length in one, two, five or nine bytes, then the bytes.</summary>
    internal static long OfString(long lengthBytes) => OfNumber((ulong)lengthBytes) + lengthBytes;

    // A length, or a number in the form of one.
    private static long OfNumber(ulong number) => number switch
    {
        < 1 << 6 => 1,
        < 1 << 14 => 2,
        <= uint.MaxValue => 5,
        _ => 9,
    };

    /// <summary>An integer in 8, 16 or 32 bits after a type byte, or as a string when it needs more.</summary>
    internal static long OfInteger(long value) => value switch
    {
        >= sbyte.MinValue and <= sbyte.MaxValue => 2,
        >= short.MinValue and <= short.MaxValue => 3,
        >= int.MinValue and <= int.MaxValue => 5,
        _ => OfString((value < 0 ? 1 : 0) + Numbers.CountDigits((ulong)Math.Abs((decimal)value))),
    };

    private static long OfHash(HashValue hash)
    {
        if (hash.Encoding != ValueEncoding.HashTable)
        {
            return OfString(hash.PackedBytes.Length);
        }

        long total = OfString(hash.Count) - hash.Count;
        foreach (HashField field in hash)
        {
            total += OfText(field.Name.Bytes) + OfText(field.Value.Bytes);
        }

        return total;
    }

    private static long OfText(ReadOnlySpan<byte> text) =>
        IntegerText.TryParse(text, out long integer) ? OfInteger(integer) : OfString(text.Length);

    private static long OfSet(SetValue set)
    {
        if (set.Encoding != ValueEncoding.HashTable)
        {
            return OfString(set.PackedBytes.Length);
        }

        long total = OfString(set.Count) - set.Count;
        foreach (SetMember member in set)
        {
            total += member.TryGetInteger(out long integer) ? OfInteger(integer) : OfString(member.Bytes.Length);
        }

        return total;
    }
}
