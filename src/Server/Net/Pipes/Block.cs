using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Server.Net.Pipes;

/// <summary>A piece of memory for requests or replies, and at once its own place in a chain of such pieces.</summary>
/// <remarks>One pipe at a time has it. Pinned for life, so that system calls take its address as it is; one that was made
/// larger than <see cref="BlockPool.BlockBytes"/> is not, and is not used again.</remarks>
internal sealed class Block : ReadOnlySequenceSegment<byte>, IMemoryOwner<byte>
{
    private readonly BlockPool? _pool;
    private readonly byte[] _bytes;

    /// <summary>Makes one that goes back to a pool.</summary>
    internal Block(BlockPool pool)
    {
        _pool = pool;
        _bytes = GC.AllocateUninitializedArray<byte>(BlockPool.BlockBytes, pinned: true);
        Room = MemoryMarshal.CreateFromPinnedArray(_bytes, 0, _bytes.Length);
    }

    /// <summary>Makes one for something that needs more in one piece than a pool's block has.</summary>
    internal Block(int sizeBytes)
    {
        Debug.Assert(sizeBytes > BlockPool.BlockBytes, "A block of the pool would do.");
        _bytes = GC.AllocateUninitializedArray<byte>(sizeBytes);
        Room = _bytes;
    }

    /// <summary>All of it.</summary>
    internal Memory<byte> Room { get; }

    /// <summary>How many bytes there are in it.</summary>
    internal int RoomBytes => _bytes.Length;

    /// <summary>The next one of the chain, or of the pool's stack.</summary>
    internal Block? NextBlock => Unsafe.As<Block?>(Next);

    /// <inheritdoc/>
    Memory<byte> IMemoryOwner<byte>.Memory => Room;

    /// <inheritdoc/>
    public void Dispose() => _pool?.Return(this);

    /// <summary>Gives a block and all behind it back.</summary>
    internal static void DisposeChain(Block? first)
    {
        while (first is not null)
        {
            Block? next = first.NextBlock; // Read before it goes: the pool links it elsewhere.
            first.Dispose();
            first = next;
        }
    }

    /// <summary>What is free behind the first bytes.</summary>
    internal Span<byte> SpanFrom(int index) => _bytes.AsSpan(index);

    /// <summary>Makes it the only one of a new chain.</summary>
    internal void Begin()
    {
        Memory = Room;
        RunningIndex = 0;
        Next = null;
    }

    /// <summary>Ends it behind its last byte and puts another one behind it, which has begun.</summary>
    internal void Append(Block next, int endIndex)
    {
        next.RunningIndex = RunningIndex + endIndex;
        Memory = Room[..endIndex];
        Next = next;
    }

    /// <summary>Puts it on top of the pool's stack, or takes it off: it has no chain then.</summary>
    internal void Link(Block? below) => Next = below;
}
