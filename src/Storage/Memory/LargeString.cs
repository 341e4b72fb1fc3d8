using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>A long string while it is being received; <see cref="Database.AdoptString"/> takes it without a copy.</summary>
/// <remarks>
/// Any thread may make and fill one, a single thread at a time. Grows by doubling as bytes really arrive, so that a
/// length alone never costs memory. The owner disposes it; after adoption that does nothing.
/// </remarks>
public sealed unsafe class LargeString : IDisposable
{
    // Blocks of the C library only: those may be allocated by any thread.
    private const int MinCapacity = 2 * NativeHeap.MaxSmallBytes;

    private readonly NativeHeap _heap;
    private byte* _start;
    private int _capacity;

    /// <summary>Makes an empty string with room for at least <paramref name="capacity"/> bytes.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public LargeString(NativeHeap heap, int capacity = 0)
    {
        _heap = heap;
        _capacity = Math.Max(capacity, MinCapacity);
        _start = heap.Allocate((nuint)_capacity, HeapTag.Buffer);
    }

    /// <summary>Bytes received so far.</summary>
    public int Length { get; private set; }

    /// <summary>What has been received; valid until the next change.</summary>
    public Span<byte> Bytes => new(_start, Length);

    /// <summary>Room for at least <paramref name="minBytes"/> more bytes; follow with <see cref="Advance"/>.</summary>
    /// <param name="minBytes">At least 1.</param>
    /// <param name="expectedBytes">The length announced in all; capacity never exceeds it by doubling.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory; what was received stays.</exception>
    public Span<byte> GetFreeSpan(int minBytes, int expectedBytes = int.MaxValue)
    {
        if (_capacity - Length < minBytes)
        {
            long doubled = Math.Min((long)_capacity * 2, Math.Max(expectedBytes, MinCapacity));
            long needed = Math.Max((long)Length + minBytes, doubled);
            if (needed > Array.MaxLength)
            {
                HeapFailure.ThrowOutOfMemory();
            }

            _start = _heap.Reallocate(_start, (nuint)_capacity, (nuint)needed, HeapTag.Buffer);
            _capacity = (int)needed;
        }

        return new Span<byte>(_start + Length, _capacity - Length);
    }

    /// <summary>Says that the first <paramref name="count"/> bytes of the free span have been filled.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_capacity - Length));
        Length += count;
    }

    /// <summary>Appends some bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes, int expectedBytes = int.MaxValue)
    {
        if (!bytes.IsEmpty)
        {
            bytes.CopyTo(GetFreeSpan(bytes.Length, expectedBytes));
            Advance(bytes.Length);
        }
    }

    /// <summary>Frees the block if nobody has adopted it.</summary>
    public void Dispose()
    {
        if (_start != null)
        {
            _heap.Free(_start, (nuint)_capacity, HeapTag.Buffer, FreeFrom.Background);
            _start = null;
            Length = 0;
        }
    }

    /// <summary>Gives back what is left of the block, if that is much: doubling may have left almost half of it empty.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory; what was received stays.</exception>
    internal void Trim()
    {
        if (_capacity - Length > Length / 4 && Length > NativeHeap.MaxSmallBytes)
        {
            _start = _heap.Reallocate(_start, (nuint)_capacity, (nuint)Length, HeapTag.Buffer);
            _capacity = Length;
        }
    }

    /// <summary>Hands the block over; this object is then empty.</summary>
    internal BlockString Detach()
    {
        Debug.Assert(_start != null, "a string is adopted once");
        _heap.Retag(_start, (nuint)_capacity, HeapTag.Buffer, HeapTag.Value);
        var block = new BlockString { Start = _start, Length = (uint)Length, Capacity = (uint)_capacity };
        _start = null;
        Length = 0;
        return block;
    }
}
