using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>One numbered database: its keys, their values and their expiry times.</summary>
/// <remarks>
/// Two dicts: one of all keys, one of those with an expiry time, whose entries hold the address of the first one's.
/// Every change of the data goes through a method of this class; handles and spans from a look-up end with the next
/// change. Command loop only, unless a member says otherwise.
/// </remarks>
public sealed unsafe partial class Database
{
    /// <summary>No expiry time.</summary>
    public const long NoExpiry = EntryBlock.NoExpiry;

    /// <summary>Given as expiry time of a new value: leave the key's as it is (SET KEEPTTL).</summary>
    public const long KeepExpiry = -2;

    private readonly Keyspace _keyspace;
    private readonly NativeHeap _heap;
    private readonly DictRuntime _keysRuntime;
    private readonly DictRuntime _expiresRuntime;
    private Dict<KeyEntryLayout> _keys;
    private Dict<ExpiryLayout> _expires;

    internal Database(Keyspace keyspace, int index)
    {
        _keyspace = keyspace;
        Index = index;
        _heap = keyspace.Heap;
        _keysRuntime = new DictRuntime(_heap, keyspace.ResizePolicy, keyspace.Reclaimer);
        _expiresRuntime = new DictRuntime(_heap, keyspace.ResizePolicy, keyspace.Reclaimer);
        _keys = Dict<KeyEntryLayout>.Create(_keysRuntime);
        _expires = Dict<ExpiryLayout>.Create(_expiresRuntime);
    }

    /// <summary>The database's number; stays when <see cref="Keyspace.Swap"/> exchanges the data.</summary>
    public int Index { get; }

    /// <summary>The keyspace it belongs to.</summary>
    public Keyspace Keyspace => _keyspace;

    /// <summary>Number of keys, those included whose time has come but that are still there.</summary>
    public long Count => _keys.Count;

    /// <summary>Number of keys with an expiry time.</summary>
    public long ExpireCount => _expires.Count;

    /// <summary>Average time to live of the keys that have one, in milliseconds; an estimate of the expire cycle.</summary>
    public long AverageTtlMs { get; private set; }

    /// <summary>Asks the processor for the bucket of a key that will be looked up soon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchBucket(ulong hash) => _keys.PrefetchBucket(hash);

    /// <summary>Asks for the first entry of that bucket, which should have been prefetched a little before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchEntry(ulong hash) => _keys.PrefetchEntry(hash);

    /// <summary>Finds a key of any type. A key whose time has come is removed and not found.</summary>
    /// <remarks>O(1). Counts a hit or a miss and an access, unless the flags say otherwise.</remarks>
    public bool TryFind(Key key, LookupFlags flags, out Entry entry)
    {
        byte* block = FindLive(key);
        if (block == null)
        {
            if ((flags & (LookupFlags.NoStats | LookupFlags.Write)) == LookupFlags.None)
            {
                _keyspace.Statistics.Misses++;
                _keyspace.Missed?.Invoke(this, key.Bytes);
            }

            entry = default;
            return false;
        }

        if ((flags & LookupFlags.NoTouch) == LookupFlags.None)
        {
            EntryBlock.SetClock(block, _keyspace.NextAccessClock(EntryBlock.ClockOf(block)));
        }

        if ((flags & (LookupFlags.NoStats | LookupFlags.Write)) == LookupFlags.None)
        {
            _keyspace.Statistics.Hits++;
        }

        entry = new Entry(block);
        return true;
    }

    /// <summary>Finds a key that is about to be read as a value of one type.</summary>
    public Lookup FindForRead(Key key, ValueType type, out Entry entry) =>
        Find(key, type, _keyspace.AccessFlags, out entry);

    /// <summary>Finds a key whose value of one type is about to be changed.</summary>
    public Lookup FindForWrite(Key key, ValueType type, out Entry entry) =>
        Find(key, type, _keyspace.AccessFlags | LookupFlags.Write, out entry);

    /// <summary>Whether a key exists; counts a hit or a miss but not an access.</summary>
    public bool Exists(Key key) => TryFind(key, LookupFlags.NoTouch, out _);

    /// <summary>Deletes a key and frees its value at once, unless that is one huge block.</summary>
    /// <returns>Whether there was such a key.</returns>
    /// <remarks>O(1), or O(parts of the value).</remarks>
    public bool Delete(Key key) => Delete(key, lazily: false);

