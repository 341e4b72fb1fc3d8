namespace KvServer.Storage;

/// <summary>Walks over the consumers of a group in the order of their names.</summary>
/// <remarks>O(log n) a step. Valid until the stream changes. Command loop only.</remarks>
public unsafe ref struct StreamConsumerEnumerator
{
    private readonly StreamGroupState* _group;
    private StreamTreePath _path;
    private bool _isStarted;

    internal StreamConsumerEnumerator(StreamGroupState* group) => _group = group;

    /// <summary>The consumer <see cref="MoveNext"/> has come to.</summary>
    public StreamConsumer Current { readonly get; private set; }

    /// <summary>Serves foreach.</summary>
    public readonly StreamConsumerEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next consumer.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        bool isThere = _isStarted
            ? StreamConsumerNameTree.Step(ref _path, forward: true)
            : new StreamConsumerNameTree(null!, &_group->Names).SeekEnd(first: true, ref _path);
        _isStarted = true;
        if (isThere)
        {
            long number = StreamConsumerNameTree.SlotOf(ref _path)->Number;
            Current = new StreamConsumer(new StreamConsumerTree(null!, &_group->Consumers).Find(number));
        }

        return isThere;
    }
}
