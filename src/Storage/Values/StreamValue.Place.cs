using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Where a stream lives: its state is a block of its own, whose address stands in the key's entry.</content>
public unsafe ref partial struct StreamValue
{
    private StreamValue(Keyspace keyspace, Database? database, Entry entry, StreamState* state, StreamLimits limits)
    {
        _keyspace = keyspace;
        _database = database;
        _entry = entry;
        _state = state;
        _limits = limits;
    }

    /// <summary>The key's entry.</summary>
    public readonly Entry Entry => _entry;

    internal readonly StreamState* State => _state;

    private readonly NativeHeap Heap => _keyspace.Heap;

    /// <summary>Opens the stream that a look-up has found.</summary>
    /// <param name="database">Where it was found.</param>
    /// <param name="entry">The key's entry.</param>
    /// <param name="limits">The sizes of its nodes, for changes.</param>
    public static StreamValue Open(Database database, Entry entry, StreamLimits limits)
    {
        Debug.Assert(entry.Type == ValueType.Stream, "the look-up asked for a stream");
        return new StreamValue(database.Keyspace, database, entry, (StreamState*)entry.Pointer, limits);
    }

    /// <summary>Makes a stream without entries that belongs to no key; the caller disposes it.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static StreamValue Create(Keyspace keyspace, StreamLimits limits) =>
        new(keyspace, null, default, StreamState.Create(keyspace.Heap), limits);

    /// <summary>Makes a stream that belongs to no key and is what this one is now, whatever happens to this one later.</summary>
    /// <remarks>O(1): both share all they have, and who changes something copies it first. The caller disposes it.</remarks>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public readonly StreamValue Share() => Share(_keyspace, _state);

    /// <summary>Gives the stream to a key that is known not to exist, as a look-up has just told.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void InsertAs(Database database, Key key) =>
        Adopted(database.InsertValue(key, ValueType.Stream, ValueEncoding.Stream, 0));

    /// <summary>Gives the stream to a key, replacing whatever it holds, its expiry time included.</summary>
    /// <param name="database">Where the key is.</param>
    /// <param name="key">The key, new or not.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    /// <param name="expireAtMs">When it expires.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void StoreAs(Database database, Key key, bool lazily, long expireAtMs = Database.NoExpiry) =>
        Adopted(database.CreateValue(key, ValueType.Stream, ValueEncoding.Stream, 0, expireAtMs, lazily));

    /// <summary>Frees a stream that belongs to no key, one of many parts in the background. Does nothing for others, or
    /// once a key has adopted it.</summary>
    public void Dispose()
    {
        if (_database is not null || _state == null)
        {
            return;
        }

        if (StreamState.EffortOf(_state) > ValueLifetime.LazyFreeThreshold)
        {
            _keyspace.Reclaimer.FreeStream(_state);
        }
        else
        {
            StreamState.Free(Heap, _state, FreeFrom.CommandLoop);
        }

        _state = null;
    }

    /// <summary>Does for a state what <see cref="Share()"/> does for its handle: what a snapshot begins with.</summary>
    internal static StreamValue Share(Keyspace keyspace, StreamState* state) =>
        new(keyspace, null, default, StreamState.Share(keyspace.Heap, state), StreamLimits.Default);

    /// <summary>A handle to a state that somebody else keeps and frees, to read.</summary>
    internal static StreamValue View(Keyspace keyspace, StreamState* state) =>
        new(keyspace, null, default, state, StreamLimits.Default);

    /// <summary>Takes the state away from a stream without a key; the caller frees it.</summary>
    internal StreamState* Detach()
    {
        StreamState* state = _state;
        _state = null;
        return state;
    }

    /// <summary>The snapshot that is being taken wants to see a key's stream as it was at the cut.</summary>
    internal readonly void BeforeChange()
    {
        if (_database is not null)
        {
            _database.BeforeChange(_entry.Block);
        }
    }

    private void Adopted(Entry entry)
    {
        Debug.Assert(_database is null, "only a stream without a key can be given to one");
        Database.SetPointer(entry, (nint)_state);
        _state = null;
    }
}
