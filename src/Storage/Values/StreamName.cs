namespace KvServer.Storage;

/// <summary>The name of a consumer group or a consumer in native memory, or one to look for.</summary>
/// <remarks>
/// <code>
/// [owners:4|-:4] bytes
/// </code>
/// <para>Names never change, so the trees of several streams share them, and so do inner nodes that are ordered by them.</para>
/// </remarks>
internal readonly unsafe struct StreamName(byte* start, int length)
{
    private const int HeaderBytes = 8;

    private readonly byte* _start = start;
    private readonly int _length = length;

    /// <summary>The name.</summary>
    public ReadOnlySpan<byte> Bytes => new(_start, _length);

    /// <summary>Bytes of its block.</summary>
    public nuint BlockBytes => (nuint)HeaderBytes + (nuint)_length;

    /// <summary>Copies a name; the caller owns the copy.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static StreamName Create(NativeHeap heap, ReadOnlySpan<byte> name)
    {
        byte* block = heap.Allocate((nuint)HeaderBytes + (nuint)name.Length, HeapTag.Value);
        SharedBlock.Begin(block);
        name.CopyTo(new Span<byte>(block + HeaderBytes, name.Length));
        return new StreamName(block + HeaderBytes, name.Length);
    }

    /// <summary>Notes one more owner; the place of a key that is not there has none.</summary>
    public void Share()
    {
        if (_start != null)
        {
            SharedBlock.Share(_start - HeaderBytes);
        }
    }

    /// <summary>Gives up an ownership.</summary>
    public void Release(NativeHeap heap, FreeFrom from)
    {
        if (_start != null && SharedBlock.Leave(_start - HeaderBytes))
        {
            heap.Free(_start - HeaderBytes, BlockBytes, HeapTag.Value, from);
        }
    }
}
