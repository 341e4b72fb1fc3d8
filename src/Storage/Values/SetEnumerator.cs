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
    private int _position;
    private long _bucket;
    private bool _inSecond;
    private byte* _entry;

    internal SetEnumerator(ValueEncoding encoding, Span<byte> bytes, DictState* table)
    {
        _encoding = encoding;
        _bytes = bytes;
        _table = table;
        _position = -1;
        _bucket = -1;
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
        _ => SetMember.OfBytes(MemberLayout.BytesOf(_entry), EntryLink.Hash(_entry)),
    };

    /// <summary>Goes to the next member; false when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_entry != null)
        {
            byte* next = EntryLink.Next(_entry);
            if (next != null)
            {
                _entry = next;
                return true;
            }
        }

        return MoveToNextBucket();
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
        switch (_encoding)
        {
            case ValueEncoding.IntSet:
                return ++_position < new IntSet(_bytes).Count;
            case ValueEncoding.PackedList:
                PackedList list = new(_bytes);
                _position = _position < 0 ? list.First : list.Next(_position);
                return _position != PackedList.None;
            default:
                break;
        }

        while (true)
        {
            ref DictTable table = ref _inSecond ? ref _table->Table1 : ref _table->Table0;
            long count = table.BucketCount;
            while (++_bucket < count)
            {
                if (table.Buckets[_bucket] != null)
                {
                    _entry = table.Buckets[_bucket];
                    return true;
                }
            }

            if (_inSecond)
            {
                _entry = null;
                return false;
            }

            _inSecond = true;
            _bucket = -1;
        }
    }
}
