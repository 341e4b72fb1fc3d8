namespace KvServer.Storage;

/// <summary>Who reads which values in parts at the moment.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed unsafe class PartialReads
{
    private readonly Dictionary<nint, List<PartialRead>> _byEntry = [];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Enters a reader. O(1).</summary>
    public void Add(byte* block, PartialRead read)
    {
        if (!_byEntry.TryGetValue((nint)block, out List<PartialRead>? reads))
        {
            _byEntry.Add((nint)block, reads = []);
        }

        reads.Add(read);
        Count++;
    }

    /// <summary>Forgets a reader that is there. O(readers of the same value).</summary>
    public void Remove(byte* block, PartialRead read)
    {
        List<PartialRead> reads = _byEntry[(nint)block];
        Invariant.Check(reads.Remove(read), "a reader ends once");
        if (reads.Count == 0)
        {
            _byEntry.Remove((nint)block);
        }

        Count--;
    }

    /// <summary>Whether somebody reads an entry, which must not move then. O(1).</summary>
    public bool IsRead(byte* block) => Count > 0 && _byEntry.ContainsKey((nint)block);

    /// <summary>Has the readers of an entry that is about to change read to the end.</summary>
    public void BeforeChange(byte* block)
    {
        if (Count > 0 && _byEntry.TryGetValue((nint)block, out List<PartialRead>? reads))
        {
            CompleteAll([.. reads]);
        }
    }

    /// <summary>Has all readers read to the end, before everything goes.</summary>
    public void CompleteAll()
    {
        if (Count > 0)
        {
            CompleteAll([.. _byEntry.Values.SelectMany(reads => reads)]);
        }
    }

    private static void CompleteAll(PartialRead[] reads)
    {
        foreach (PartialRead read in reads)
        {
            read.Complete();
        }
    }
}
