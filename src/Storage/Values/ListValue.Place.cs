using System.Buffers;
using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Where a list lives, how it gets room there, and how it changes its encoding.</content>
/// <remarks>A packed list lies inside its key's entry, with some room to grow, or, while it belongs to no key, in a
/// block of its own.</remarks>
public unsafe ref partial struct ListValue
{
    private const int FirstBlockBytes = 256;

    // Room to grow that an entry gets: an eighth.
    private const int SpareShare = 8;

    private ListValue(Database database, Entry entry, ListLimits limits)
    {
        _database = database;
        _keyspace = database.Keyspace;
        _limits = limits;
        _entry = entry;
        Encoding = entry.Encoding;
        if (IsPacked)
        {
            _bytes = entry.ValueSpan;
        }
        else
        {
            _state = (ListState*)entry.Pointer;
        }
    }

    private ListValue(Keyspace keyspace, ListLimits limits)
    {
        _keyspace = keyspace;
        _limits = limits;
    }

    /// <summary>The key's entry, which may have moved since the handle was opened.</summary>
    public readonly Entry Entry => _entry;

    /// <summary>Opens the list that a look-up has found.</summary>
    /// <param name="database">Where it was found.</param>
    /// <param name="entry">The key's entry.</param>
    /// <param name="limits">The sizes of its nodes, for changes.</param>
    public static ListValue Open(Database database, Entry entry, ListLimits limits)
    {
        Debug.Assert(entry.Type == ValueType.List, "the look-up asked for a list");
        return new ListValue(database, entry, limits);
    }

    /// <summary>Makes an empty packed list that belongs to no key; the caller disposes it.</summary>
    public static ListValue Create(Keyspace keyspace, ListLimits limits)
    {
        ListValue list = new(keyspace, limits) { Encoding = ValueEncoding.PackedList };
        list._block = keyspace.Heap.Allocate(FirstBlockBytes, HeapTag.Buffer);
        list._blockBytes = FirstBlockBytes;
        list._bytes = new Span<byte>(list._block, FirstBlockBytes);
        PackedList.Create(list._bytes);
        return list;
    }

    /// <summary>Makes a key for a list with one element. The key must be known not to exist.</summary>
    /// <remarks>One look-up, the caller's, and one allocation for the usual short element.</remarks>
    public static void InsertSingle(Database database, Key key, ReadOnlySpan<byte> text, ListLimits limits)
    {
        if (limits.AreExceededBy(PackedList.EmptyBytes + (long)text.Length, 1))
        {
            ListValue list = Create(database.Keyspace, limits);
            try
            {
                list.ConvertToTree();
                list.Push(text, atHead: false);
                list.InsertAs(database, key);
            }
            finally
            {
                list.Dispose();
            }

            return;
        }

        PackedElement element = PackedElement.Of(text);
        Entry entry = database.InsertValue(
            key, ValueType.List, ValueEncoding.PackedList, PackedList.EmptyBytes + PackedList.SizeOf(element));
        PackedList.Create(entry.ValueSpan).Append(element);
    }

    /// <summary>Gives the list to a key that is known not to exist, as a look-up has just told.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void InsertAs(Database database, Key key)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        Adopted(bytes, database.InsertValue(key, ValueType.List, Encoding, bytes.Length));
    }

    /// <summary>Gives the list to a key, replacing whatever it holds, its expiry time included.</summary>
    /// <param name="database">Where the key is.</param>
    /// <param name="key">The key, new or not.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    /// <param name="expireAtMs">When it expires.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void StoreAs(Database database, Key key, bool lazily, long expireAtMs = Database.NoExpiry)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        Adopted(bytes, database.CreateValue(key, ValueType.List, Encoding, bytes.Length, expireAtMs, lazily));
    }

    /// <summary>Frees a list that belongs to no key. Does nothing for others, or once a key has adopted it.</summary>
    public void Dispose()
    {
        if (_database is not null)
        {
            return;
        }

        FreeBlock();
        if (_state != null)
        {
            ListTree.FreeAll(_keyspace.Heap, _state, FreeFrom.CommandLoop);
            _state = null;
        }
    }

    private readonly ReadOnlySpan<byte> PackedBytes => IsPacked ? new PackedList(_bytes).Bytes : default;

    private void Adopted(ReadOnlySpan<byte> bytes, Entry entry)
    {
        Debug.Assert(_database is null, "only a list without a key can be given to one");
        if (IsPacked)
        {
            bytes.CopyTo(entry.ValueSpan);
            return;
        }

        Database.SetPointer(entry, (nint)_state);
        _state = null;
    }

    /// <summary>Makes sure that the packed list has so many bytes; keeps what is there.</summary>
    private void Reserve(int lengthBytes)
    {
        if (lengthBytes <= _bytes.Length)
        {
            return;
        }

        if (_database is not null)
        {
            _database.ResizeValue(ref _entry, lengthBytes + (lengthBytes / SpareShare));
            _bytes = _entry.ValueSpan;
            return;
        }

        int bytes = (int)Math.Min(Math.Max(lengthBytes, _blockBytes * 2L), PackedList.MaxBytes);
        _block = _keyspace.Heap.Reallocate(_block, (nuint)_blockBytes, (nuint)bytes, HeapTag.Buffer);
        _blockBytes = bytes;
        _bytes = new Span<byte>(_block, bytes);
    }

    /// <summary>Gives back what the packed list no longer needs, when that is much.</summary>
    private void Trim()
    {
        int lengthBytes = new PackedList(_bytes).LengthBytes;
        int roomy = lengthBytes + (lengthBytes / SpareShare);
        if (_database is null || _bytes.Length <= roomy + (lengthBytes / 4) + PackedList.EmptyBytes)
        {
            return;
        }

        try
        {
            _database.ResizeValue(ref _entry, roomy);
            _bytes = _entry.ValueSpan;
        }
        catch (OutOfMemoryException)
        {
            // A smaller block would have been better, that is all.
        }
    }

    private void ConvertToTree()
    {
        ListTree tree = ListTree.Create(_keyspace, _limits);
        try
        {
            PackedList list = new(_bytes);
            Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
            for (int position = list.First; position != PackedList.None; position = list.Next(position))
            {
                tree.Push(list[position].AsText(scratch), atHead: false);
            }

            _database?.ConvertValue(ref _entry, ValueEncoding.QuickList, 0, (nint)tree.State);
        }
        catch (OutOfMemoryException)
        {
            ListTree.FreeAll(_keyspace.Heap, tree.State, FreeFrom.CommandLoop);
            throw;
        }

        FreeBlock();
        _bytes = default;
        _state = tree.State;
        Encoding = ValueEncoding.QuickList;
    }

    private void ConvertToPacked(PackedList list)
    {
        // The tree goes when the entry changes.
        int lengthBytes = list.LengthBytes;
        byte[] copy = ArrayPool<byte>.Shared.Rent(lengthBytes);
        list.Bytes.CopyTo(copy);
        try
        {
            _database!.ConvertValue(ref _entry, ValueEncoding.PackedList, lengthBytes, 0);
            _bytes = _entry.ValueSpan;
            copy.AsSpan(0, lengthBytes).CopyTo(_bytes);
            _state = null;
            Encoding = ValueEncoding.PackedList;
        }
        catch (OutOfMemoryException)
        {
            // It stays a tree.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
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
