using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <summary>The memory of the server at one moment, in bytes.</summary>
/// <param name="Used">In live blocks of the heap.</param>
/// <param name="Reserved">That the heap holds from the system.</param>
/// <param name="Resident">Of the process that are really there.</param>
/// <param name="Peak">The most that was used.</param>
/// <param name="Overhead">Of those used, what is not keys and values.</param>
/// <param name="Clients">That clients take.</param>
internal readonly record struct MemoryFigures(
    long Used, long Reserved, long Resident, long Peak, long Overhead, long Clients)
{
    /// <summary>Takes the figures. O(clients). Command loop only.</summary>
    public static MemoryFigures Take(ServerState server)
    {
        NativeHeap heap = server.Keyspace.Heap;
        return new MemoryFigures(
            heap.UsedBytes,
            heap.ReservedBytes,
            ProcessFigures.ResidentBytes,
            heap.PeakBytes,
            heap.UsedBytesOf(HeapTag.Table) + heap.UsedBytesOf(HeapTag.State)
                + heap.UsedBytesOf(HeapTag.Expiry) + heap.UsedBytesOf(HeapTag.Buffer),
            server.Clients.All.Sum(ClientMemory.Of));
    }
}
