using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Walks over the members of a set, each once, without allocating.</summary>
/// <remarks>The set must not change meanwhile; look-ups in it are fine. A hash table does not rehash until
/// <see cref="Dispose"/>, which <c>foreach</c> calls.</remarks>
public unsafe ref struct SetEnumerator
{
    private readonly ValueEncoding _encoding;
    private readonly Span<byte> _bytes;
    private readonly DictState* _table;
    private TableWalk _walk;
    private int _position;

    internal SetEnumerator(ValueEncoding encoding, Span<byte> bytes, DictState* table)
        : this(encoding, bytes, table, new WalkPlace(new TableWalk(table), -1))
    {
    }

    internal SetEnumerator(ValueEncoding encoding, Span<byte> bytes, DictState* table, WalkPlace place)
    {
        _encoding = encoding;
        _bytes = bytes;
        _table = table;
        _walk = place.Walk;
        _position = place.Position;
        if (table != null)
        {
            table->PauseCount++;
        }
    }

    /// <summary>The member the walk stands on.</summary>
    public readonly SetMember Current => _encoding switch
    {
        ValueEncoding.IntSet => SetMember.OfInteger(new IntSet(_bytes)[_position]),
        ValueEncoding.PackedList => SetMember.Of(new PackedList(_bytes)[_position]),
        _ => SetMember.OfBytes(MemberLayout.BytesOf(_walk.Entry), EntryLink.Hash(_walk.Entry)),
    };

    /// <summary>Where the walk stands; see <see cref="SetValue.WalkFrom"/>.</summary>
    public readonly WalkPlace Place => new(in _walk, _position);

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly SetEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next member; false when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext() => _table != null ? _walk.MoveNext() : MoveToNextPacked();

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
        if (_encoding == ValueEncoding.IntSet)
        {
            return ++_position < new IntSet(_bytes).Count;
        }

        PackedList list = new(_bytes);
        _position = _position < 0 ? list.First : list.Next(_position);
        return _position != PackedList.None;
    }
}