    /// <summary>Deletes a key, freeing a value of many parts in the background if <paramref name="lazily"/>.</summary>
    public bool Delete(Key key, bool lazily)
    {
        byte* block = FindLive(key);
        if (block == null)
        {
            return false;
        }

        RemoveAndFree(block, lazily);
        return true;
    }

    /// <summary>Gives a key another name, replacing whatever has that name; the expiry time goes with it.</summary>
    /// <returns><see langword="false"/> if there is no key <paramref name="from"/>.</returns>
    /// <remarks>O(1), or O(parts of the value replaced) unless lazily.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool Rename(Key from, Key to, bool lazily = false)
    {
        byte* source = FindLive(from);
        if (source == null || from.Bytes.SequenceEqual(to.Bytes))
        {
            return source != null;
        }

        BeforeChange(source);

        // The name is inside the entry, so the entry is made anew; what the value owns outside just changes hands.
        byte* block = CopyHeader(source, to, out byte* area, out byte* expiry);
        long bytes = EntryBlock.AreaBytesOf(source);
        Buffer.MemoryCopy(EntryBlock.ValueStart(source), area, bytes, bytes);
        FreeExpiryEntry(Detach(source));
        _heap.Free(source, EntryBlock.BytesOf(source), HeapTag.Entry);

        byte* replaced = FindToReplace(to);
        if (replaced != null)
        {
            RemoveAndFree(replaced, lazily);
        }

        Attach(block, expiry);
        return true;
    }

    /// <summary>Copies a value, with its expiry time, to a key of this or another database, replacing that key.</summary>
    /// <returns><see langword="false"/> if there is no key <paramref name="from"/>.</returns>
    /// <remarks>O(value). Whether the target may be replaced is the caller's question.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool Copy(Key from, Database target, Key to)
    {
        byte* source = FindLive(from);
        if (source == null)
        {
            return false;
        }

        if (_keyspace.AccessFlags == LookupFlags.None)
        {
            EntryBlock.SetClock(source, _keyspace.NextAccessClock(EntryBlock.ClockOf(source)));
        }

        target.EnsureTables(isVolatile: EntryBlock.ExpireAtOf(source) != NoExpiry);
        target.EnsureRoomFor(source);
        byte* block = CopyHeader(source, to, out byte* area, out byte* expiry);
        EntryBlock.SetClock(block, _keyspace.FirstAccessClock); // Nobody has used the copy yet.
        try
        {
            ValueLifetime.CopyValue(_keyspace.MemberRuntime, source, area);
        }
        catch (OutOfMemoryException)
        {
            _heap.Free(block, (nuint)(area - block + EntryBlock.AreaBytesOf(source)), HeapTag.Entry);
            FreeExpiryEntry(expiry);
            throw;
        }

        byte* replaced = target.FindToReplace(to);
        if (replaced != null)
        {
            target.RemoveAndFree(replaced, lazily: false);
        }

        target.Attach(block, expiry);
        return true;
    }

    /// <summary>Moves a key to another database where it does not exist. O(1), copies nothing.</summary>
    /// <returns><see langword="false"/> if the key is missing here or exists there.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public bool Move(Key key, Database target)
    {
        Debug.Assert(target != this, "a key moves to another database");
        byte* block = FindLive(key);
        if (block == null || target.FindToReplace(key) != null)
        {
            return false;
        }

        target.EnsureTables(isVolatile: EntryBlock.ExpireAtOf(block) != NoExpiry);
        target.EnsureRoomFor(block);
        BeforeChange(block);
        target.Attach(block, Detach(block));
        return true;
    }

    /// <summary>Removes all keys.</summary>
    /// <param name="inBackground">Hand everything to the background: O(1). Otherwise O(keys).</param>
    /// <returns>The number of keys removed.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public long Flush(bool inBackground)
    {
        long count = _keys.Count;
        if (count == 0)
        {
            return 0;
        }

        _keyspace.PartialReads.CompleteAll();
        DictState* keys = _keys.State;
        DictState* expires = _expires.State;
        Dict<KeyEntryLayout> newKeys = Dict<KeyEntryLayout>.Create(_keysRuntime);
        try
        {
            _expires = Dict<ExpiryLayout>.Create(_expiresRuntime);
        }
        catch (OutOfMemoryException)
        {
            Dict<KeyEntryLayout>.FreeAll(_heap, newKeys.State, FreeFrom.CommandLoop);
            throw;
        }

        _keys = newKeys;
        _expiring.Free(_heap, FreeFrom.CommandLoop);
        AverageTtlMs = 0;
        _expireCursor = 0;
        if (_keyspace.Snapshot?.TakesOver(keys, expires) == true)
        {
            return count;
        }

        if (inBackground)
        {
            _keyspace.Reclaimer.FreeDataset(keys, expires);
        }
        else
        {
            Dict<KeyEntryLayout>.FreeAll(_heap, keys, FreeFrom.CommandLoop);
            Dict<ExpiryLayout>.FreeAll(_heap, expires, FreeFrom.CommandLoop);
        }

        return count;
    }

