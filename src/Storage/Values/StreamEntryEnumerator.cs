namespace KvServer.Storage;

/// <summary>Walks over the entries of a stream between two ids, in either direction.</summary>
/// <remarks>Valid until the stream changes. The first step is O(log n) and the entries of one node. Command loop only.</remarks>
public unsafe ref struct StreamEntryEnumerator
{
    private readonly StreamState* _state;
    private readonly StreamId _start;
    private readonly StreamId _end;
    private readonly bool _forward;
    private StreamTreePath _path;
    private StreamNodeCursor _cursor;
    private bool _isStarted;
    private bool _isDone;

    internal StreamEntryEnumerator(StreamState* state, StreamId start, StreamId end, bool forward)
    {
        _state = state;
        _start = start;
        _end = end;
        _forward = forward;
    }

    /// <summary>The entry <see cref="MoveNext"/> has come to.</summary>
    public readonly StreamEntry Current => _cursor.Entry;

    /// <summary>Which of the nodes it has walked through this is, from 1 on.</summary>
    public int NodeNumber { get; private set; }

    /// <summary>Bytes of the node it is in.</summary>
    public readonly int NodeBytes => _cursor.ListBytes;

    /// <summary>Serves foreach.</summary>
    public readonly StreamEntryEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next entry of the range.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _isDone = !Find();
        }

        while (!_isDone)
        {
            if (!(_forward ? _cursor.MoveNext() : _cursor.MovePrevious()))
            {
                _isDone = !StreamNodeTree.Step(ref _path, _forward);
                if (!_isDone)
                {
                    Enter();
                }

                continue;
            }

            StreamId id = _cursor.Id;
            _isDone = _forward ? id > _end : id < _start;
            if (!_isDone && !_cursor.IsDeleted && id >= _start && id <= _end)
            {
                return true;
            }
        }

        return false;
    }

    private bool Find()
    {
        StreamNodeTree tree = new(null!, &_state->Entries);
        bool isThere = tree.SeekBack(_forward ? _start : _end, ref _path) || (_forward && tree.SeekEnd(first: true, ref _path));
        if (isThere)
        {
            Enter();
        }

        return isThere;
    }

    private void Enter()
    {
        StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref _path);
        _cursor = new StreamNodeCursor(StreamNode.ListOf(slot->Node), slot->Id);
        NodeNumber++;
    }
}
