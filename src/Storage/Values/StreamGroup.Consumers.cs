namespace KvServer.Storage;

/// <content>The consumers.</content>
public unsafe ref partial struct StreamGroup
{
    /// <summary>Number of consumers.</summary>
    public readonly long ConsumerCount => _group->ConsumerCount;

    private readonly StreamConsumerTree Consumers => new(_heap, &_group->Consumers);

    private readonly StreamConsumerNameTree Names => new(_heap, &_group->Names);

    /// <summary>Walks over the consumers in the order of their names.</summary>
    public readonly StreamConsumerEnumerator AllConsumers() => new(_group);

    /// <summary>Looks for a consumer by its name. O(log n).</summary>
    public readonly bool TryFindConsumer(scoped ReadOnlySpan<byte> name, out StreamConsumer consumer)
    {
        fixed (byte* start = name)
        {
            StreamConsumerNameSlot* slot = Names.Find(new StreamName(start, name.Length));
            consumer = slot == null ? default : new StreamConsumer(Consumers.Find(slot->Number));
            return slot != null;
        }
    }

    /// <summary>Looks for a consumer by its number. O(log n).</summary>
    public readonly bool TryGetConsumer(long number, out StreamConsumer consumer)
    {
        StreamConsumerSlot* slot = Consumers.Find(number);
        consumer = slot == null ? default : new StreamConsumer(slot);
        return slot != null;
    }

    /// <summary>Adds a consumer. O(log n).</summary>
    /// <param name="name">Its name; not a part of this stream.</param>
    /// <param name="seenMs">When it was last named in a command.</param>
    /// <param name="number">Its number, or that of the consumer that has the name already.</param>
    /// <param name="activeMs">When it last got entries, or -1.</param>
    /// <returns>False when there is one of the name, and nothing has changed.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool TryAddConsumer(scoped ReadOnlySpan<byte> name, long seenMs, out long number, long activeMs = -1)
    {
        if (TryFindConsumer(name, out StreamConsumer existing))
        {
            number = existing.Number;
            return false;
        }

        Own();
        number = _group->LastConsumer + 1;
        StreamName copy = StreamName.Create(_heap, name);
        StreamConsumerState* consumer = null;
        try
        {
            consumer = (StreamConsumerState*)_heap.Allocate((nuint)sizeof(StreamConsumerState), HeapTag.State);
            copy.Share(); // The consumer and its place among the names own it.
            *consumer = new StreamConsumerState { Name = copy, SeenMs = seenMs, ActiveMs = activeMs };
            SharedBlock.Begin((byte*)consumer);
            Names.Insert(new StreamConsumerNameSlot { Name = copy, Number = number });
        }
        catch (OutOfMemoryException)
        {
            copy.Release(_heap, FreeFrom.CommandLoop);
            if (consumer != null)
            {
                StreamConsumerState.Release(_heap, consumer, FreeFrom.CommandLoop);
            }

            throw;
        }

        try
        {
            Consumers.Insert(new StreamConsumerSlot { Number = number, Consumer = consumer });
        }
        catch (OutOfMemoryException)
        {
            Names.Remove(copy);
            StreamConsumerState.Release(_heap, consumer, FreeFrom.CommandLoop);
            throw;
        }

        _group->LastConsumer = number;
        _group->ConsumerCount++;
        return true;
    }

    /// <summary>Notes when a consumer, which exists, was last named in a command. O(log n).</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void SetSeen(long consumer, long seenMs)
    {
        Own();
        OwnConsumer(consumer)->SeenMs = seenMs;
    }

    /// <summary>Notes when a consumer, which exists, last got entries. O(log n).</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void SetActive(long consumer, long activeMs)
    {
        Own();
        OwnConsumer(consumer)->ActiveMs = activeMs;
    }

    /// <summary>Removes a consumer, which exists, with what it has pending.</summary>
    /// <returns>The number of its pending entries.</returns>
    /// <remarks>O(log n) for each of these.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public long RemoveConsumer(long consumer)
    {
        // First all that can fail: making the way to everything that goes the stream's own.
        Own();
        StreamConsumerState* removed = OwnConsumer(consumer);
        Names.FindOwned(removed->Name);
        StreamTreePath path = default;
        StreamIdTree ids = new(_heap, &removed->Pending);
        for (bool isThere = ids.SeekEnd(first: true, ref path); isThere; isThere = StreamIdTree.Step(ref path, forward: true))
        {
            Entries.FindOwned(StreamIdTree.SlotOf(ref path)->Id);
        }

        for (bool isThere = ids.SeekEnd(first: true, ref path); isThere; isThere = StreamIdTree.Step(ref path, forward: true))
        {
            Entries.Remove(StreamIdTree.SlotOf(ref path)->Id);
        }

        long count = removed->PendingCount;
        Names.Remove(removed->Name);
        Consumers.Remove(consumer);
        _group->PendingCount -= count;
        _group->ConsumerCount--;
        return count;
    }

    /// <summary>Makes a consumer the stream's own; null for number 0. The group is owned.</summary>
    private readonly StreamConsumerState* OwnConsumer(long number) =>
        number == 0 ? null : StreamConsumerState.Own(_heap, Consumers.FindOwned(number));
}
