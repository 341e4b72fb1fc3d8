namespace KvServer.Storage;

/// <summary>Walks over the consumer groups of a stream in the order of their names.</summary>
/// <remarks>Valid until the stream changes, through one of the groups or otherwise. Command loop only.</remarks>
public unsafe ref struct StreamGroupEnumerator
{
    private readonly StreamValue _stream;
    private StreamTreePath _path;
    private bool _isStarted;

    internal StreamGroupEnumerator(StreamValue stream) => _stream = stream;

    /// <summary>The group <see cref="MoveNext"/> has come to.</summary>
    public StreamGroup Current { readonly get; private set; }

    /// <summary>Serves foreach.</summary>
    public readonly StreamGroupEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next group.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        bool isThere = _isStarted
            ? StreamGroupTree.Step(ref _path, forward: true)
            : new StreamGroupTree(null!, &_stream.State->Groups).SeekEnd(first: true, ref _path);
        _isStarted = true;
        if (isThere)
        {
            Current = new StreamGroup(_stream, StreamGroupTree.SlotOf(ref _path));
        }

        return isThere;
    }
}
