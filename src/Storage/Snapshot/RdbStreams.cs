using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Makes streams of values in a file, in each of the three forms, or passes them by.</summary>
/// <remarks>
/// <code>
/// nodes     count | id: 16 bytes as a string | packed list as a string | ...
/// counters  length | last id | first id, largest deleted id | entries added               from the second form on
/// groups    count | name | last id | entries read (second form) | pending | consumers | ...
/// pending   count | id: 16 bytes | delivered at: 8 | deliveries | ...
/// consumers count | name | seen at: 8 | active at: 8 (third form) | count | id: 16 bytes | ... | ...
/// </code>
/// <para>Nothing is believed: nodes are looked at element by element (<see cref="StreamNodeCheck"/>), and what they
/// hold decides about length, first id and order. A node whose entries are all deleted is left out. So are deleted entries
/// that lie behind what comes later, as XSETID can make them.</para>
/// </remarks>
internal static class RdbStreams
{
    private const int IdBytes = 16;
    private const int PendingBytes = IdBytes + sizeof(long) + 1;

    /// <summary>The builder of this type; see <see cref="RdbBuilders.Builder"/>.</summary>
    public static bool Build(in RdbTarget target, ref RdbElements elements)
    {
        RdbInput input = elements.Input;
        StreamValue stream = StreamValue.Create(target.Database.Keyspace, target.Limits.Streams);
        try
        {
            StreamId last = StreamId.Min;
            for (long nodes = input.ReadCount(); nodes > 0; nodes--)
            {
                BuildNode(input, ref last, stream);
            }

            StreamCounters counters = ReadCounters(input, elements.Type, stream.Length, last);
            stream.SetLastId(counters.LastId);
            stream.SetHistory(counters.EntriesAdded, counters.MaxDeletedId);
            for (long groups = input.ReadCount(); groups > 0; groups--)
            {
                BuildGroup(input, elements.Type, stream);
            }

            target.BeforeStore(input);
            stream.StoreAs(target.Database, target.Key, lazily: false, target.ExpireAtMs);
            return true; // A stream may be empty.
        }
        finally
        {
            stream.Dispose();
        }
    }

    /// <summary>Passes by a stream's value: all is checked but names and ids that come twice, which takes memory.</summary>
    public static void Skip(RdbInput input, RdbType type)
    {
        StreamId last = StreamId.Min;
        long length = 0;
        for (long nodes = input.ReadCount(); nodes > 0; nodes--)
        {
            ReadNode(input, ref last, out _, out StreamNodeFigures figures);
            length += figures.Count;
        }

        ReadCounters(input, type, length, last);
        for (long groups = input.ReadCount(); groups > 0; groups--)
        {
            SkipGroup(input, type);
        }
    }

    private static void BuildNode(RdbInput input, ref StreamId last, in StreamValue stream)
    {
        StreamId lastBefore = last;
        StreamId id = ReadNode(input, ref last, out Span<byte> list, out StreamNodeFigures figures);
        if (figures.Count == 0)
        {
            return;
        }

        if (id <= stream.LastId && lastBefore < id)
        {
            stream.SetLastId(lastBefore); // Deleted entries lie behind.
        }

        if (!figures.IsOrdered)
        {
            byte[] copy = list.ToArray();
            StreamNode.DropDeleted(copy, id);
            list = copy.AsSpan(0, new PackedList(copy).LengthBytes);
        }

        if (!stream.TryAppendNode(id, list))
        {
            input.Fail("A stream's nodes are not in order");
        }
    }

    private static StreamId ReadNode(
        RdbInput input, ref StreamId last, out Span<byte> list, out StreamNodeFigures figures)
    {
        ReadOnlySpan<byte> bytes = input.ReadString();
        if (bytes.Length != IdBytes)
        {
            input.Fail("A stream's entries begin with an id that has not 16 bytes");
        }

        StreamId id = IdOf(bytes);
        list = input.ReadString();
        if (!StreamNodeCheck.TryCheck(list, id, out figures))
        {
            input.Fail("A stream's listpack is damaged");
        }

        if (figures.Count > 0)
        {
            if (figures.FirstId <= last)
            {
                input.Fail("A stream's nodes are not in order");
            }

            last = figures.LastId;
        }

        return id;
    }

    // Of what is said here only that can be used which nothing else tells.
    private static StreamCounters ReadCounters(RdbInput input, RdbType type, long length, StreamId lastOfNodes)
    {
        ulong announced = input.ReadUnsigned();
        StreamId last = ReadId(input);
        StreamId maxDeleted = StreamId.Min;
        ulong added = (ulong)length;
        if (type != RdbType.Stream)
        {
            ReadId(input); // The first id, which the nodes tell.
            maxDeleted = ReadId(input);
            added = input.ReadUnsigned();
        }

        if (announced != (ulong)length)
        {
            input.Fail($"A stream of {announced} entries has {length} of them");
        }

        if (last < lastOfNodes)
        {
            input.Fail("A stream has ids behind its last one");
        }

        // One that has gone on past 63 bits is negative, as in redis-server, and says nothing.
        if (added < (ulong)length)
        {
            input.Fail($"A stream of {length} entries had {added} added");
        }

        return new StreamCounters(length, last, default, maxDeleted, (long)added, 0);
    }

