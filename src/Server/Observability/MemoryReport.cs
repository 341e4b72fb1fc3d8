using System.Globalization;
using System.Text;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <summary>MEMORY DOCTOR and MALLOC-STATS: the use of memory in words.</summary>
internal static class MemoryReport
{
    private const long Megabyte = 1024 * 1024;
    private const long TooLittleBytes = 5 * Megabyte;
    private const long WorthMentioningBytes = 10 * Megabyte;
    private const long LargeClientBytes = 200 * 1024;

    /// <summary>Reports what is unusual, with what may help. O(clients).</summary>
    public static string Make(ServerState server)
    {
        MemoryFigures memory = MemoryFigures.Take(server);
        if (memory.Used < TooLittleBytes)
        {
            return "There is too little data here to say anything about.\n";
        }

        List<string> findings = [];
        if (memory.Peak > memory.Used * 3 / 2)
        {
            findings.Add(
                $"The data took {InfoWriter.Human(memory.Peak)} once, now it takes {InfoWriter.Human(memory.Used)}. Memory "
                + $"of values that are gone is given back when a whole region is empty; MEMORY PURGE does so at once.");
        }

        long fragments = memory.Active - memory.Allocated;
        if (fragments > WorthMentioningBytes && fragments * 10 > memory.Used * 4)
        {
            findings.Add(
                $"The heap holds {InfoWriter.Human(fragments)} more than the data takes. That is what is left between "
                + $"values that were deleted here and there; new values of like sizes fill it again.");
        }

        long process = memory.Resident - memory.Held;
        if (process > WorthMentioningBytes && process * 2 > memory.Used)
        {
            findings.Add(
                $"{InfoWriter.Human(process)} of the process are not data: the runtime, its code and its own heap "
                + $"(gc_heap_bytes of INFO memory), and buffers.");
        }

        if (server.Clients.Count > 0 && memory.Clients / server.Clients.Count > LargeClientBytes)
        {
            findings.Add(
                $"{InfoWriter.Human(memory.Clients)} wait in the buffers of {server.Clients.Count} clients. CLIENT LIST "
                + $"shows whose (omem, qbuf); client-output-buffer-limit bounds them.");
        }

        return findings.Count == 0
            ? "Nothing is unusual about the use of memory.\n"
            : string.Concat(findings.Select(finding => "- " + finding + "\n"));
    }

    /// <summary>What the heap knows about itself: regions, blocks by purpose.</summary>
    public static string DescribeHeap(NativeHeap heap)
    {
        StringBuilder text = new();
        text.Append(Text($"used {heap.UsedBytes}\nreserved {heap.ReservedBytes}\npeak {heap.PeakBytes}\n"));
        text.Append(Text($"regions mapped since the start {heap.RegionsMapped}\n"));
        text.Append(Text($"freed elsewhere, not taken back yet {(heap.HasRemoteFrees ? "yes" : "no")}\n"));
        foreach (HeapTag tag in Enum.GetValues<HeapTag>())
        {
            text.Append(Text($"used by {tag.ToString().ToLowerInvariant()} {heap.UsedBytesOf(tag)}\n"));
        }

        return text.ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
