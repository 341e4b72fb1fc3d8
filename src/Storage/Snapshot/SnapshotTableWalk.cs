using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KvServer.Storage;

/// <summary>A place in the tables of a dict that changes while it is walked over.</summary>
/// <remarks>
/// <para>Table 0 is walked from its first bucket to its last, then table 1 if there is one: entries only ever move from
/// table 0 to table 1, so what leaves table 0 before the walk gets there is met in table 1. When a rehash ends or turns
/// back, the tables change places and the walk begins again. That costs a pass over entries that have been met already
/// and is rare, since resizing rests during a snapshot. The caller tells old from new by the entries' marks.</para>
/// <para>Resizes may begin and end at any time between two calls.</para>
/// </remarks>
internal unsafe struct SnapshotTableWalk(DictState* state)
{
    // How far ahead entries are asked for.
    private const long PrefetchBuckets = 8;

    private int _generation = state->Generation;
    private int _table;
    private long _bucket;

    /// <summary>Goes to the next bucket that is not empty.</summary>
    /// <param name="chain">Its first entry.</param>
    /// <param name="bucketsLeft">Buckets that may still be looked at; counts down.</param>
    /// <returns><see langword="false"/> at the end, or with no buckets left to look at.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext(out byte* chain, ref int bucketsLeft)
    {
        if (_generation != state->Generation)
        {
            _generation = state->Generation;
            _table = 0;
            _bucket = 0;
        }

        for (; _table < 2; _table++, _bucket = 0)
        {
            ref DictTable table = ref _table == 0 ? ref state->Table0 : ref state->Table1;
            long count = table.BucketCount;
            while (_bucket < count)
            {
                if (bucketsLeft-- <= 0)
                {
                    chain = null;
                    return false;
                }

                chain = table.Buckets[_bucket];
                if (Sse.IsSupported && _bucket + PrefetchBuckets < count)
                {
                    byte* ahead = table.Buckets[_bucket + PrefetchBuckets];
                    if (ahead != null)
                    {
                        Sse.Prefetch0(ahead);
                        Sse.Prefetch0(ahead + 64);
                    }
                }

                _bucket++;
                if (chain != null)
                {
                    return true;
                }
            }
        }

        chain = null;
        return false;
    }

    /// <summary>Whether nothing is left, as things stand.</summary>
    public readonly bool IsAtEnd => _table >= 2 && _generation == state->Generation;
}
