using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <content>Expiry times: setting them, removing keys whose time has come on access and in cycles.</content>
public sealed unsafe partial class Database
{
    private ulong _expireCursor;

    /// <summary>Sets when a key expires, in milliseconds since 1970; a time gone by removes it at the next access.</summary>
    /// <param name="entry">Follows when the entry moves to make room for the time.</param>
    /// <param name="expireAtMs">At least 0.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void SetExpireAt(ref Entry entry, long expireAtMs)
    {
        byte* block = entry.Block;
        BeforeChange(block);
        EntryFlags flags = EntryBlock.FlagsOf(block);
        if ((flags & EntryFlags.ExpirySlot) == EntryFlags.None)
        {
            block = AddExpirySlot(block);
            entry = new Entry(block);
        }

        if ((flags & EntryFlags.Volatile) == EntryFlags.None)
        {
            SetVolatile(block, true);
        }

        EntryBlock.SetExpireAt(block, Math.Max(expireAtMs, 0));
    }

    /// <summary>Lets a key live until it is deleted (PERSIST).</summary>
    /// <returns>Whether it had an expiry time.</returns>
    public bool ClearExpire(ref Entry entry)
    {
        byte* block = entry.Block;
        if ((EntryBlock.FlagsOf(block) & EntryFlags.Volatile) == EntryFlags.None)
        {
            return false;
        }

        BeforeChange(block);
        SetVolatile(block, false); // The room for a time stays: the key may well get another one.
        return true;
    }

    /// <summary>Whether a key is there, be it that its time has come. Removes nothing and counts nothing.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="isOver">Whether its time has come, so that no command finds it.</param>
    public bool Holds(Key key, out bool isOver)
    {
        byte* block = _keys.Find(key.Hash, key.Bytes);
        isOver = block != null && (EntryBlock.FlagsOf(block) & EntryFlags.Volatile) != EntryFlags.None && IsExpired(block);
        return block != null;
    }

    /// <summary>Looks at some buckets of the index of expiry times and removes keys whose time has come.</summary>
    /// <param name="wanted">How many keys to look at, at most.</param>
    /// <param name="round">Adds up what was seen.</param>
    /// <remarks>O(wanted): visits at most twenty buckets per key wanted.</remarks>
    internal void ExpireSample(int wanted, ref ExpireRound round)
    {
        long left = wanted;
        long bucketsLeft = (long)wanted * 20;
        while (left > 0 && bucketsLeft-- > 0 && _expires.Count > 0)
        {
            var visit = default(ExpireRound);
            visit.NowMs = _keyspace.NowMs;
            _expireCursor = _expires.Scan<Database, ExpireRound, ExpireAction>(_expireCursor, this, ref visit);
            left -= visit.Sampled;
            round.Sampled += visit.Sampled;
            round.Expired += visit.Expired;
            round.TtlSum += visit.TtlSum;
            round.TtlCount += visit.TtlCount;
        }
    }

    /// <summary>Whether the index of expiry times is so sparse that looking for keys in it is a waste.</summary>
    internal bool IsExpiryIndexSparse
    {
        get
        {
            long buckets = _expires.BucketCountOf(0) + _expires.BucketCountOf(1);
            return buckets > Dict<ExpiryLayout>.InitialBucketCount && _expires.Count * 100 / buckets < 1;
        }
    }

    /// <summary>Lets the average time to live follow a new sample.</summary>
    internal void NoteAverageTtl(long averageMs) =>
        AverageTtlMs = AverageTtlMs == 0 ? averageMs : (AverageTtlMs / 50 * 49) + (averageMs / 50);

    /// <summary>Shrinks sparse tables and spends time on a rehash that is under way.</summary>
    /// <returns>Whether there was something to rehash.</returns>
    internal bool RehashUntil(long deadline)
    {
        if (_keys.IsRehashing)
        {
            _keys.RehashUntil(deadline);
            return true;
        }

        if (_expires.IsRehashing)
        {
            _expires.RehashUntil(deadline);
            return true;
        }

        return false;
    }

    /// <summary>Begins to shrink tables that are nearly empty.</summary>
    internal void TryShrink()
    {
        _keys.TryShrink();
        _expires.TryShrink();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsExpired(byte* block) => _keyspace.IsOver(EntryBlock.ExpireAtOf(block));

    // Removes an entry whose time has come; returns null, so that the look-up finds nothing.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* ExpireOnAccess(byte* block)
    {
        if (_keyspace.DeletesExpiredKeys)
        {
            ExpireNow(block);
        }

        return null;
    }

    private void ExpireNow(byte* block)
    {
        _keyspace.Statistics.ExpiredKeys++;
        BeforeChange(block);
        FreeExpiryEntry(Detach(block));

        // Told while the name is still there to be read.
        _keyspace.Expired?.Invoke(this, EntryBlock.KeyOf(block));
        FreeDetached(block, _keyspace.LazyExpire);
    }

    private void SetVolatile(byte* block, bool isVolatile)
    {
        EntryFlags flags = EntryBlock.FlagsOf(block);
        if (!isVolatile)
        {
            byte* old = FindExpiryEntry(block);
            _expires.Unlink(old);
            FreeExpiryEntry(old);
            EntryBlock.SetFlags(block, flags & ~EntryFlags.Volatile);
            return;
        }

        _expires.EnsureTable();
        byte* expiry = CreateExpiryEntry(EntryLink.Hash(block));
        ExpiryLayout.SetTarget(expiry, block);

        _expires.StepWithoutLookup();
        _expires.Add(expiry);
        EntryBlock.SetFlags(block, flags | EntryFlags.Volatile);
    }

    private byte* AddExpirySlot(byte* old)
    {
        byte* area = EntryBlock.ValueStart(old);
        long areaBytes = EntryBlock.AreaBytesOf(old);
        nuint oldBytes = EntryBlock.BytesOf(old);
        byte* block = _heap.Allocate(oldBytes + sizeof(long), HeapTag.Entry);
        byte* newArea = EntryBlock.Write(
            block,
            EntryLink.Hash(old),
            EntryBlock.KeyOf(old),
            EntryBlock.FlagsOf(old) | EntryFlags.ExpirySlot,
            EntryBlock.TypeOf(old),
            EntryBlock.EncodingOf(old),
            EntryBlock.ClockOf(old));
        Buffer.MemoryCopy(area, newArea, areaBytes, areaBytes);
        ReplaceBlock(old, block);
        _heap.Free(old, oldBytes, HeapTag.Entry);
        return block;
    }

    private readonly struct ExpireAction : IEntryAction<Database, ExpireRound>
    {
        public static void Visit(Database context, ref ExpireRound state, byte* entry)
        {
            state.Sampled++;
            byte* block = ExpiryLayout.TargetOf(entry);
            long ttlMs = EntryBlock.ExpireAtOf(block) - state.NowMs;
            if (ttlMs < 0)
            {
                context.ExpireNow(block);
                state.Expired++;
                return;
            }

            state.TtlSum += ttlMs;
            state.TtlCount++;
        }
    }
}
