using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Blocks of a stream that several owners may have, counted in their first four bytes.</summary>
/// <remarks>Who wants to change a block must be its only owner, as of all blocks on the way to it, and otherwise makes a
/// copy first. Counting is interlocked, because the background frees streams whose blocks others may share.</remarks>
internal static unsafe class SharedBlock
{
    /// <summary>Notes the first owner.</summary>
    public static void Begin(byte* block) => Unsafe.WriteUnaligned(block, 1);

    /// <summary>Whether others own the block too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsShared(byte* block) => Volatile.Read(ref Owners(block)) != 1;

    /// <summary>Notes one more owner.</summary>
    public static void Share(byte* block) => Interlocked.Increment(ref Owners(block));

    /// <summary>Gives up an ownership.</summary>
    /// <returns>Whether it was the last one, and the block is to be freed.</returns>
    public static bool Leave(byte* block) => !IsShared(block) || Interlocked.Decrement(ref Owners(block)) == 0;

    private static ref int Owners(byte* block) => ref Unsafe.AsRef<int>(block);
}
