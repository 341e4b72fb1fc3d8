using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The state of a stream: native memory whose address stands in the key's entry. Only its trees are shared.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StreamState
{
    /// <summary>Root of the entries' nodes, by the ids these begin with.</summary>
    public byte* Entries;

    /// <summary>Root of the consumer groups.</summary>
    public byte* Groups;

    /// <summary>Number of entries.</summary>
    public long Length;

    /// <summary>Number of nodes.</summary>
    public long NodeCount;

    /// <summary>Number of groups.</summary>
    public long GroupCount;

    /// <summary>How many entries were ever added.</summary>
    public long EntriesAdded;

    /// <summary>The last id given to an entry, be it there still or not.</summary>
    public StreamId LastId;

    /// <summary>The id of the first entry; 0-0 when there is none.</summary>
    public StreamId FirstId;

    /// <summary>The largest id of an entry that was deleted by its id.</summary>
    public StreamId MaxDeletedId;

    /// <summary>What a stream says of itself, as files carry it.</summary>
    public readonly StreamCounters Counters => new(Length, LastId, FirstId, MaxDeletedId, EntriesAdded, GroupCount);

    /// <summary>Makes a stream without entries.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static StreamState* Create(NativeHeap heap)
    {
        var state = (StreamState*)heap.Allocate((nuint)sizeof(StreamState), HeapTag.State);
        *state = default;
        return state;
    }

    /// <summary>Makes another stream of the same content: both share all nodes until one of them changes. O(1).</summary>
    /// <remarks>This is COPY, and what a snapshot does to keep a stream as it is.</remarks>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static StreamState* Share(NativeHeap heap, StreamState* source)
    {
        StreamState* copy = Create(heap);
        *copy = *source;
        StreamNodeTree.Share(copy->Entries);
        StreamGroupTree.Share(copy->Groups);
        return copy;
    }

    /// <summary>Frees a stream, but for what others share. O(nodes). Any thread that owns it.</summary>
    public static void Free(NativeHeap heap, StreamState* state, FreeFrom from)
    {
        StreamNodeTree.Release(heap, state->Entries, from);
        StreamGroupTree.Release(heap, state->Groups, from);
        heap.Free((byte*)state, (nuint)sizeof(StreamState), HeapTag.State, from);
    }

    /// <summary>Moves a node of entries, with the nodes of the tree above it, out of slabs that are to be emptied, as far as
    /// nobody shares them.</summary>
    /// <param name="heap">Where it is.</param>
    /// <param name="state">The stream, which belongs to a key.</param>
    /// <param name="from">An id up from which to look for a node: the smallest, or what the last call returned.</param>
    /// <param name="budget">What may still be done.</param>
    /// <returns>The id of the node behind it; the smallest when there is none.</returns>
    /// <exception cref="OutOfMemoryException">Some of it may have moved.</exception>
    /// <remarks>O(log n) and the bytes of the node.</remarks>
    public static StreamId MoveNode(NativeHeap heap, StreamState* state, StreamId from, ref MoveBudget budget)
    {
        budget.CountLook();
        StreamNodeTree tree = new(heap, &state->Entries);
        StreamTreePath path = default;
        if (!tree.Seek(from, ref path))
        {
            return StreamId.Min;
        }

        if (tree.MoveWay(ref path, ref budget))
        {
            StreamNode.Move(heap, StreamNodeTree.SlotOf(ref path), ref budget);
        }

        return StreamNodeTree.Step(ref path, forward: true) ? StreamNodeTree.SlotOf(ref path)->Id : StreamId.Min;
    }

    /// <summary>How many parts must be freed one by one, or as many as are too many to be freed at once. O(1): groups are
    /// counted up to there.</summary>
    public static long EffortOf(StreamState* state)
    {
        StreamTreePath path = default;
        long effort = state->NodeCount;
        bool isThere = new StreamGroupTree(null!, &state->Groups).SeekEnd(first: true, ref path);
        for (; isThere && effort <= ValueLifetime.EagerFreeLimit; isThere = StreamGroupTree.Step(ref path, forward: true))
        {
            StreamGroupState* group = StreamGroupTree.SlotOf(ref path)->Group;
            effort += 1 + group->PendingCount + group->ConsumerCount;
        }

        return effort;
    }

    /// <summary>Bytes of a stream; what entries take is estimated from the first nodes.</summary>
    /// <param name="state">The stream.</param>
    /// <param name="sampleSize">Nodes and groups to look at; 0 means all.</param>
    public static long BytesOf(StreamState* state, long sampleSize)
    {
        StreamNodeTree.NodesOf(state->Entries, out long bytes);
        StreamGroupTree.NodesOf(state->Groups, out long groups);
        bytes += groups + (long)NativeHeap.UsableSize((nuint)sizeof(StreamState));
        StreamTreePath path = default;
        long seen = 0;
        long sum = 0;
        bool isThere = new StreamNodeTree(null!, &state->Entries).SeekEnd(first: true, ref path);
        for (; isThere && (sampleSize == 0 || seen < sampleSize); isThere = StreamNodeTree.Step(ref path, forward: true))
        {
            sum += (long)NativeHeap.UsableSize((nuint)StreamNode.BlockBytesOf(StreamNodeTree.SlotOf(ref path)->Node));
            seen++;
        }

        bytes += seen == 0 ? 0 : (long)((double)sum / seen * state->NodeCount);
        sum = 0;
        seen = 0;
        isThere = new StreamGroupTree(null!, &state->Groups).SeekEnd(first: true, ref path);
        for (; isThere && (sampleSize == 0 || seen < sampleSize); isThere = StreamGroupTree.Step(ref path, forward: true))
        {
            StreamGroupSlot* slot = StreamGroupTree.SlotOf(ref path);
            sum += (long)NativeHeap.UsableSize(slot->Name.BlockBytes) + StreamGroupState.BytesOf(slot->Group);
            seen++;
        }

        return bytes + (seen == 0 ? 0 : (long)((double)sum / seen * state->GroupCount));
    }
}
