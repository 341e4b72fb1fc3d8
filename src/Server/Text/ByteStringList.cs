namespace KvServer.Server.Text;

/// <summary>A reusable list of byte strings in one growing buffer, for replies whose length is known only at the end.</summary>
/// <remarks>Not thread-safe; the command loop keeps one. Allocates only while it grows.</remarks>
internal sealed class ByteStringList
{
    private const int KeptBytes = 1 << 20;
    private const int KeptItems = 1 << 16;
    private readonly List<Range> _items = [];
    private byte[] _bytes = new byte[4096];
    private int _used;

    public int Count => _items.Count;

    /// <summary>The item at an index; valid until the next change of the list.</summary>
    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(_items[index]);

    /// <summary>Copies <paramref name="item"/> to the end of the list.</summary>
    public void Add(ReadOnlySpan<byte> item)
    {
        if (item.Length > _bytes.Length - _used)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, ((long)_bytes.Length * 2) + item.Length));
        }

        item.CopyTo(_bytes.AsSpan(_used));
        _items.Add(new Range(_used, _used + item.Length));
        _used += item.Length;
    }

    /// <summary>Empties the list; what has grown large is given back.</summary>
    public void Clear()
    {
        _items.Clear();
        _used = 0;
        if (_bytes.Length > KeptBytes)
        {
            _bytes = new byte[4096];
        }

        if (_items.Capacity > KeptItems)
        {
            _items.Capacity = 0;
        }
    }
}