    private static void BuildGroup(RdbInput input, RdbType type, in StreamValue stream)
    {
        ReadOnlySpan<byte> name = input.ReadString();
        if (!stream.TryAddGroup(name, StreamId.Min, -1) || !stream.TryFindGroup(name, out StreamGroup group))
        {
            input.Fail("A stream has the same consumer group twice");
            return;
        }

        StreamId lastId = ReadId(input);
        long entriesRead = type == RdbType.Stream ? EstimateEntriesRead(stream, lastId) : (long)input.ReadUnsigned();
        group.SetLastId(lastId, entriesRead);
        for (long left = ReadCountOf(input, PendingBytes); left > 0; left--)
        {
            if (!group.TryAddPending(ReadPending(input)))
            {
                input.Fail("A consumer group has the same pending entry twice");
            }
        }

        long assigned = 0;
        for (long left = input.ReadCount(); left > 0; left--)
        {
            assigned += BuildConsumer(input, type, ref group);
        }

        CheckAssigned(input, assigned, group.PendingCount);
    }

    // Returns how many pending entries the consumer has.
    private static long BuildConsumer(RdbInput input, RdbType type, ref StreamGroup group)
    {
        if (!group.TryAddConsumer(input.ReadString(), 0, out long number))
        {
            input.Fail("A consumer group has the same consumer twice");
        }

        long seenMs = input.ReadInt64();
        group.SetSeen(number, seenMs);
        group.SetActive(number, type == RdbType.Stream3 ? input.ReadInt64() : seenMs); // The best that can be said.
        long count = ReadCountOf(input, IdBytes);
        for (long left = count; left > 0; left--)
        {
            StreamId id = IdOf(input.Take(IdBytes));
            if (!group.TryGetPending(id, out StreamPending pending))
            {
                input.Fail("A consumer has a pending entry that its group does not have");
            }

            if (pending.Consumer != 0)
            {
                input.Fail("A pending entry belongs to two consumers");
            }

            group.SetPending(pending with { Consumer = number });
        }

        return count;
    }

    private static void SkipGroup(RdbInput input, RdbType type)
    {
        input.ReadString(); // Name.
        ReadId(input);
        if (type != RdbType.Stream)
        {
            input.ReadUnsigned();
        }

        long pending = ReadCountOf(input, PendingBytes);
        for (long left = pending; left > 0; left--)
        {
            ReadPending(input);
        }

        long assigned = 0;
        for (long consumers = input.ReadCount(); consumers > 0; consumers--)
        {
            input.ReadString(); // Name.
            input.Skip(type == RdbType.Stream3 ? 2 * sizeof(long) : sizeof(long)); // Times seen and active.
            long count = ReadCountOf(input, IdBytes);
            input.Skip(count * IdBytes);
            assigned += count;
        }

        CheckAssigned(input, assigned, pending);
    }

    private static StreamPending ReadPending(RdbInput input)
    {
        StreamId id = IdOf(input.Take(IdBytes));
        long deliveredMs = input.ReadInt64();
        return new StreamPending(id, deliveredMs, (long)input.ReadUnsigned(), 0);
    }

    private static void CheckAssigned(RdbInput input, long assigned, long pending)
    {
        if (assigned != pending)
        {
            input.Fail($"Of {pending} pending entries of a group {assigned} have consumers");
        }
    }

    // The first form does not say how far a group has come; as in redis-server, some places tell.
    private static long EstimateEntriesRead(in StreamValue stream, StreamId lastId)
    {
        if (stream.EntriesAdded == 0 || (stream.Length > 0 && lastId < stream.FirstId))
        {
            return 0;
        }

        if (lastId == stream.LastId)
        {
            return stream.EntriesAdded;
        }

        return lastId == stream.FirstId ? 1 : -1;
    }

    // Of what takes at least so many bytes each.
    private static long ReadCountOf(RdbInput input, int bytesEach)
    {
        long count = input.ReadLength();
        if (count > input.Remaining / bytesEach)
        {
            input.Fail($"{count} parts of {bytesEach} bytes are announced, but only {input.Remaining} bytes are left");
        }

        return count;
    }

    private static StreamId ReadId(RdbInput input)
    {
        ulong ms = input.ReadUnsigned();
        return new StreamId(ms, input.ReadUnsigned());
    }

    private static StreamId IdOf(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[sizeof(ulong)..]));
}
