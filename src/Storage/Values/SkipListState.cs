using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The whole state of a skip list with its dict: 240 bytes of native memory.</summary>
/// <remarks>The dict comes first: the address of a sorted set is that of its dict's state too, which is how a snapshot
/// knows it.</remarks>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal unsafe struct SkipListState
{
    /// <summary>Bytes of a state.</summary>
    public const int Bytes = DictState.Bytes + 16 + HeadBytes;

    private const int HeadBytes = SortedMemberLayout.MaxLevels * SortedMemberLayout.LevelBytes;

    /// <summary>The members by name.</summary>
    public DictState Dict;

    /// <summary>The last node, or null.</summary>
    public byte* Tail;

    /// <summary>Levels in use: those of the highest tower, at least 1.</summary>
    public int Levels;

    /// <summary>The tower before the first node.</summary>
    public fixed byte Head[HeadBytes];
}
