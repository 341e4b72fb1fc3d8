namespace KvServer.Storage;

/// <content>Finding entries that may go when memory is short, letting them go, and moving those that stay.</content>
public sealed unsafe partial class Database
{
    /// <summary>Bytes of the tables that growth is put off for, as far as they are due; see
    /// <see cref="Dict{TLayout}.PlannedBytes"/>.</summary>
    internal long PlannedBytes => _keys.PlannedBytes + _expires.PlannedBytes;

    /// <summary>Fetches some entries that lie next to each other at a random place.</summary>
    /// <param name="blocks">Room for <paramref name="wanted"/>.</param>
    /// <param name="wanted">How many, at most.</param>
    /// <param name="onlyVolatile">Only keys with an expiry time.</param>
    /// <returns>How many were found.</returns>
    /// <remarks>O(wanted).</remarks>
    internal int Sample(byte** blocks, int wanted, bool onlyVolatile)
    {
        if (!onlyVolatile)
        {
            return _keys.Sample(_keyspace.Random, blocks, wanted);
        }

        int count = _expires.Sample(_keyspace.Random, blocks, wanted);
        for (int i = 0; i < count; i++)
        {
            blocks[i] = ExpiryLayout.TargetOf(blocks[i]);
        }

        return count;
    }

    /// <summary>An entry chosen at random, or null.</summary>
    internal byte* FindRandom(bool onlyVolatile)
    {
        if (!onlyVolatile)
        {
            return _keys.FindRandom(_keyspace.Random);
        }

        byte* expiry = _expires.FindRandom(_keyspace.Random);
        return expiry == null ? null : ExpiryLayout.TargetOf(expiry);
    }

    /// <summary>Whether something is still an entry of this database; its bytes are not read unless it is.</summary>
    internal bool Holds(byte* block, uint hash) => _keys.Contains(block, hash);

    /// <summary>Removes an entry because memory is short.</summary>
    /// <param name="block">An entry of this database.</param>
    /// <param name="lazily">Free a value of many parts in the background.</param>
    internal void Evict(byte* block, bool lazily)
    {
        _keyspace.Statistics.EvictedKeys++;
        BeforeChange(block);
        FreeExpiryEntry(Detach(block));

        // Told while the name is still there to be read.
        _keyspace.Evicted?.Invoke(this, EntryBlock.KeyOf(block));
        FreeDetached(block, lazily);
    }

    /// <summary>Visits the entries at a cursor and returns the next one; 0 starts and 0 ends. See
    /// <see cref="Dict{TLayout}.Scan"/>.</summary>
    internal ulong VisitBlocks<TContext, TState, TAction>(ulong cursor, TContext context, ref TState state)
        where TAction : struct, IEntryAction<TContext, TState> =>
        _keys.Scan<TContext, TState, TAction>(cursor, context, ref state);

    /// <summary>The entry of a key, or null; whether its time has come or not. Nothing else happens.</summary>
    internal byte* FindBlock(Key key) => _keys.Find(key.Hash, key.Bytes);

    /// <summary>Gives an entry another block of the same size, wherever the heap has one.</summary>
    /// <param name="block">Anything in a slab of entries; what is no entry of this database is left alone.</param>
    /// <returns>Whether it has been moved.</returns>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    internal bool TryMove(byte* block)
    {
        if (!_keys.Contains(block, EntryLink.Hash(block)) || _keyspace.PartialReads.IsRead(block))
        {
            return false;
        }

        nuint bytes = EntryBlock.BytesOf(block);
        byte* moved = _heap.Allocate(bytes, HeapTag.Entry);
        Buffer.MemoryCopy(block, moved, bytes, bytes);
        ReplaceBlock(block, moved);
        _heap.Free(block, bytes, HeapTag.Entry);
        return true;
    }
}
