using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The state of a large list: 64 bytes of native memory, whose address stands in the key's entry.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal unsafe struct ListState
{
    /// <summary>Bytes of a state.</summary>
    public const int Bytes = 64;

    /// <summary>The root: a leaf when <see cref="Height"/> is 0; null for an empty list.</summary>
    public byte* Root;

    /// <summary>The first leaf when it is at hand: then this list alone owns every node on the way to it.</summary>
    public byte* Head;

    /// <summary>The last leaf, likewise.</summary>
    public byte* Tail;

    /// <summary>Number of elements.</summary>
    public long Count;

    /// <summary>Number of leaves.</summary>
    public long LeafCount;

    /// <summary>Elements that the first leaf has gained and the counts above it do not know of yet.</summary>
    public int HeadPending;

    /// <summary>Elements that the last leaf has gained, likewise.</summary>
    public int TailPending;

    /// <summary>Levels of inner nodes.</summary>
    public int Height;

    /// <summary>Whether some nodes may have other owners too.</summary>
    public bool WasShared;
}
