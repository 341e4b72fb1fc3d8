using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Where a hash lives, how it gets room there, and how it changes its encoding.</content>
/// <remarks>A packed hash lies inside its key's entry, or, while it belongs to no key, in a block of its own that grows
/// by doubling. Everything that depends on which of the two is here.</remarks>
public unsafe ref partial struct HashValue
{
    // A first block this large serves most new hashes without growing.
    private const int FirstBlockBytes = 256;

    private HashValue(Database database, Entry entry, HashLimits limits)
    {
        _database = database;
        _keyspace = database.Keyspace;
        _limits = limits;
        _entry = entry;
        Encoding = entry.Encoding;
        if (Encoding == ValueEncoding.HashTable)
        {
            _table = (HashState*)entry.Pointer;
        }
        else
        {
            _bytes = entry.ValueSpan;
        }
    }

    private HashValue(Keyspace keyspace, HashLimits limits)
    {
        _keyspace = keyspace;
        _limits = limits;
    }

    /// <summary>The key's entry, which may have moved since the handle was opened.</summary>
    public readonly Entry Entry => _entry;

    /// <summary>Opens the hash that a look-up has found.</summary>
    /// <param name="database">Where it was found.</param>
    /// <param name="entry">The key's entry.</param>
    /// <param name="limits">Up to where it stays packed, for changes.</param>
    public static HashValue Open(Database database, Entry entry, HashLimits limits)
    {
        Debug.Assert(entry.Type == ValueType.Hash, "the look-up asked for a hash");
        return new HashValue(database, entry, limits);
    }

    /// <summary>Makes an empty hash that belongs to no key; the caller disposes it.</summary>
    /// <param name="keyspace">The store whose memory it uses.</param>
    /// <param name="limits">Up to where it stays packed.</param>
    public static HashValue Create(Keyspace keyspace, HashLimits limits)
    {
        HashValue hash = new(keyspace, limits);
        hash._block = keyspace.Heap.Allocate(FirstBlockBytes, HeapTag.Buffer);
        hash._blockBytes = FirstBlockBytes;
        hash._bytes = new Span<byte>(hash._block, FirstBlockBytes);
        hash.Encoding = ValueEncoding.PackedList;
        PackedList.Create(hash._bytes);
        return hash;
    }

    /// <summary>Makes an empty hash table that belongs to no key; the caller disposes it.</summary>
    /// <param name="keyspace">The store whose memory it uses.</param>
    /// <param name="fieldCount">How many fields it is expected to get.</param>
    public static HashValue CreateTable(Keyspace keyspace, long fieldCount)
    {
        HashValue hash = new(keyspace, default) { Encoding = ValueEncoding.HashTable };
        Dict<FieldLayout> fields = Dict<FieldLayout>.Create(keyspace.MemberRuntime);
        fields.TryExpand(fieldCount);
        hash._table = (HashState*)fields.State;
        return hash;
    }

    /// <summary>Makes a key for a hash with one field. The key must be known not to exist.</summary>
    /// <remarks>One look-up, the caller's, and one allocation for the usual short field.</remarks>
    public static void InsertSingle(
        Database database, Key key, ReadOnlySpan<byte> field, ReadOnlySpan<byte> value, HashLimits limits)
    {
        if (limits.PackedEntries >= 1 && Math.Max(field.Length, value.Length) <= limits.PackedValueBytes)
        {
            PackedElement name = PackedElement.Of(field);
            PackedElement element = PackedElement.Of(value);
            long bytes = (long)PackedList.EmptyBytes + PackedList.SizeOf(name) + PackedList.SizeOf(element);
            if (bytes <= PackedList.MaxBytes)
            {
                Entry entry = database.InsertValue(key, ValueType.Hash, ValueEncoding.PackedList, (int)bytes);
                PackedList list = PackedList.Create(entry.ValueSpan);
                list.Append(name);
                list.Append(element);
                return;
            }
        }

        HashValue hash = CreateTable(database.Keyspace, 1);
        try
        {
            hash.Set(field, value);
            hash.InsertAs(database, key);
        }
        finally
        {
            hash.Dispose();
        }
    }

    /// <summary>Gives the hash to a key that is known not to exist, as a look-up has just told.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void InsertAs(Database database, Key key)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        EnsureQueueRoom(database);
        Adopted(database, bytes, database.InsertValue(key, ValueType.Hash, Encoding, bytes.Length));
    }

    /// <summary>Gives the hash to a key, replacing whatever it holds, its expiry time included.</summary>
    /// <param name="database">Where the key is.</param>
    /// <param name="key">The key, new or not.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    /// <param name="expireAtMs">When it expires.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void StoreAs(Database database, Key key, bool lazily, long expireAtMs = Database.NoExpiry)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        EnsureQueueRoom(database);
        Adopted(database, bytes, database.CreateValue(key, ValueType.Hash, Encoding, bytes.Length, expireAtMs, lazily));
    }

    /// <summary>Frees a hash that belongs to no key. Does nothing for others, or once a key has adopted it.</summary>
    public void Dispose()
    {
        if (_database is not null)
        {
            return;
        }

        FreeBlock();
        if (_table != null)
        {
            DictCollection.Of(ValueType.Hash).Free(_keyspace.Heap, (DictState*)_table, FreeFrom.CommandLoop);
            _table = null;
        }
    }

    private readonly void EnsureQueueRoom(Database database)
    {
        if (HasExpiring)
        {
            database.EnsureExpiringRoom();
        }
    }

    private void Adopted(Database database, ReadOnlySpan<byte> bytes, Entry entry)
    {
        Debug.Assert(_database is null, "only a hash without a key can be given to one");
        if (Encoding != ValueEncoding.HashTable)
        {
            bytes.CopyTo(entry.ValueSpan);
            return;
        }

        Database.SetPointer(entry, (nint)_table);
        if (_table->Expiry != null)
        {
            database.EnterExpiring(entry.Block);
        }

        _table = null;
    }

    /// <summary>Makes sure that the packed value has so many bytes; keeps what is there.</summary>
    private void Reserve(int lengthBytes)
    {
        if (_database is not null)
        {
            _database.ResizeValue(ref _entry, lengthBytes);
            _bytes = _entry.ValueSpan;
        }
        else if (lengthBytes > _blockBytes)
        {
            int bytes = (int)Math.Min(Math.Max(lengthBytes, _blockBytes * 2L), PackedList.MaxBytes);
            _block = _keyspace.Heap.Reallocate(_block, (nuint)_blockBytes, (nuint)bytes, HeapTag.Buffer);
            _blockBytes = bytes;
            _bytes = new Span<byte>(_block, bytes);
        }
    }

    /// <summary>Gives back what the packed value no longer needs.</summary>
    private void Trim(int lengthBytes)
    {
        if (_database is not null)
        {
            _database.ResizeValue(ref _entry, lengthBytes);
            _bytes = _entry.ValueSpan;
        }
    }

    /// <param name="capacity">Fields the table is made for.</param>
    private void ConvertToTable(long capacity)
    {
        Dict<FieldLayout> fields = Dict<FieldLayout>.Create(_keyspace.MemberRuntime);
        try
        {
            fields.TryExpand(Math.Max(capacity, _expected));
            fields.EnsureTable();
            Span<byte> nameScratch = stackalloc byte[IntegerText.MaxLength];
            Span<byte> valueScratch = stackalloc byte[IntegerText.MaxLength];
            foreach (HashField field in this)
            {
                ReadOnlySpan<byte> name = field.Name.AsText(nameScratch);
                fields.Add(FieldLayout.Create(
                    _keyspace.MemberRuntime,
                    _keyspace.HashOf(name),
                    name,
                    field.Value.AsText(valueScratch),
                    Database.NoExpiry));
            }

            _database?.ConvertValue(ref _entry, ValueEncoding.HashTable, 0, (nint)fields.State);
        }
        catch (OutOfMemoryException)
        {
            Dict<FieldLayout>.FreeAll(_keyspace.Heap, fields.State, FreeFrom.CommandLoop);
            throw;
        }

        FreeBlock();
        _bytes = default;
        _table = (HashState*)fields.State;
        Encoding = ValueEncoding.HashTable;
    }

    private void FreeBlock()
    {
        if (_block != null)
        {
            _keyspace.Heap.Free(_block, (nuint)_blockBytes, HeapTag.Buffer);
            _block = null;
        }
    }
}
