using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>A handle to one stream: the value of a key, or a stream that belongs to no key (yet).</summary>
/// <remarks>
/// <code>
/// entry -> state  [entries|groups|counters]
///                    |        |
///                    |      tree: name -> group [pending|consumers|names|counters]
///                    |                             |        |        |
///                    |                             |        |      tree: name -> number
///                    |                             |      tree: number -> consumer [pending: tree of ids]
///                    |                           tree: id -> time, deliveries, number of the consumer
///                  tree: id -> node (packed list of up to a hundred entries, 4 KB)
/// </code>
/// <para>All of these are <see cref="StreamTree{TLayout,TKey,TSlot}"/>, whose nodes have owners, and so have groups,
/// consumers and nodes of entries. COPY and snapshots therefore become owners of two roots, and nobody copies more than
/// what a command changes.</para>
/// <para>Get one from <see cref="Database"/> for a key, where it is valid until something else changes the database,
/// or from <see cref="Create"/>, and then dispose it, whether a key has adopted it or not. A call that runs out of memory
/// leaves the stream as it was. Command loop only.</para>
/// </remarks>
public unsafe ref partial struct StreamValue
{
    private readonly StreamLimits _limits;
    private readonly Keyspace _keyspace;
    private readonly Database? _database;
    private readonly Entry _entry;
    private StreamState* _state;

    /// <summary>Number of entries.</summary>
    public readonly long Length => _state->Length;

    /// <summary>The last id given to an entry, be it there still or not.</summary>
    public readonly StreamId LastId => _state->LastId;

    /// <summary>The id of the first entry; 0-0 when there is none.</summary>
    public readonly StreamId FirstId => _state->FirstId;

    /// <summary>The largest id of an entry that was deleted by its id.</summary>
    public readonly StreamId MaxDeletedId => _state->MaxDeletedId;

    /// <summary>How many entries were ever added.</summary>
    public readonly long EntriesAdded => _state->EntriesAdded;

    /// <summary>Number of nodes of entries (radix-tree-keys).</summary>
    public readonly long NodeCount => _state->NodeCount;

    /// <summary>All of these at once, and how many groups there are.</summary>
    public readonly StreamCounters Counters => _state->Counters;

    private readonly StreamNodeTree Entries => new(Heap, &_state->Entries);

    /// <summary>Number of nodes of the tree that leads to the nodes of entries (radix-tree-nodes). O(that number).</summary>
    public readonly long CountTreeNodes() => StreamNodeTree.NodesOf(_state->Entries, out _);

    /// <summary>Walks over the entries between two ids, both included.</summary>
    /// <param name="start">The smallest id of interest.</param>
    /// <param name="end">The largest.</param>
    /// <param name="forward">From the smallest, or from the largest.</param>
    public readonly StreamEntryEnumerator Range(StreamId start, StreamId end, bool forward = true) =>
        new(_state, start, end, forward);

    /// <summary>Walks over all entries.</summary>
    public readonly StreamEntryEnumerator GetEnumerator() => Range(StreamId.Min, StreamId.Max);

    /// <summary>Walks over the nodes as snapshots and dumps write them.</summary>
    public readonly StreamNodeEnumerator Nodes() => new(_state);

    /// <summary>Whether there is an entry with an id. O(log n and one node).</summary>
    public readonly bool Contains(StreamId id) => Range(id, id).MoveNext();

    /// <summary>The entry with the largest id, or the smallest.</summary>
    /// <returns>False when there are no entries.</returns>
    public readonly bool TryGetEnd(bool first, out StreamEntry entry)
    {
        StreamEntryEnumerator at = Range(StreamId.Min, StreamId.Max, first);
        bool isThere = at.MoveNext();
        entry = isThere ? at.Current : default;
        return isThere;
    }

    /// <summary>Adds an entry at the end.</summary>
    /// <param name="id">Greater than <see cref="LastId"/>.</param>
    /// <param name="fields">Its fields and values; not parts of this stream.</param>
    /// <returns>False when it is too large to be stored, and nothing has changed.</returns>
    /// <remarks>O(log n) and the bytes of the entry.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly bool TryAppend<TFields>(StreamId id, scoped in TFields fields)
        where TFields : IStreamFields, allows ref struct
    {
        Debug.Assert(id > _state->LastId, "ids only grow");
        long textBytes = 0;
        for (int i = 0; i < fields.Count; i++)
        {
            textBytes += (long)fields.NameAt(i).Length + fields.ValueAt(i).Length;
        }

        if (textBytes > PackedList.MaxBytes)
        {
            return false;
        }

        if (!TryAppendToLast(id, fields, textBytes) && !TryAppendNode(id, fields))
        {
            return false;
        }

        _state->Length++;
        _state->EntriesAdded++;
        _state->LastId = id;
        if (_state->Length == 1)
        {
            _state->FirstId = id;
        }

        return true;
    }

    /// <summary>Deletes an entry. A stream may be empty and stay.</summary>
    /// <returns>Whether it was there.</returns>
    /// <remarks>O(log n and one node). The bytes are given back with the last entry of the node.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly bool Delete(StreamId id)
    {
        StreamTreePath path = default;
        if (!TryFind(id, ref path, out int position))
        {
            return false;
        }

        BeforeChange();
        Entries.Own(ref path);
        StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref path);
        long count = StreamNode.CountOf(StreamNode.ListOf(slot->Node));
        if (count == 1)
        {
            Entries.RemoveAt(ref path);
            _state->NodeCount--;
        }
        else
        {
            StreamNode.Own(Heap, slot, StreamNode.RoomToDelete(StreamNode.ListOf(slot->Node), 1), _limits.NodeBytes);
            PackedList list = StreamNode.ListOf(slot->Node);
            list.Replace(position, PackedElement.OfInteger(list[position].Integer | StreamNode.Deleted));
            StreamNode.CountDeleted(list, 1);
        }

        _state->Length--;
        if (id > _state->MaxDeletedId)
        {
            _state->MaxDeletedId = id;
        }

        if (id == _state->FirstId)
        {
            FindFirstId();
        }

        return true;
    }

    /// <summary>Sets the last id (XSETID, files). The caller has seen to it that no entry has a greater one.</summary>
    /// <remarks>Deleted entries may have; they go for good, because ids that are added later may be lower. Only the last
    /// node can have any: it has an entry that stays.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly void SetLastId(StreamId id)
    {
        BeforeChange();
        StreamTreePath path = default;
        if (Entries.SeekEnd(first: false, ref path))
        {
            StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref path);
            StreamNodeCursor cursor = new(StreamNode.ListOf(slot->Node), slot->Id);
            if (cursor.MovePrevious() && cursor.Id > id)
            {
                Entries.Own(ref path);
                slot = StreamNodeTree.SlotOf(ref path);
                StreamNode.Own(Heap, slot, 0, _limits.NodeBytes);
                StreamNode.DropDeleted(StreamNode.SpanOf(slot->Node), slot->Id);
            }
        }

        _state->LastId = id;
    }

    /// <summary>Sets what a stream remembers of entries that are gone (XSETID, files).</summary>
    public readonly void SetHistory(long entriesAdded, StreamId maxDeletedId)
    {
        BeforeChange();
        _state->EntriesAdded = entriesAdded;
        _state->MaxDeletedId = maxDeletedId;
    }

    /// <summary>Adds a node as <see cref="Nodes"/> yields them, to a stream that belongs to no key.</summary>
    /// <param name="id">The id its entries are told as differences to.</param>
    /// <param name="list">The packed list, which has been validated as far as its elements and numbers go: it has entries
    /// that are not deleted, as many as its head says, and their ids begin with this one and grow.</param>
    /// <returns>False when the node does not come behind what is there, and nothing has changed.</returns>
    /// <remarks>Sets length, first id and last id; O(log n) and the bytes of the list.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly bool TryAppendNode(StreamId id, ReadOnlySpan<byte> list)
    {
        Debug.Assert(_database is null, "nodes are given to streams that are being built");
        if (id <= _state->LastId)
        {
            return false;
        }

        InsertNode(id, StreamNode.Create(Heap, list, StreamNode.HeaderBytes + list.Length));
        StreamTreePath path = default;
        Entries.SeekEnd(first: false, ref path);
        PackedList added = StreamNode.ListOf(StreamNodeTree.SlotOf(ref path)->Node);
        StreamNodeCursor cursor = new(added, id);
        cursor.MovePrevious();
        bool wasEmpty = _state->Length == 0;
        _state->LastId = cursor.Id;
        _state->Length += StreamNode.CountOf(added);
        if (wasEmpty)
        {
            FindFirstId();
        }

        return true;
    }

    private readonly bool TryFind(StreamId id, ref StreamTreePath path, out int position)
    {
        position = PackedList.None;
        if (!Entries.SeekBack(id, ref path))
        {
            return false;
        }

        StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref path);
        StreamNodeCursor cursor = new(StreamNode.ListOf(slot->Node), slot->Id);
        while (cursor.MoveNext() && cursor.Id < id)
        {
        }

        position = cursor.Position;
        return cursor.Id == id && !cursor.IsDeleted;
    }

    private readonly void FindFirstId() =>
        _state->FirstId = TryGetEnd(first: true, out StreamEntry entry) ? entry.Id : StreamId.Min;

    private readonly bool TryAppendToLast<TFields>(StreamId id, scoped in TFields fields, long textBytes)
        where TFields : IStreamFields, allows ref struct
    {
        StreamTreePath path = default;
        if (!Entries.SeekEnd(first: false, ref path))
        {
            return false;
        }

        StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref path);
        PackedList list = StreamNode.ListOf(slot->Node);
        if (list.LengthBytes + textBytes >= _limits.NodeBytes
            || StreamNode.CountOf(list) + StreamNode.DeletedOf(list) >= _limits.NodeEntries)
        {
            return false;
        }

        StreamId difference = new(id.Ms - slot->Id.Ms, id.Sequence - slot->Id.Sequence);
        bool isSame = new StreamNodeCursor(list, slot->Id).HasNames(fields);
        BeforeChange();
        Entries.Own(ref path);
        slot = StreamNodeTree.SlotOf(ref path);
        if (!StreamNode.SurelyFits(slot->Node, textBytes, fields.Count))
        {
            long size = StreamNode.SizeOf(difference, fields, isFirst: false, isSame) + StreamNode.CounterRoom;
            if (list.LengthBytes + size > PackedList.MaxBytes)
            {
                return false;
            }

            StreamNode.Own(Heap, slot, size, _limits.NodeBytes);
        }

        StreamNode.Append(StreamNode.SpanOf(slot->Node), difference, fields, isSame);
        return true;
    }

    private readonly bool TryAppendNode<TFields>(StreamId id, scoped in TFields fields)
        where TFields : IStreamFields, allows ref struct
    {
        long size = PackedList.EmptyBytes + StreamNode.SizeOf(default, fields, isFirst: true, isSame: true);
        if (size > PackedList.MaxBytes)
        {
            return false;
        }

        BeforeChange();
        Span<byte> empty = stackalloc byte[PackedList.EmptyBytes];
        PackedList.Create(empty);
        byte* node = StreamNode.Create(Heap, empty, StreamNode.HeaderBytes + (int)size + StreamNode.CounterRoom);
        StreamNode.Append(StreamNode.SpanOf(node), default, fields, isSame: true);
        InsertNode(id, node);
        return true;
    }

    // Takes over a node whose entries come behind all others.
    private readonly void InsertNode(StreamId id, byte* node)
    {
        try
        {
            StreamTreePath path = default;
            if (Entries.SeekEnd(first: false, ref path))
            {
                Entries.Own(ref path);
                StreamNode.Shrink(Heap, StreamNodeTree.SlotOf(ref path));
            }

            Entries.Insert(new StreamNodeSlot { Id = id, Node = node });
        }
        catch (OutOfMemoryException)
        {
            StreamNode.Release(Heap, node, FreeFrom.CommandLoop);
            throw;
        }

        _state->NodeCount++;
    }
}
