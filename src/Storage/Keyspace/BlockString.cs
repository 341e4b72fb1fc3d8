using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>What an entry keeps of a string in a block of its own.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Bytes)]
internal unsafe struct BlockString
{
    /// <summary>Bytes of this struct.</summary>
    public const int Bytes = 16;

    /// <summary>The block, which the entry owns.</summary>
    public byte* Start;

    /// <summary>Bytes of the string.</summary>
    public uint Length;

    /// <summary>Bytes of the block.</summary>
    public uint Capacity;
}
