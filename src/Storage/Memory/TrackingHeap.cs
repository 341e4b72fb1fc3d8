using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace KvServer.Storage;

/// <summary>A heap for tests: finds leaks, writes out of bounds, writes after a free, and wrong frees.</summary>
/// <remarks>
/// Guard bytes surround each block; freed blocks are filled with 0xDD and kept for a while, so that writing to one
/// shows. Every live block remembers who asked for it. Slow; any thread.
/// </remarks>
[SuppressMessage("ApiDesign", "RS0030", Justification = "Part of NativeHeap, the one caller of NativeMemory.")]
public sealed unsafe class TrackingHeap : NativeHeap
{
    private const int GuardBytes = 16;
    private const byte GuardByte = 0xFD;
    private const byte FreedByte = 0xDD;
    private const byte FreshByte = 0xCD;
    private const int QuarantineBlocks = 4096;
    private const long QuarantineBytes = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<nint, Live> _live = [];
    private readonly Queue<(nint Block, nuint Bytes)> _quarantine = new();
    private readonly HashSet<nint> _quarantined = [];
    private readonly bool _recordsStacks;
    private long _quarantineBytes;
    private long _allocationsUntilFailure = -1;
    private int _failuresLeft;

    /// <summary>Makes a heap.</summary>
    /// <param name="recordsStacks">Note who asked for each block; costs microseconds per block.</param>
    public TrackingHeap(bool recordsStacks = false) => _recordsStacks = recordsStacks;

    /// <summary>Bytes asked for and not given back.</summary>
    public long LiveBytes
    {
        get
        {
            lock (_lock)
            {
                return _live.Values.Sum(live => (long)live.Bytes);
            }
        }
    }

    /// <summary>Whether all blocks pass for those of sparse slabs, of which this heap has none.</summary>
    public bool IsSparse { get; set; }

    /// <summary>Number of allocations so far, changes of size included.</summary>
    public long AllocationCount { get; private set; }

    /// <summary>Lets allocations fail after the next <paramref name="allocations"/>; negative for never.</summary>
    /// <param name="allocations">Allocations that still succeed.</param>
    /// <param name="failures">How many in a row fail then; all later ones succeed.</param>
    public void FailAfter(long allocations, int failures = 1)
    {
        lock (_lock)
        {
            _allocationsUntilFailure = allocations;
            _failuresLeft = failures;
        }
    }

    /// <summary>Looks at the guards of all blocks and at the freed blocks kept.</summary>
    /// <exception cref="InvalidOperationException">Something wrote where it must not.</exception>
    public void Verify()
    {
        lock (_lock)
        {
            foreach ((nint block, Live live) in _live)
            {
                CheckGuards(block, live);
            }

            foreach ((nint block, nuint bytes) in _quarantine)
            {
                CheckFreed(block, bytes);
            }
        }
    }

    /// <summary>Describes every live block: bytes, purpose, and who asked for it.</summary>
    public string ReportLeaks()
    {
        lock (_lock)
        {
            var text = new StringBuilder();
            foreach (Live live in _live.Values.Take(20))
            {
                text.Append(live.Bytes).Append(" bytes for ").Append(live.Tag).Append('\n');
                text.Append(live.Stack?.ToString()).Append('\n');
            }

            return text.ToString();
        }
    }

    /// <inheritdoc/>
    internal override bool IsMarked(byte* block) => IsSparse;

    /// <inheritdoc/>
    public override void Retag(byte* block, nuint bytes, HeapTag from, HeapTag to)
    {
        base.Retag(block, bytes, from, to);
        lock (_lock)
        {
            Live live = Find((nint)block, bytes, from);
            _live[(nint)block] = live with { Tag = to };
        }
    }

    /// <inheritdoc/>
    protected override byte* AllocateCore(nuint bytes, HeapTag tag)
    {
        lock (_lock)
        {
            AllocationCount++;
            if (_allocationsUntilFailure > 0)
            {
                _allocationsUntilFailure--;
            }
            else if (_allocationsUntilFailure == 0)
            {
                _allocationsUntilFailure = --_failuresLeft > 0 ? 0 : -1;
                HeapFailure.ThrowOutOfMemory();
            }

            var start = (byte*)NativeMemory.Alloc(UsableSize(bytes) + (2 * GuardBytes));
            byte* block = start + GuardBytes;
            new Span<byte>(start, GuardBytes).Fill(GuardByte);
            NativeMemory.Fill(block, bytes, FreshByte);
            FillTail(block, bytes);
            StackTrace? stack = _recordsStacks ? new StackTrace(1, fNeedFileInfo: false) : null;
            _live.Add((nint)block, new Live(bytes, tag, stack));
            CountLarge((long)UsableSize(bytes), tag);
            return block;
        }
    }

