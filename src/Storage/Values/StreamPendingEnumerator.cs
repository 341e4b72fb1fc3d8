namespace KvServer.Storage;

/// <summary>Walks over pending entries of a group or of one consumer, in the order of their ids.</summary>
/// <remarks>O(1) amortized a step for a group, O(log n) for a consumer. Valid until the stream changes. Command loop
/// only.</remarks>
public unsafe ref struct StreamPendingEnumerator
{
    private readonly StreamGroupState* _group;
    private readonly StreamConsumerState* _consumer;
    private readonly StreamId _from;
    private StreamTreePath _path;
    private bool _isStarted;

    internal StreamPendingEnumerator(StreamGroupState* group, StreamConsumerState* consumer, StreamId from)
    {
        _group = group;
        _consumer = consumer;
        _from = from;
    }

    /// <summary>The pending entry <see cref="MoveNext"/> has come to.</summary>
    public StreamPending Current { readonly get; private set; }

    /// <summary>Serves foreach.</summary>
    public readonly StreamPendingEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next one.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        StreamPendingTree pending = new(null!, &_group->Pending);
        StreamPendingSlot* slot = null;
        bool isThere;
        if (_consumer == null)
        {
            isThere = _isStarted ? StreamPendingTree.Step(ref _path, forward: true) : pending.Seek(_from, ref _path);
            slot = isThere ? StreamPendingTree.SlotOf(ref _path) : null;
        }
        else
        {
            isThere = _isStarted
                ? StreamIdTree.Step(ref _path, forward: true)
                : new StreamIdTree(null!, &_consumer->Pending).Seek(_from, ref _path);
            slot = isThere ? pending.Find(StreamIdTree.SlotOf(ref _path)->Id) : null;
            Invariant.Check(slot != null || !isThere, "what a consumer has pending its group has pending too");
        }

        _isStarted = true;
        if (isThere)
        {
            Current = new StreamPending(slot->Id, slot->DeliveredMs, slot->Deliveries, slot->Consumer);
        }

        return isThere;
    }
}
