namespace KvServer.Storage;

/// <content>The consumer groups.</content>
public unsafe ref partial struct StreamValue
{
    /// <summary>Number of consumer groups.</summary>
    public readonly long GroupCount => _state->GroupCount;

    /// <summary>Walks over the groups in the order of their names.</summary>
    public readonly StreamGroupEnumerator Groups() => new(this);

    /// <summary>Looks for a group. O(log n).</summary>
    /// <param name="name">Its name.</param>
    /// <param name="group">Valid until the stream changes in other ways than through this handle.</param>
    /// <returns>False when there is none.</returns>
    public readonly bool TryFindGroup(scoped ReadOnlySpan<byte> name, out StreamGroup group)
    {
        fixed (byte* start = name)
        {
            StreamGroupSlot* slot = new StreamGroupTree(Heap, &_state->Groups).Find(new StreamName(start, name.Length));
            group = slot == null ? default : new StreamGroup(this, slot);
            return slot != null;
        }
    }

    /// <summary>Adds a group without consumers. O(log n).</summary>
    /// <param name="name">Its name; not a part of this stream.</param>
    /// <param name="lastId">The last entry it is taken to have delivered.</param>
    /// <param name="entriesRead">How many entries it has read, or -1 when nobody knows.</param>
    /// <returns>False when there is one of the name, and nothing has changed.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly bool TryAddGroup(scoped ReadOnlySpan<byte> name, StreamId lastId, long entriesRead)
    {
        if (TryFindGroup(name, out _))
        {
            return false;
        }

        BeforeChange();
        StreamGroupSlot slot = default;
        slot.Name = StreamName.Create(Heap, name);
        try
        {
            slot.Group = (StreamGroupState*)Heap.Allocate((nuint)sizeof(StreamGroupState), HeapTag.State);
            *slot.Group = new StreamGroupState { LastId = lastId, EntriesRead = entriesRead };
            SharedBlock.Begin((byte*)slot.Group);
            new StreamGroupTree(Heap, &_state->Groups).Insert(slot);
        }
        catch (OutOfMemoryException)
        {
            slot.Name.Release(Heap, FreeFrom.CommandLoop);
            if (slot.Group != null)
            {
                StreamGroupState.Release(Heap, (byte*)slot.Group, FreeFrom.CommandLoop);
            }

            throw;
        }

        _state->GroupCount++;
        return true;
    }

    /// <summary>Removes a group with all it holds; what is large is freed in the background. O(log n).</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly bool RemoveGroup(scoped ReadOnlySpan<byte> name)
    {
        if (!TryFindGroup(name, out _))
        {
            return false;
        }

        BeforeChange();
        StreamGroupTree groups = new(Heap, &_state->Groups);
        fixed (byte* start = name)
        {
            StreamName key = new(start, name.Length);
            StreamGroupState* group = groups.FindOwned(key)->Group;
            bool isLarge = group->PendingCount + group->ConsumerCount > ValueLifetime.LazyFreeThreshold;
            if (isLarge)
            {
                SharedBlock.Share((byte*)group);
            }

            groups.Remove(key);
            if (isLarge)
            {
                _keyspace.Reclaimer.FreeShared((byte*)group, &StreamGroupState.Release);
            }
        }

        _state->GroupCount--;
        return true;
    }

    /// <summary>Makes the group of a name, which exists, this stream's own.</summary>
    internal readonly StreamGroupState* OwnGroup(StreamName name)
    {
        BeforeChange();
        return StreamGroupState.Own(Heap, new StreamGroupTree(Heap, &_state->Groups).FindOwned(name));
    }

    internal readonly NativeHeap HeapOfGroups => Heap;
}
