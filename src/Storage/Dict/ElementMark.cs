using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The mark of an element of a collection: whether the snapshot that is being taken has yet to see it.</summary>
/// <remarks>What the mark means flips with each snapshot; see <see cref="SnapshotCut"/>.</remarks>
internal static unsafe class ElementMark
{
    /// <summary>The mark in the 16 bits above the link.</summary>
    public const int Bit = 1 << 15;

    private const int Offset = 6;

    /// <summary>Whether an element has the mark.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSet(byte* element) => (*(ushort*)(element + Offset) & Bit) != 0;

    /// <summary>Gives an element the other mark.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Flip(byte* element) => *(ushort*)(element + Offset) ^= Bit;
}
