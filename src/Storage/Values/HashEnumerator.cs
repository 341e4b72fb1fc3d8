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
    private int _position;
    private int _valuePosition;
    private long _bucket;
    private bool _inSecond;
    private byte* _element;

    internal HashEnumerator(Span<byte> bytes, HashState* table, long nowMs)
    {
        _bytes = bytes;
        _table = (DictState*)table;
        _nowMs = nowMs;
        _position = -1;
        _bucket = -1;
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
                return HashField.Of(_element);
            }

            PackedList list = new(_bytes);
            return new HashField(list[_position], list[_valuePosition]);
        }
    }

    /// <summary>Makes the walk usable in <c>foreach</c>.</summary>
    public readonly HashEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next field; false when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        do
        {
            byte* next = _element == null ? null : EntryLink.Next(_element);
            if (next != null)
            {
                _element = next;
            }
            else if (!MoveToNextBucket())
            {
                return false;
            }
        }
        while (_table != null && FieldLayout.HasExpiry(_element) && _nowMs > FieldLayout.DueAt(_element));
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

    private bool MoveToNextBucket()
    {
        if (_table == null)
        {
            PackedList list = new(_bytes);
            _position = _position < 0 ? list.First : list.Next(_valuePosition);
            _valuePosition = _position == PackedList.None ? PackedList.None : list.Next(_position);
            return _position != PackedList.None;
        }

        while (true)
        {
            ref DictTable table = ref _inSecond ? ref _table->Table1 : ref _table->Table0;
            long count = table.BucketCount;
            while (++_bucket < count)
            {
                if (table.Buckets[_bucket] != null)
                {
                    _element = table.Buckets[_bucket];
                    return true;
                }
            }

            if (_inSecond)
            {
                _element = null;
                return false;
            }

            _inSecond = true;
            _bucket = -1;
        }
    }
}
