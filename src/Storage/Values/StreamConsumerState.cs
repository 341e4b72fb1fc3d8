using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>A consumer of a group: a block of native memory that streams may share (<see cref="SharedBlock"/>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StreamConsumerState
{
    /// <summary>Number of owners; first, as in every shared block.</summary>
    public int Owners;

    /// <summary>Root of the ids of its pending entries.</summary>
    public byte* Pending;

    /// <summary>Number of them.</summary>
    public long PendingCount;

    /// <summary>Its name.</summary>
    public StreamName Name;

    /// <summary>When it was last named in a command.</summary>
    public long SeenMs;

    /// <summary>When it last got entries, or -1.</summary>
    public long ActiveMs;

    /// <summary>Gives up a share; the last owner frees it with what only it owns. O(nodes freed).</summary>
    public static void Release(NativeHeap heap, StreamConsumerState* consumer, FreeFrom from)
    {
        if (SharedBlock.Leave((byte*)consumer))
        {
            StreamIdTree.Release(heap, consumer->Pending, from);
            consumer->Name.Release(heap, from);
            heap.Free((byte*)consumer, (nuint)sizeof(StreamConsumerState), HeapTag.State, from);
        }
    }

    /// <summary>Makes the consumer of a slot, which is owned, the slot's own.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public static StreamConsumerState* Own(NativeHeap heap, StreamConsumerSlot* slot)
    {
        StreamConsumerState* consumer = slot->Consumer;
        if (!SharedBlock.IsShared((byte*)consumer))
        {
            return consumer;
        }

        var copy = (StreamConsumerState*)heap.Allocate((nuint)sizeof(StreamConsumerState), HeapTag.State);
        *copy = *consumer;
        SharedBlock.Begin((byte*)copy);
        StreamIdTree.Share(copy->Pending);
        copy->Name.Share();
        slot->Consumer = copy;
        Release(heap, consumer, FreeFrom.CommandLoop);
        return copy;
    }
}
