namespace KvServer.Storage;

/// <summary>Walks over a stream as it was at the cut and writes its records, some at a time.</summary>
/// <remarks>
/// <para>The snapshot is one more owner of the stream's two roots (<see cref="StreamState"/>), so nothing the walk has
/// yet to see is ever changed: commands copy what they change. That is why places in the trees may be kept between two
/// slices. The share takes no native memory and is given up at the end.</para>
/// <para>Small streams are written at once, without a share. Command loop only.</para>
/// </remarks>
internal sealed unsafe class SnapshotStreamWalk(Keyspace keyspace, int pieceBytes)
{
    // What parts count for beside their bytes: about as long as copying so many.
    private const int StepBytes = 128;
    private const int LookUpBytes = 256;

    // What is written at once: a few microseconds.
    private const int SmallNodes = 4;
    private const int SmallBytes = 16 * 1024;
    private const int SmallGroups = 8;
    private const int SmallParts = 64;

    private StreamState _state;
    private StreamTreePath _upper; // Nodes, then groups.
    private StreamTreePath _names;
    private StreamTreePath _lower; // Pending entries of a group, then of a consumer.
    private StreamConsumerState* _consumer;
    private Place _place;
    private bool _isThere;
    private int _bytesDone;
    private bool _isShared;

    private enum Place : byte
    {
        Nodes,
        Groups,
        Pending,
        Consumers,
        ConsumerPending,
        End,
    }

    /// <summary>Whether a stream has so few parts that all of them can be written at once. O(1).</summary>
    public static bool IsSmall(StreamState* state)
    {
        if (state->NodeCount > SmallNodes || state->GroupCount > SmallGroups)
        {
            return false;
        }

        long bytes = 0;
        StreamTreePath path = default;
        bool isThere = new StreamNodeTree(null!, &state->Entries).SeekEnd(first: true, ref path);
        for (; isThere; isThere = StreamNodeTree.Step(ref path, forward: true))
        {
            bytes += StreamNode.BlockBytesOf(StreamNodeTree.SlotOf(ref path)->Node);
        }

        long parts = 0;
        isThere = new StreamGroupTree(null!, &state->Groups).SeekEnd(first: true, ref path);
        for (; isThere; isThere = StreamGroupTree.Step(ref path, forward: true))
        {
            StreamGroupState* group = StreamGroupTree.SlotOf(ref path)->Group;
            parts += group->PendingCount + group->ConsumerCount;
        }

        return bytes <= SmallBytes && parts <= SmallParts;
    }

    /// <summary>Begins a stream that does not change until it has been written.</summary>
    public void Begin(StreamState* state)
    {
        _state = *state;
        _place = Place.Nodes;
        fixed (byte** root = &_state.Entries)
        {
            _isThere = new StreamNodeTree(null!, root).SeekEnd(first: true, ref _upper);
        }
    }

    /// <summary>Begins a stream that may change: becomes one more owner of what it is now. O(1).</summary>
    public void BeginShared(StreamState* state)
    {
        Begin(state);
        StreamNodeTree.Share(_state.Entries);
        StreamGroupTree.Share(_state.Groups);
        _isShared = true;
    }

    /// <summary>Writes the next records.</summary>
    /// <param name="target">Where they go.</param>
    /// <param name="bytes">Write at least so many, unless there are fewer.</param>
    /// <returns>Whether there is more.</returns>
    /// <remarks>O(bytes), and O(log n) for each pending entry of a consumer.</remarks>
    public bool Write(SnapshotRecordWriter target, long bytes)
    {
        while (bytes > 0 && _place != Place.End)
        {
            bytes -= StepBytes + WriteNext(target);
        }

        return _place != Place.End;
    }

    /// <summary>Gives up the share; what only the snapshot still owns is freed in the background.</summary>
    public void End()
    {
        if (!_isShared)
        {
            return;
        }

        _isShared = false;
        if (_state.Entries != null)
        {
            keyspace.Reclaimer.FreeShared(_state.Entries, &StreamNodeTree.Release);
        }

        if (_state.Groups != null)
        {
            keyspace.Reclaimer.FreeShared(_state.Groups, &StreamGroupTree.Release);
        }
    }

