namespace KvServer.Storage;

/// <summary>Gathers the pieces of a long string, so that it can be written compressed. The background thread's.</summary>
/// <remarks>
/// <code>
/// [bytes of the string][room for its compressed form]      both of the longest string so far
/// </code>
/// Pages of its own rather than managed memory, because a server that allocates next to nothing would keep large arrays
/// for a long time: at the end of the save they go back to the system at once.
/// </remarks>
internal sealed unsafe class LongStringBuffer : IDisposable
{
    /// <summary>The longest string worth gathering, in bytes. Twice as much is mapped, and only as long as a save runs.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    private byte* _start;
    private long _capacity;
    private int _length;
    private int _filled;
    private byte[] _key = [];
    private long _expireAtMs;
    private AccessHint _hint;

    /// <summary>Whether a string is being gathered.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Begins a string.</summary>
    /// <param name="record">The record that announces it; its number is at most <see cref="int.MaxValue"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <returns><see langword="false"/> when there is no memory to gather it.</returns>
    public bool TryBegin(in SnapshotRecord record, AccessHint hint)
    {
        try
        {
            Reserve(record.Number);
            _key = record.Key.ToArray();
        }
        catch (OutOfMemoryException)
        {
            return false; // It is written as it is.
        }

        _length = (int)record.Number;
        _filled = 0;
        _expireAtMs = record.ExpireAtMs;
        _hint = hint;
        IsOpen = true;
        return true;
    }

    /// <summary>Adds a piece.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        Invariant.Check(piece.Length <= _length - _filled, "the pieces of a string are as long as it was at the cut");
        piece.CopyTo(new Span<byte>(_start + _filled, piece.Length));
        _filled += piece.Length;
    }

    /// <summary>Writes the string with its key and ends it.</summary>
    /// <exception cref="IOException">The output refused the bytes.</exception>
    public void WriteTo(RdbWriter writer)
    {
        Invariant.Check(_filled == _length, "all pieces of a string come before its end");
        ReadOnlySpan<byte> text = new(_start, _length);
        writer.WriteLongStringKey(_key, _expireAtMs, _hint, text, new Span<byte>(_start + _capacity, _length));
        IsOpen = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_start != null)
        {
            Pages.Unmap(_start, (nuint)(2 * _capacity));
            _start = null;
            _capacity = 0;
        }
    }

    private void Reserve(long bytes)
    {
        if (bytes <= _capacity)
        {
            return;
        }

        Dispose();
        _start = Pages.Map((nuint)(2 * bytes));
        _capacity = bytes;
    }
}
