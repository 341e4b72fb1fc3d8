using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The whole state of a dict: 64 bytes of native memory, so that a million sets are no managed objects.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
public unsafe struct DictState
{
    /// <summary>Bytes of a state.</summary>
    public const int Bytes = 64;

    /// <summary>The table that serves.</summary>
    internal DictTable Table0;

    /// <summary>The table entries move to while a rehash is under way.</summary>
    internal DictTable Table1;

    /// <summary>Next bucket of table 0 to move; -1 while no rehash is under way.</summary>
    internal long RehashIndex;

    /// <summary>Number of iterators and scans during which no bucket may move.</summary>
    internal int PauseCount;

    /// <summary>Grows whenever the tables change places, which a walk in slices has to hear of.</summary>
    internal int Generation;
}