    /// <summary>Milliseconds since the last access to a key; to the second.</summary>
    public long IdleTimeMs(in Entry entry) => _keyspace.IdleTimeMs(EntryBlock.ClockOf(entry.Block));

    /// <summary>The logarithmic access counter of a key, decayed to now; meaningful with an LFU policy.</summary>
    public int FrequencyOf(in Entry entry) => _keyspace.DecayedFrequency(EntryBlock.ClockOf(entry.Block));

    /// <summary>Frees all keys at the end of the store's life.</summary>
    internal void Free()
    {
        Dict<KeyEntryLayout>.FreeAll(_heap, _keys.State, FreeFrom.CommandLoop);
        Dict<ExpiryLayout>.FreeAll(_heap, _expires.State, FreeFrom.CommandLoop);
        _expiring.Free(_heap, FreeFrom.CommandLoop);
    }

    /// <summary>Exchanges the data of two databases. O(1).</summary>
    internal void SwapWith(Database other)
    {
        DictState* keys = _keys.State;
        DictState* expires = _expires.State;
        _keys = new Dict<KeyEntryLayout>(other._keys.State, _keysRuntime);
        _expires = new Dict<ExpiryLayout>(other._expires.State, _expiresRuntime);
        other._keys = new Dict<KeyEntryLayout>(keys, other._keysRuntime);
        other._expires = new Dict<ExpiryLayout>(expires, other._expiresRuntime);
        (_expiring, other._expiring) = (other._expiring, _expiring);
        (AverageTtlMs, other.AverageTtlMs) = (other.AverageTtlMs, AverageTtlMs);
        (_expireCursor, other._expireCursor) = (other._expireCursor, _expireCursor);
        (_indexAtCut, other._indexAtCut) = (other._indexAtCut, _indexAtCut);
    }

    private Lookup Find(Key key, ValueType type, LookupFlags flags, out Entry entry)
    {
        if (!TryFind(key, flags, out entry))
        {
            return Lookup.Missing;
        }

        if (entry.Type != type)
        {
            return Lookup.WrongType;
        }

        return !HasExpiring(entry.Block) || ExpireFieldsOnAccess(entry.Block) ? Lookup.Found : Lookup.Missing;
    }

    // Finds a key and removes it if its time has come.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* FindLive(Key key)
    {
        byte* block = _keys.Find(key.Hash, key.Bytes);
        return block != null && (EntryBlock.FlagsOf(block) & EntryFlags.Volatile) != EntryFlags.None && IsExpired(block)
            ? ExpireOnAccess(block)
            : block;
    }

    // Finds the entry a new value goes to. Unlike for a read, one whose time has come counts while it may not be
    // removed: there must never be two entries for one key.
    private byte* FindToReplace(Key key)
    {
        byte* block = FindLive(key);
        return block == null && !_keyspace.DeletesExpiredKeys ? _keys.Find(key.Hash, key.Bytes) : block;
    }

    private void RemoveAndFree(byte* block, bool lazily)
    {
        BeforeChange(block);
        FreeExpiryEntry(Detach(block));
        FreeDetached(block, lazily);
    }

    private void FreeDetached(byte* block, bool lazily)
    {
        if (_keyspace.Snapshot is null // Which may have to take the value over.
            && ValueLifetime.IsForBackground(block, lazily))
        {
            _keyspace.Reclaimer.FreeEntry(block);
            return;
        }

        FreeValue(block, lazily);
        _heap.Free(block, EntryBlock.BytesOf(block), HeapTag.Entry);
    }

