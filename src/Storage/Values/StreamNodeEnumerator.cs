namespace KvServer.Storage;

/// <summary>Walks over the nodes of a stream as snapshots and dumps write them.</summary>
/// <remarks>Valid until the stream changes. Command loop only.</remarks>
public unsafe ref struct StreamNodeEnumerator
{
    private readonly StreamState* _state;
    private StreamTreePath _path;
    private bool _isStarted;

    internal StreamNodeEnumerator(StreamState* state) => _state = state;

    /// <summary>The id that the node's entries are told as differences to.</summary>
    public StreamId Id { get; private set; }

    /// <summary>The packed list, as redis-server writes it (<see cref="StreamNode"/>).</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Goes to the next node.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        bool isThere = _isStarted
            ? StreamNodeTree.Step(ref _path, forward: true)
            : new StreamNodeTree(null!, &_state->Entries).SeekEnd(first: true, ref _path);
        _isStarted = true;
        if (isThere)
        {
            StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref _path);
            Id = slot->Id;
            Bytes = StreamNode.ListOf(slot->Node).Bytes;
        }

        return isThere;
    }
}
