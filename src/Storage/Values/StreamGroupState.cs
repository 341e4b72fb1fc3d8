using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>A consumer group: a block of native memory that streams may share (<see cref="SharedBlock"/>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StreamGroupState
{
    /// <summary>Number of owners; first, as in every shared block.</summary>
    public int Owners;

    /// <summary>Root of the pending entries.</summary>
    public byte* Pending;

    /// <summary>Root of the consumers, by number.</summary>
    public byte* Consumers;

    /// <summary>Root of the consumers' numbers, by name.</summary>
    public byte* Names;

    /// <summary>Number of pending entries.</summary>
    public long PendingCount;

    /// <summary>Number of consumers.</summary>
    public long ConsumerCount;

    /// <summary>The number of the consumer made last.</summary>
    public long LastConsumer;

    /// <summary>The last entry that was delivered.</summary>
    public StreamId LastId;

    /// <summary>How many entries the group has read, or -1 when nobody knows.</summary>
    public long EntriesRead;

    /// <summary>Gives up a share; the last owner frees it with what only it owns. O(nodes freed).</summary>
    public static void Release(NativeHeap heap, byte* block, FreeFrom from)
    {
        if (SharedBlock.Leave(block))
        {
            var group = (StreamGroupState*)block;
            StreamPendingTree.Release(heap, group->Pending, from);
            StreamConsumerTree.Release(heap, group->Consumers, from);
            StreamConsumerNameTree.Release(heap, group->Names, from);
            heap.Free(block, (nuint)sizeof(StreamGroupState), HeapTag.State, from);
        }
    }

    /// <summary>Makes the group of a slot, which is owned, the slot's own.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public static StreamGroupState* Own(NativeHeap heap, StreamGroupSlot* slot)
    {
        StreamGroupState* group = slot->Group;
        if (!SharedBlock.IsShared((byte*)group))
        {
            return group;
        }

        var copy = (StreamGroupState*)heap.Allocate((nuint)sizeof(StreamGroupState), HeapTag.State);
        *copy = *group;
        SharedBlock.Begin((byte*)copy);
        StreamPendingTree.Share(copy->Pending);
        StreamConsumerTree.Share(copy->Consumers);
        StreamConsumerNameTree.Share(copy->Names);
        slot->Group = copy;
        Release(heap, (byte*)group, FreeFrom.CommandLoop);
        return copy;
    }

    /// <summary>Bytes of a group with all it holds. O(nodes of its trees).</summary>
    public static long BytesOf(StreamGroupState* group)
    {
        StreamPendingTree.NodesOf(group->Pending, out long bytes);
        StreamConsumerTree.NodesOf(group->Consumers, out long consumers);
        StreamConsumerNameTree.NodesOf(group->Names, out long names);
        bytes += consumers + names + (long)NativeHeap.UsableSize((nuint)sizeof(StreamGroupState));
        StreamTreePath path = default;
        bool isThere = new StreamConsumerTree(null!, &group->Consumers).SeekEnd(first: true, ref path);
        for (; isThere; isThere = StreamConsumerTree.Step(ref path, forward: true))
        {
            StreamConsumerState* consumer = StreamConsumerTree.SlotOf(ref path)->Consumer;
            StreamIdTree.NodesOf(consumer->Pending, out long pending);
            bytes += pending + (long)NativeHeap.UsableSize((nuint)sizeof(StreamConsumerState));
            bytes += (long)NativeHeap.UsableSize(consumer->Name.BlockBytes);
        }

        return bytes;
    }
}
