using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Walks over the fields of a hash, each once, without allocating.</summary>
/// <remarks>The hash must not change meanwhile; look-ups in it are fine. A hash table does not rehash until
/// <see cref="Dispose"/>, which <c>foreach</c> calls.</remarks>
public unsafe ref struct HashEnumerator
{
    private readonly Span<byte> _bytes;
    private readonly DictState* _table;
    private readonly long _nowMs;
    private TableWalk _walk;
    private int _position;
    private int _valuePosition;

    internal HashEnumerator(Span<byte> bytes, HashState* table, long nowMs)
        : this(bytes, table, new WalkPlace(new TableWalk((DictState*)table), -1, nowMs))
    {
    }

    internal HashEnumerator(Span<byte> bytes, HashState* table, WalkPlace place)
    {
        _bytes = bytes;
        _table = (DictState*)table;
        _nowMs = place.NowMs;
        _walk = place.Walk;
        _position = place.Position;
        _valuePosition = _position < 0 ? PackedList.None : new PackedList(bytes).Next(_position);
        if (table != null)
        {
            _table->PauseCount++;
        }
    }

    /// <summary>The field the walk stands on.</summary>
    public readonly HashField Current
    {
        get
        {
            if (_table != null)
            {
                return HashField.Of(_walk.Entry);
            }

            PackedList list = new(_bytes);
            return new HashField(list[_position], list[_valuePosition]);
        }
    }

    /// <summary>The block of the field the walk stands on, in a hash table.</summary>
    internal readonly byte* Element => _walk.Entry;

    /// <summary>Where the walk stands; see <see cref="HashValue.WalkFrom"/>.</summary>
    public readonly WalkPlace Place => new(in _walk, _position, _nowMs);

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly HashEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next field; false when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_table == null)
        {
            return MoveToNextPacked();
        }

        do
        {
            if (!_walk.MoveNext())
            {
                return false;
            }
        }
        while (FieldLayout.HasExpiry(_walk.Entry) && _nowMs > FieldLayout.DueAt(_walk.Entry));
        return true;
    }

    /// <summary>Ends the walk.</summary>
    public readonly void Dispose()
    {
        if (_table != null)
        {
            _table->PauseCount--;
        }
    }

    private bool MoveToNextPacked()
    {
        PackedList list = new(_bytes);
        _position = _position < 0 ? list.First : list.Next(_valuePosition);
        _valuePosition = _position == PackedList.None ? PackedList.None : list.Next(_position);
        return _position != PackedList.None;
    }
}
