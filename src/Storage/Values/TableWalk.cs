using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>A place in the walk over both tables of a dict, bucket by bucket.</summary>
/// <remarks>The dict must neither change nor rehash while a place is kept. No look-ups of its own: whoever walks reads the
/// entry. Command loop only.</remarks>
internal unsafe struct TableWalk
{
    private readonly DictState* _dict;
    private long _bucket;
    private bool _inSecond;

    /// <summary>Stands before the first entry.</summary>
    public TableWalk(DictState* dict)
    {
        _dict = dict;
        _bucket = -1;
    }

    /// <summary>The entry the walk stands on; null before the first and behind the last.</summary>
    public byte* Entry { get; private set; }

    /// <summary>Goes to the next entry; false when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        byte* next = Entry == null ? null : EntryLink.Next(Entry);
        if (next != null)
        {
            Entry = next;
            return true;
        }

        return MoveToNextBucket();
    }

    private bool MoveToNextBucket()
    {
        while (true)
        {
            ref DictTable table = ref _inSecond ? ref _dict->Table1 : ref _dict->Table0;
            long count = table.BucketCount;
            while (++_bucket < count)
            {
                if (table.Buckets[_bucket] != null)
                {
                    Entry = table.Buckets[_bucket];
                    return true;
                }
            }

            if (_inSecond)
            {
                Entry = null;
                return false;
            }

            _inSecond = true;
            _bucket = -1;
        }
    }
}
