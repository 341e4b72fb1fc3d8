using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <summary>The memory of the server at one moment, in bytes.</summary>
/// <param name="Used">What the data, the buffers of clients, what they subscribe to and track, and that of the append-only file take.</param>
/// <param name="Allocated">In live blocks of the heap.</param>
/// <param name="Active">Of the slabs and large blocks that these are in.</param>
/// <param name="Held">The same with free slabs that still have their memory.</param>
/// <param name="Resident">Of the process that are really there.</param>
/// <param name="Peak">The most that was used.</param>
/// <param name="Overhead">Of those used, what is not keys and values.</param>
/// <param name="Clients">That clients take, their sessions included; <paramref name="Used"/> has their buffers only.</param>
/// <param name="NotCounted">Of those used, what the memory limit leaves out.</param>
internal readonly record struct MemoryFigures(
    long Used, long Allocated, long Active, long Held, long Resident, long Peak, long Overhead, long Clients, long NotCounted)
{
    /// <summary>Takes the figures. O(clients). Command loop only.</summary>
    public static MemoryFigures Take(ServerState server)
    {
        NativeHeap heap = server.Keyspace.Heap;
        long notCounted = server.Aof.BufferedBytes;
        long buffers = server.ClientBytes + notCounted;
        long used = heap.UsedBytes + buffers;
        return new MemoryFigures(
            used,
            heap.UsedBytes,
            heap.HeldBytes,
            heap.HeldBytes + heap.FreeSlabBytes,
            ProcessFigures.ResidentBytes,
            Math.Max(heap.PeakBytes, used),
            heap.UsedBytesOf(HeapTag.Table) + heap.UsedBytesOf(HeapTag.State)
                + heap.UsedBytesOf(HeapTag.Expiry) + heap.UsedBytesOf(HeapTag.Buffer) + buffers,
            server.Clients.All.Sum(ClientMemory.Of),
            notCounted);
    }
}
