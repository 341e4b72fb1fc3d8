using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Where a set lives, how it gets room there, and how it changes its encoding.</content>
/// <remarks>A packed set lies inside its key's entry, or, while it belongs to no key, in a block of its own that grows
/// by doubling. Everything that depends on which of the two is here.</remarks>
public unsafe ref partial struct SetValue
{
    // A first block this large serves most results without growing.
    private const int FirstBlockBytes = 256;

    private SetValue(Database database, Entry entry, SetLimits limits)
    {
        _database = database;
        _keyspace = database.Keyspace;
        _limits = limits;
        _entry = entry;
        Encoding = entry.Encoding;
        if (Encoding == ValueEncoding.HashTable)
        {
            _table = (DictState*)entry.Pointer;
        }
        else
        {
            _bytes = entry.ValueSpan;
        }
    }

    private SetValue(Keyspace keyspace, SetLimits limits)
    {
        _keyspace = keyspace;
        _limits = limits;
    }

    /// <summary>The key's entry, which may have moved since the handle was opened.</summary>
    public readonly Entry Entry => _entry;

    /// <summary>Opens the set that a look-up has found.</summary>
    /// <param name="database">Where it was found.</param>
    /// <param name="entry">The key's entry.</param>
    /// <param name="limits">Up to where it stays packed, for changes.</param>
    public static SetValue Open(Database database, Entry entry, SetLimits limits)
    {
        Debug.Assert(entry.Type == ValueType.Set, "the look-up asked for a set");
        return new SetValue(database, entry, limits);
    }

    /// <summary>Makes an empty set that belongs to no key; the caller disposes it.</summary>
    /// <param name="keyspace">The store whose memory it uses.</param>
    /// <param name="limits">Up to where it stays packed.</param>
    /// <param name="first">The first member it will get, which is not added.</param>
    /// <param name="memberCount">How many members it is expected to get.</param>
    /// <remarks>It begins as an intset if the first member is an integer, else as a listpack, but as a hash table of
    /// the right size when there will be too many for that.</remarks>
    public static SetValue Create(Keyspace keyspace, SetLimits limits, SetMember first, long memberCount)
    {
        SetValue set = new(keyspace, limits);
        if (memberCount <= limits.IntSetEntries && first.TryGetInteger(out _))
        {
            set.TakeBlock(FirstBlockBytes, ValueEncoding.IntSet);
            IntSet.Create(set._bytes);
        }
        else if (memberCount <= limits.PackedEntries)
        {
            set.TakeBlock(FirstBlockBytes, ValueEncoding.PackedList);
            PackedList.Create(set._bytes);
        }
        else
        {
            set.Encoding = ValueEncoding.HashTable;
            Dict<MemberLayout> members = Dict<MemberLayout>.Create(keyspace.MemberRuntime);
            members.TryExpand(memberCount);
            set._table = members.State;
        }

        return set;
    }

    /// <summary>Makes an empty intset that belongs to no key: how results of set operations begin.</summary>
    public static SetValue CreateForResult(Keyspace keyspace, SetLimits limits) =>
        Create(keyspace, limits, SetMember.OfInteger(0), memberCount: 0);

    /// <summary>Makes a key for a set with one member. The key must be known not to exist.</summary>
    /// <remarks>One look-up, the caller's, and one allocation for the usual small member.</remarks>
    public static void InsertSingle(Database database, Key key, ReadOnlySpan<byte> member, SetLimits limits)
    {
        if (limits.IntSetEntries >= 1 && IntegerText.TryParse(member, out long integer))
        {
            Span<byte> header = stackalloc byte[IntSet.HeaderBytes];
            Entry entry = database.InsertValue(
                key, ValueType.Set, ValueEncoding.IntSet, IntSet.Create(header).SizeWith(integer));
            IntSet.Create(entry.ValueSpan).Add(integer, 0);
        }
        else if (limits.PackedEntries >= 1 && member.Length <= limits.PackedValueBytes)
        {
            PackedElement element = PackedElement.Of(member);
            Entry entry = database.InsertValue(
                key, ValueType.Set, ValueEncoding.PackedList, PackedList.EmptyBytes + PackedList.SizeOf(element));
            PackedList.Create(entry.ValueSpan).Append(element);
        }
        else
        {
            SetValue set = Create(database.Keyspace, limits with { PackedEntries = 0 }, SetMember.OfBytes(member), 1);
            try
            {
                set.Add(member);
                set.InsertAs(database, key);
            }
            finally
            {
                set.Dispose();
            }
        }
    }

    /// <summary>Gives the set to a key that is known not to exist, as a look-up has just told.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void InsertAs(Database database, Key key)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        Adopted(bytes, database.InsertValue(key, ValueType.Set, Encoding, bytes.Length));
    }

    /// <summary>Gives the set to a key, replacing whatever it holds, its expiry time included.</summary>
    /// <param name="database">Where the key is.</param>
    /// <param name="key">The key, new or not.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    /// <param name="expireAtMs">When it expires.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void StoreAs(Database database, Key key, bool lazily, long expireAtMs = Database.NoExpiry)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        Adopted(bytes, database.CreateValue(key, ValueType.Set, Encoding, bytes.Length, expireAtMs, lazily));
    }

    /// <summary>Gives the set to a key that holds a value already; its expiry time stays.</summary>
    /// <param name="database">Where the key is.</param>
    /// <param name="key">The key.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void ReplaceIn(Database database, Key key, bool lazily)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        Adopted(bytes, database.CreateValue(key, ValueType.Set, Encoding, bytes.Length, Database.KeepExpiry, lazily));
    }

    /// <summary>Frees a set that belongs to no key. Does nothing for others, or once a key has adopted it.</summary>
    public void Dispose()
    {
        if (_database is not null)
        {
            return;
        }

        FreeBlock();
        if (_table != null)
        {
            Dict<MemberLayout>.FreeAll(_keyspace.Heap, _table, FreeFrom.CommandLoop);
            _table = null;
        }
    }

    private void Adopted(ReadOnlySpan<byte> bytes, Entry entry)
    {
        Debug.Assert(_database is null, "only a set without a key can be given to one");
        if (Encoding == ValueEncoding.HashTable)
        {
            Database.SetPointer(entry, (nint)_table);
            _table = null;
        }
        else
        {
            bytes.CopyTo(entry.ValueSpan);
        }
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

    /// <param name="capacity">Members the table is made for.</param>
    private void ConvertToTable(long capacity)
    {
        Dict<MemberLayout> members = Dict<MemberLayout>.Create(_keyspace.MemberRuntime);
        try
        {
            members.TryExpand(Math.Max(capacity, Count));
            members.EnsureTable();
            Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
            foreach (SetMember member in this)
            {
                ReadOnlySpan<byte> text = member.AsText(scratch);
                members.Add(MemberLayout.Create(_keyspace.MemberRuntime, _keyspace.HashOf(text), text));
            }

            _database?.ConvertValue(ref _entry, ValueEncoding.HashTable, 0, (nint)members.State);
        }
        catch (OutOfMemoryException)
        {
            Dict<MemberLayout>.FreeAll(_keyspace.Heap, members.State, FreeFrom.CommandLoop);
            throw;
        }

        FreeBlock();
        _bytes = default;
        _table = members.State;
        Encoding = ValueEncoding.HashTable;
    }

    private void ConvertToList()
    {
        IntSet integers = new(_bytes);
        int lengthBytes = PackedList.EmptyBytes;
        for (int i = 0; i < integers.Count; i++)
        {
            lengthBytes += PackedList.SizeOf(PackedElement.OfInteger(integers[i]));
        }

        byte* block = _keyspace.Heap.Allocate((nuint)lengthBytes, HeapTag.Buffer);
        PackedList list = PackedList.Create(new Span<byte>(block, lengthBytes));
        for (int i = 0; i < integers.Count; i++)
        {
            list.Append(PackedElement.OfInteger(integers[i]));
        }

        MoveTo(ValueEncoding.PackedList, block, lengthBytes, lengthBytes);
    }

    private void ConvertToIntegers()
    {
        Debug.Assert(_database is null, "only results are converted back");
        int capacity = IntSet.HeaderBytes + ((int)Count * sizeof(long));
        byte* block = _keyspace.Heap.Allocate((nuint)capacity, HeapTag.Buffer);
        IntSet integers = IntSet.Create(new Span<byte>(block, capacity));
        foreach (SetMember member in this)
        {
            bool isInteger = member.TryGetInteger(out long integer);
            bool isNew = !integers.TryFind(integer, out int index);
            Debug.Assert(isInteger && isNew, "the caller has looked at all members");
            integers.Add(integer, index);
        }

        MoveTo(ValueEncoding.IntSet, block, capacity, integers.LengthBytes);
    }

    /// <summary>Takes over a block that holds the set in another packed encoding.</summary>
    private void MoveTo(ValueEncoding encoding, byte* block, int blockBytes, int lengthBytes)
    {
        if (_database is null)
        {
            DictState* table = _table;
            FreeBlock();
            _table = null;
            _block = block;
            _blockBytes = blockBytes;
            _bytes = new Span<byte>(block, blockBytes);
            if (table != null)
            {
                Dict<MemberLayout>.FreeAll(_keyspace.Heap, table, FreeFrom.CommandLoop);
            }
        }
        else
        {
            try
            {
                _database.ConvertValue(ref _entry, encoding, lengthBytes, 0);
            }
            finally
            {
                _bytes = _entry.ValueSpan;
                if (_entry.Encoding == encoding)
                {
                    new ReadOnlySpan<byte>(block, lengthBytes).CopyTo(_bytes);
                }

                _keyspace.Heap.Free(block, (nuint)blockBytes, HeapTag.Buffer);
            }
        }

        Encoding = encoding;
    }

    private void TakeBlock(int bytes, ValueEncoding encoding)
    {
        _block = _keyspace.Heap.Allocate((nuint)bytes, HeapTag.Buffer);
        _blockBytes = bytes;
        _bytes = new Span<byte>(_block, bytes);
        Encoding = encoding;
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