    private int WriteNext(SnapshotRecordWriter target) => _place switch
    {
        Place.Nodes => WriteNode(target),
        Place.Groups => WriteGroup(target),
        Place.Pending => WritePending(target),
        Place.Consumers => WriteConsumer(target),
        _ => WriteConsumerPending(target),
    };

    private int WriteNode(SnapshotRecordWriter target)
    {
        if (!_isThere)
        {
            target.StreamCounters(_state.Counters);
            _place = Place.Groups;
            fixed (byte** root = &_state.Groups)
            {
                _isThere = new StreamGroupTree(null!, root).SeekEnd(first: true, ref _upper);
            }

            return 0;
        }

        StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref _upper);
        ReadOnlySpan<byte> list = StreamNode.ListOf(slot->Node).Bytes;
        int length = list.Length;
        if (length <= pieceBytes)
        {
            target.StreamNode(slot->Id, list);
        }
        else
        {
            if (_bytesDone == 0)
            {
                target.LongStreamNode(slot->Id, list.Length);
            }

            length = Math.Min(list.Length - _bytesDone, pieceBytes);
            target.Part(SnapshotRecordKind.Piece, list.Slice(_bytesDone, length));
            _bytesDone += length;
            if (_bytesDone < list.Length)
            {
                return length;
            }

            _bytesDone = 0;
        }

        _isThere = StreamNodeTree.Step(ref _upper, forward: true);
        return length;
    }

    private int WriteGroup(SnapshotRecordWriter target)
    {
        if (!_isThere)
        {
            _place = Place.End;
            return 0;
        }

        StreamGroupSlot* slot = StreamGroupTree.SlotOf(ref _upper);
        StreamGroupState* group = slot->Group;
        target.StreamGroup(slot->Name.Bytes, group->LastId, group->EntriesRead, group->PendingCount);
        _place = Place.Pending;
        _isThere = new StreamPendingTree(null!, &group->Pending).SeekEnd(first: true, ref _lower);
        return slot->Name.Bytes.Length;
    }

    private int WritePending(SnapshotRecordWriter target)
    {
        if (!_isThere)
        {
            StreamGroupState* group = StreamGroupTree.SlotOf(ref _upper)->Group;
            target.Length(SnapshotRecordKind.StreamConsumers, group->ConsumerCount);
            _place = Place.Consumers;
            _isThere = new StreamConsumerNameTree(null!, &group->Names).SeekEnd(first: true, ref _names);
            return 0;
        }

        target.StreamPending(StreamPendingTree.SlotOf(ref _lower));
        _isThere = StreamPendingTree.Step(ref _lower, forward: true);
        return 0;
    }

    private int WriteConsumer(SnapshotRecordWriter target)
    {
        if (!_isThere)
        {
            _place = Place.Groups;
            _isThere = StreamGroupTree.Step(ref _upper, forward: true);
            return 0;
        }

        StreamGroupState* group = StreamGroupTree.SlotOf(ref _upper)->Group;
        long number = StreamConsumerNameTree.SlotOf(ref _names)->Number;
        _consumer = new StreamConsumerTree(null!, &group->Consumers).Find(number)->Consumer;
        ReadOnlySpan<byte> name = _consumer->Name.Bytes;
        target.StreamConsumer(name, _consumer->SeenMs, _consumer->ActiveMs, _consumer->PendingCount);
        _place = Place.ConsumerPending;
        _isThere = new StreamIdTree(null!, &_consumer->Pending).SeekEnd(first: true, ref _lower);
        return name.Length;
    }

    private int WriteConsumerPending(SnapshotRecordWriter target)
    {
        if (!_isThere)
        {
            _place = Place.Consumers;
            _isThere = StreamConsumerNameTree.Step(ref _names, forward: true);
            return 0;
        }

        StreamGroupState* group = StreamGroupTree.SlotOf(ref _upper)->Group;
        StreamPendingSlot* slot = new StreamPendingTree(null!, &group->Pending).Find(StreamIdTree.SlotOf(ref _lower)->Id);
        Invariant.Check(slot != null, "what a consumer has pending its group has pending too");
        target.StreamPending(slot);
        _isThere = StreamIdTree.Step(ref _lower, forward: true);
        return LookUpBytes;
    }
}