    // Frees what a value owns outside of its entry, which stays.
    private void FreeValue(byte* block, bool lazily)
    {
        if (EntryBlock.EncodingOf(block) is ValueEncoding.Integer or ValueEncoding.Inline)
        {
            return;
        }

        if (_keyspace.Snapshot?.TakesOver(block) == true)
        {
            return;
        }

        if (ValueLifetime.OwnsLargeBlock(block))
        {
            var text = Unsafe.ReadUnaligned<BlockString>(EntryBlock.ValueStart(block));
            _keyspace.Reclaimer.FreeBlock(text.Start, text.Capacity);
            return;
        }

        if (ValueLifetime.IsForBackground(block, lazily))
        {
            _keyspace.Reclaimer.FreeValue(block);
            return;
        }

        ValueLifetime.FreeValue(_heap, block, FreeFrom.CommandLoop);
    }

    // Takes an entry out of both dicts. Returns its entry in the index of expiry times, or null.
    private byte* Detach(byte* block)
    {
        byte* expiry = null;
        if (HasExpiring(block))
        {
            _expiring.Remove((byte*)ExpiryOf(block)); // The flag stays: the value may be attached again.
        }

        if ((EntryBlock.FlagsOf(block) & EntryFlags.Volatile) != EntryFlags.None)
        {
            expiry = FindExpiryEntry(block);
            _expires.Unlink(expiry);
        }

        _keys.Unlink(block);
        return expiry;
    }

    // Makes the first tables, so that Attach cannot fail.
    private void EnsureTables(bool isVolatile)
    {
        _keys.EnsureTable();
        if (isVolatile)
        {
            _expires.EnsureTable();
        }
    }

    private void EnsureRoomFor(byte* block)
    {
        if (HasExpiring(block))
        {
            EnsureExpiringRoom();
        }
    }

    // Puts an entry into both dicts, which have their tables.
    private void Attach(byte* block, byte* expiry)
    {
        _keys.Add(block);
        if (expiry != null)
        {
            ExpiryLayout.SetTarget(expiry, block);
            _expires.StepWithoutLookup();
            _expires.Add(expiry);
        }

        if (HasExpiring(block))
        {
            EnterExpiring(block);
        }

        _keyspace.Added?.Invoke(this, EntryBlock.KeyOf(block));
    }

    private byte* FindExpiryEntry(byte* block)
    {
        byte* expiry = _expires.Find(EntryLink.Hash(block), EntryBlock.KeyOf(block));
        Invariant.Check(expiry != null, "a key with an expiry time is missing from the index");
        return expiry;
    }

    private byte* CreateExpiryEntry(uint hash)
    {
        byte* expiry = _heap.Allocate(ExpiryLayout.Bytes, HeapTag.Expiry);
        *(ulong*)expiry = 0;
        EntryLink.SetHash(expiry, hash);
        return expiry;
    }

    private void FreeExpiryEntry(byte* expiry)
    {
        if (expiry != null)
        {
            _heap.Free(expiry, ExpiryLayout.Bytes, HeapTag.Expiry);
        }
    }

    // Makes an entry like `source` under another name, its value area still empty.
    private byte* CopyHeader(byte* source, Key name, out byte* area, out byte* expiry)
    {
        EntryFlags flags = EntryBlock.FlagsOf(source);
        bool isVolatile = (flags & EntryFlags.Volatile) != EntryFlags.None;
        flags = isVolatile ? flags | EntryFlags.ExpirySlot : flags & ~EntryFlags.ExpirySlot;
        flags = (flags & ~EntryFlags.SnapshotMark) | _keyspace.NewMark;
        long bytes = EntryBlock.ValueOffset(name.Bytes.Length, isVolatile) + EntryBlock.AreaBytesOf(source);
        byte* block = _heap.Allocate((nuint)bytes, HeapTag.Entry);
        try
        {
            expiry = isVolatile ? CreateExpiryEntry((uint)name.Hash) : null;
        }
        catch (OutOfMemoryException)
        {
            _heap.Free(block, (nuint)bytes, HeapTag.Entry);
            throw;
        }

        area = EntryBlock.Write(
            block,
            (uint)name.Hash,
            name.Bytes,
            flags,
            EntryBlock.TypeOf(source),
            EntryBlock.EncodingOf(source),
            EntryBlock.ClockOf(source));
        if (isVolatile)
        {
            EntryBlock.SetExpireAt(block, EntryBlock.ExpireAtOf(source));
        }

        return block;
    }
}