    /// <inheritdoc/>
    protected override void FreeCore(byte* block, nuint bytes, HeapTag tag, FreeFrom from)
    {
        lock (_lock)
        {
            Live live = Find((nint)block, bytes, tag);
            CheckGuards((nint)block, live);
            _live.Remove((nint)block);
            CountLarge(-(long)UsableSize(bytes), tag);
            nuint usable = UsableSize(live.Bytes);
            NativeMemory.Fill(block, usable, FreedByte);
            _quarantine.Enqueue(((nint)block, usable));
            _quarantined.Add((nint)block);
            _quarantineBytes += (long)usable;
            while (_quarantine.Count > QuarantineBlocks || _quarantineBytes > QuarantineBytes)
            {
                Release();
            }
        }
    }

    /// <inheritdoc/>
    protected override byte* ReallocateCore(byte* block, nuint oldBytes, nuint newBytes, HeapTag tag)
    {
        // Always moves, so that whoever keeps the old address is found out.
        byte* copy = AllocateCore(newBytes, tag);
        Buffer.MemoryCopy(block, copy, newBytes, Math.Min(oldBytes, newBytes));
        FreeCore(block, oldBytes, tag, FreeFrom.CommandLoop);
        return copy;
    }

    /// <inheritdoc/>
    protected override byte* AllocateTableCore(nuint bytes)
    {
        byte* table = AllocateCore(bytes, HeapTag.Table);
        NativeMemory.Clear(table, bytes);
        return table;
    }

    /// <inheritdoc/>
    protected override void FreeTableCore(byte* table, nuint bytes, FreeFrom from) =>
        FreeCore(table, bytes, HeapTag.Table, from);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            while (_quarantine.Count > 0)
            {
                Release();
            }
        }

        base.Dispose(disposing);
    }

    private static void CheckGuards(nint block, Live live)
    {
        byte* start = (byte*)block - GuardBytes;
        if (new ReadOnlySpan<byte>(start, GuardBytes).IndexOfAnyExcept(GuardByte) >= 0)
        {
            throw new InvalidOperationException($"Bytes before a block of {live.Bytes} were overwritten.\n{live.Stack}");
        }

        // What lies between the size asked for and that of the class belongs to the block.
        byte* end = (byte*)block + UsableSize(live.Bytes);
        if (new ReadOnlySpan<byte>(end, GuardBytes).IndexOfAnyExcept(GuardByte) >= 0)
        {
            throw new InvalidOperationException($"Bytes after a block of {live.Bytes} were overwritten.\n{live.Stack}");
        }
    }

    private static void CheckFreed(nint block, nuint bytes)
    {
        if (new ReadOnlySpan<byte>((void*)block, (int)bytes).IndexOfAnyExcept(FreedByte) >= 0)
        {
            throw new InvalidOperationException($"A block of {bytes} bytes was written to after it was freed.");
        }
    }

    private static void FillTail(byte* block, nuint bytes) =>
        new Span<byte>(block + UsableSize(bytes), GuardBytes).Fill(GuardByte);

    private Live Find(nint block, nuint bytes, HeapTag tag)
    {
        if (!_live.TryGetValue(block, out Live live))
        {
            throw new InvalidOperationException(
                _quarantined.Contains(block) ? "A block was freed twice." : "What is freed was never allocated.");
        }

        if (UsableSize(live.Bytes) != UsableSize(bytes) || live.Tag != tag)
        {
            throw new InvalidOperationException(
                $"A block of {live.Bytes} bytes for {live.Tag} was freed as {bytes} for {tag}.\n{live.Stack}");
        }

        return live;
    }

    private void Release()
    {
        (nint block, nuint bytes) = _quarantine.Dequeue();
        _quarantined.Remove(block);
        _quarantineBytes -= (long)bytes;
        CheckFreed(block, bytes);
        NativeMemory.Free((byte*)block - GuardBytes);
    }

    private readonly record struct Live(nuint Bytes, HeapTag Tag, StackTrace? Stack);
}
