namespace KvServer.Storage;

/// <summary>A handle to a consumer group of a stream: its place in the stream, its consumers and what they have pending.</summary>
/// <remarks>
/// <para>A pending entry stands with the group under its id, with the number of the consumer that has it, and its id once
/// more with that consumer. Consumers are named by their numbers, which outlive every change.</para>
/// <para>Valid until the stream changes in other ways than through this handle; so there is one handle to a group at a
/// time. A call that runs out of memory leaves the group as it was. Command loop only.</para>
/// </remarks>
public unsafe ref partial struct StreamGroup
{
    private readonly StreamValue _stream;
    private readonly NativeHeap _heap;
    private readonly StreamName _name;
    private StreamGroupState* _group;
    private bool _isOwned;

    internal StreamGroup(StreamValue stream, StreamGroupSlot* slot)
    {
        _stream = stream;
        _heap = stream.HeapOfGroups;
        _name = slot->Name;
        _group = slot->Group;
    }

    /// <summary>Its name.</summary>
    public readonly ReadOnlySpan<byte> Name => _name.Bytes;

    /// <summary>The last entry that was delivered.</summary>
    public readonly StreamId LastId => _group->LastId;

    /// <summary>How many entries the group has read, or -1 when nobody knows.</summary>
    public readonly long EntriesRead => _group->EntriesRead;

    /// <summary>Number of pending entries.</summary>
    public readonly long PendingCount => _group->PendingCount;

    private readonly StreamPendingTree Entries => new(_heap, &_group->Pending);

    /// <summary>Sets how far the group has come.</summary>
    /// <param name="id">The last entry that was delivered.</param>
    /// <param name="entriesRead">How many entries were read, or -1 when nobody knows.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void SetLastId(StreamId id, long entriesRead)
    {
        Own();
        _group->LastId = id;
        _group->EntriesRead = entriesRead;
    }

    /// <summary>Walks over the pending entries from an id on.</summary>
    public readonly StreamPendingEnumerator Pending(StreamId from) => new(_group, null, from);

    /// <summary>Walks over the pending entries of a consumer, which exists, from an id on.</summary>
    public readonly StreamPendingEnumerator PendingOf(long consumer, StreamId from) =>
        new(_group, Consumers.Find(consumer)->Consumer, from);

    /// <summary>Looks for a pending entry. O(log n).</summary>
    public readonly bool TryGetPending(StreamId id, out StreamPending pending)
    {
        StreamPendingSlot* slot = Entries.Find(id);
        pending = slot == null ? default : new StreamPending(slot->Id, slot->DeliveredMs, slot->Deliveries, slot->Consumer);
        return slot != null;
    }

    /// <summary>The first pending entry whose id is at least one: a walk that may change the group between two steps.</summary>
    /// <returns>False when there is none.</returns>
    /// <remarks>O(log n).</remarks>
    public readonly bool TryGetPendingFrom(StreamId from, out StreamPending pending)
    {
        StreamPendingEnumerator at = Pending(from);
        bool isThere = at.MoveNext();
        pending = at.Current;
        return isThere;
    }

    /// <summary>As for the whole group, among those of a consumer, which exists.</summary>
    public readonly bool TryGetPendingFrom(long consumer, StreamId from, out StreamPending pending)
    {
        StreamPendingEnumerator at = PendingOf(consumer, from);
        bool isThere = at.MoveNext();
        pending = at.Current;
        return isThere;
    }

    /// <summary>The pending entry with the largest id. O(log n).</summary>
    /// <returns>False when there is none.</returns>
    public readonly bool TryGetLastPending(out StreamPending pending)
    {
        StreamTreePath path = default;
        bool isThere = Entries.SeekEnd(first: false, ref path);
        StreamPendingSlot slot = isThere ? *StreamPendingTree.SlotOf(ref path) : default;
        pending = new StreamPending(slot.Id, slot.DeliveredMs, slot.Deliveries, slot.Consumer);
        return isThere;
    }

    /// <summary>Adds a pending entry.</summary>
    /// <param name="pending">The entry; its consumer exists, or is 0 when it is to be named later by
    /// <see cref="SetPending"/>, as files do.</param>
    /// <returns>False when the id is pending already, and nothing has changed.</returns>
    /// <remarks>O(log n).</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool TryAddPending(StreamPending pending)
    {
        if (Entries.Find(pending.Id) != null)
        {
            return false;
        }

        Own();
        StreamConsumerState* consumer = OwnConsumer(pending.Consumer);
        StreamPendingSlot slot = new()
        {
            Id = pending.Id,
            DeliveredMs = pending.DeliveredMs,
            Deliveries = pending.Deliveries,
            Consumer = pending.Consumer,
        };
        Entries.Insert(slot);
        if (consumer != null)
        {
            try
            {
                new StreamIdTree(_heap, &consumer->Pending).Insert(new StreamIdSlot { Id = pending.Id });
            }
            catch (OutOfMemoryException)
            {
                Entries.Remove(pending.Id);
                throw;
            }

            consumer->PendingCount++;
        }

        _group->PendingCount++;
        return true;
    }

    /// <summary>Changes a pending entry: when and how often it was delivered, and who has it.</summary>
    /// <param name="pending">The entry as it shall be; its consumer exists.</param>
    /// <returns>False when the id is not pending, and nothing has changed.</returns>
    /// <remarks>O(log n).</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool SetPending(StreamPending pending)
    {
        if (Entries.Find(pending.Id) == null)
        {
            return false;
        }

        Own();
        StreamPendingSlot* slot = Entries.FindOwned(pending.Id);
        if (slot->Consumer != pending.Consumer)
        {
            StreamConsumerState* from = OwnConsumer(slot->Consumer);
            StreamConsumerState* to = OwnConsumer(pending.Consumer);
            if (from != null)
            {
                new StreamIdTree(_heap, &from->Pending).FindOwned(pending.Id);
            }

            new StreamIdTree(_heap, &to->Pending).Insert(new StreamIdSlot { Id = pending.Id });
            to->PendingCount++;
            if (from != null)
            {
                new StreamIdTree(_heap, &from->Pending).Remove(pending.Id);
                from->PendingCount--;
            }
        }

        slot->Consumer = pending.Consumer;
        slot->DeliveredMs = pending.DeliveredMs;
        slot->Deliveries = pending.Deliveries;
        return true;
    }

    /// <summary>Removes a pending entry (XACK).</summary>
    /// <returns>Whether there was one.</returns>
    /// <remarks>O(log n).</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool RemovePending(StreamId id)
    {
        if (Entries.Find(id) == null)
        {
            return false;
        }

        Own();
        StreamConsumerState* consumer = OwnConsumer(Entries.FindOwned(id)->Consumer);
        if (consumer != null)
        {
            new StreamIdTree(_heap, &consumer->Pending).Remove(id);
            consumer->PendingCount--;
        }

        Entries.Remove(id);
        _group->PendingCount--;
        return true;
    }

    // From the first change on the group is the stream's own, and stays where it is until the command ends.
    private void Own()
    {
        if (!_isOwned)
        {
            _group = _stream.OwnGroup(_name);
            _isOwned = true;
        }
    }
}
