using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Where a sorted set lives, how it gets room there, and how it leaves the packed encoding.</content>
/// <remarks>A packed set lies inside its key's entry, or, while it belongs to no key, in a block of its own that grows
/// by doubling. Everything that depends on which of the two is here.</remarks>
public unsafe ref partial struct SortedSetValue
{
    /// <summary>The most bytes a member takes in a packed list beside its own: two heads, two back lengths, a score.
    /// </summary>
    internal const int MaxPackedOverhead = 48;

    // A first block this large serves most results without growing.
    private const int FirstBlockBytes = 256;

    private SortedSetValue(Database database, Entry entry, SortedSetLimits limits)
    {
        _database = database;
        _keyspace = database.Keyspace;
        _limits = limits;
        _entry = entry;
        Encoding = entry.Encoding;
        if (Encoding == ValueEncoding.SkipList)
        {
            _state = (SkipListState*)entry.Pointer;
        }
        else
        {
            _bytes = entry.ValueSpan;
        }
    }

    private SortedSetValue(Keyspace keyspace, SortedSetLimits limits)
    {
        _keyspace = keyspace;
        _limits = limits;
    }

    /// <summary>Opens the sorted set that a look-up has found.</summary>
    /// <param name="database">Where it was found.</param>
    /// <param name="entry">The key's entry.</param>
    /// <param name="limits">Up to where it stays packed, for changes.</param>
    public static SortedSetValue Open(Database database, Entry entry, SortedSetLimits limits)
    {
        Debug.Assert(entry.Type == ValueType.SortedSet, "the look-up asked for a sorted set");
        return new SortedSetValue(database, entry, limits);
    }

    /// <summary>Makes an empty set that belongs to no key; the caller disposes it.</summary>
    /// <param name="keyspace">The store whose memory it uses.</param>
    /// <param name="limits">Up to where it stays packed.</param>
    /// <param name="firstBytes">Length of the first member it will get: a long one makes it a skip list at once.</param>
    public static SortedSetValue Create(Keyspace keyspace, SortedSetLimits limits, int firstBytes)
    {
        SortedSetValue set = new(keyspace, limits);
        if (limits.PackedEntries == 0 || firstBytes > limits.PackedValueBytes)
        {
            set.Encoding = ValueEncoding.SkipList;
            set._state = SkipList.Create(keyspace.MemberRuntime).State;
        }
        else
        {
            set.TakeBlock(FirstBlockBytes);
            PackedList.Create(set._bytes);
        }

        return set;
    }

    /// <summary>Makes a key for a set with one member. The key must be known not to exist.</summary>
    /// <remarks>One look-up, the caller's, and one allocation for the usual small member.</remarks>
    public static void InsertSingle(
        Database database, Key key, ReadOnlySpan<byte> member, double score, SortedSetLimits limits)
    {
        if (limits.PackedEntries >= 1 && member.Length <= limits.PackedValueBytes)
        {
            PackedElement element = PackedElement.Of(member);
            PackedElement scoreElement = PackedSortedSet.ElementOf(score, stackalloc byte[ScoreText.MaxLength]);
            int bytes = PackedList.EmptyBytes + PackedList.SizeOf(element) + PackedList.SizeOf(scoreElement);
            Entry entry = database.InsertValue(key, ValueType.SortedSet, ValueEncoding.PackedList, bytes);
            PackedList list = PackedList.Create(entry.ValueSpan);
            list.Append(element);
            list.Append(scoreElement);
            return;
        }

        SortedSetValue set = Create(database.Keyspace, limits, member.Length);
        try
        {
            set.Add(member, score, SortedSetAddFlags.None, out _);
            set.InsertAs(database, key);
        }
        finally
        {
            set.Dispose();
        }
    }

    /// <summary>Gives the set to a key that is known not to exist, as a look-up has just told.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void InsertAs(Database database, Key key)
    {
        ReadOnlySpan<byte> bytes = PackedBytes;
        Adopted(bytes, database.InsertValue(key, ValueType.SortedSet, Encoding, bytes.Length));
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
        Adopted(bytes, database.CreateValue(key, ValueType.SortedSet, Encoding, bytes.Length, expireAtMs, lazily));
    }

    /// <summary>Frees a set that belongs to no key. Does nothing for others, or once a key has adopted it.</summary>
    public void Dispose()
    {
        if (_database is not null)
        {
            return;
        }

        FreeBlock();
        if (_state != null)
        {
            SkipList.FreeAll(_keyspace.Heap, _state, FreeFrom.CommandLoop);
            _state = null;
        }
    }

    /// <summary>Makes a packed set of the members in a list's dict; the list stays as it is.</summary>
    internal static SortedSetValue CreatePacked(Keyspace keyspace, SortedSetLimits limits, SkipList source)
    {
        SortedSetValue set = new(keyspace, limits);
        nuint roomBytes = Math.Max((nuint)source.Count * (sizeof(double) + (nuint)sizeof(nint)), 1);
        byte* room = keyspace.Heap.Allocate(roomBytes, HeapTag.Buffer);
        try
        {
            Span<nint> nodes = source.SortNodes(room);
            Span<byte> scratch = stackalloc byte[ScoreText.MaxLength];
            int bytes = PackedList.EmptyBytes;
            foreach (nint node in nodes)
            {
                bytes += PackedList.SizeOf(PackedElement.Of(SortedMemberLayout.BytesOf((byte*)node)))
                    + PackedList.SizeOf(PackedSortedSet.ElementOf(SortedMemberLayout.ScoreOf((byte*)node), scratch));
            }

            set.TakeBlock(bytes);
            PackedList list = PackedList.Create(set._bytes);
            foreach (nint node in nodes)
            {
                list.Append(PackedElement.Of(SortedMemberLayout.BytesOf((byte*)node)));
                list.Append(PackedSortedSet.ElementOf(SortedMemberLayout.ScoreOf((byte*)node), scratch));
            }
        }
        finally
        {
            keyspace.Heap.Free(room, roomBytes, HeapTag.Buffer);
        }

        return set;
    }

    /// <summary>Makes a set of a list, which it owns from now on.</summary>
    internal static SortedSetValue CreateOf(Keyspace keyspace, SortedSetLimits limits, SkipListState* adopted) =>
        new(keyspace, limits) { Encoding = ValueEncoding.SkipList, _state = adopted };

    private void Adopted(ReadOnlySpan<byte> bytes, Entry entry)
    {
        Debug.Assert(_database is null, "only a set without a key can be given to one");
        if (Encoding == ValueEncoding.SkipList)
        {
            Database.SetPointer(entry, (nint)_state);
            _state = null;
        }
        else
        {
            bytes.CopyTo(entry.ValueSpan);
        }
    }

    private void RemovePacked(int position, int count)
    {
        BeforeChange();
        PackedList list = new(_bytes);
        list.RemoveRange(position, count * 2);
        Resize(list.LengthBytes);
    }

    /// <summary>Gives a member of a packed set another score, and the place that goes with it.</summary>
    private void MovePacked(int position, scoped PackedElement member, double score)
    {
        PackedList list = new(_bytes);
        PackedElement element = PackedSortedSet.ElementOf(score, stackalloc byte[ScoreText.MaxLength]);
        int oldLength = list.LengthBytes;

        // What the list holds now may be spelled differently from how it would be written.
        int scoreAt = list.Next(position);
        int newLength = oldLength - list.SizeAt(position) - list.SizeAt(scoreAt)
            + PackedList.SizeOf(member) + PackedList.SizeOf(element);
        Reserve(Math.Max(oldLength, newLength));
        new PackedList(_bytes).RemoveRange(position, 2);
        PackedSortedSet packed = Packed;
        packed.Insert(packed.FindPlace(score, member.Bytes), member, element);
        if (newLength < oldLength)
        {
            Resize(newLength);
        }
    }

    /// <summary>Makes sure that the packed value has so many bytes; keeps what is there.</summary>
    private void Reserve(int lengthBytes)
    {
        if (_database is not null)
        {
            Resize(lengthBytes);
        }
        else if (lengthBytes > _blockBytes)
        {
            int bytes = (int)Math.Min(Math.Max(lengthBytes, _blockBytes * 2L), PackedList.MaxBytes);
            _block = _keyspace.Heap.Reallocate(_block, (nuint)_blockBytes, (nuint)bytes, HeapTag.Buffer);
            _blockBytes = bytes;
            _bytes = new Span<byte>(_block, bytes);
        }
    }

    /// <summary>Gives the packed value of a key so many bytes; keeps what is there.</summary>
    private void Resize(int lengthBytes)
    {
        if (_database is not null)
        {
            _database.ResizeValue(ref _entry, lengthBytes);
            _bytes = _entry.ValueSpan;
        }
    }

    /// <param name="capacity">Members the table is made for.</param>
    private void ConvertToList(long capacity)
    {
        SkipList list = SkipList.Create(_keyspace.MemberRuntime);
        SkipListBuilder builder = new(list.State);
        try
        {
            list.Dict.TryExpand(capacity);
            list.Dict.EnsureTable();
            Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
            foreach (SortedSetMember member in this)
            {
                ReadOnlySpan<byte> text = member.Member.AsText(scratch);
                byte* node = SortedMemberLayout.Create(
                    _keyspace.MemberRuntime,
                    _keyspace.HashOf(text),
                    text,
                    member.Score,
                    SkipList.ChooseLevels(_keyspace.Random));
                builder.Append(node);
                list.Dict.Add(node);
            }

            _database?.ConvertValue(ref _entry, ValueEncoding.SkipList, 0, (nint)list.State);
        }
        catch (OutOfMemoryException)
        {
            SkipList.FreeAll(_keyspace.Heap, list.State, FreeFrom.CommandLoop);
            throw;
        }

        builder.Finish();
        FreeBlock();
        _bytes = default;
        _state = list.State;
        Encoding = ValueEncoding.SkipList;
    }

    private void TakeBlock(int bytes)
    {
        _block = _keyspace.Heap.Allocate((nuint)bytes, HeapTag.Buffer);
        _blockBytes = bytes;
        _bytes = new Span<byte>(_block, bytes);
        Encoding = ValueEncoding.PackedList;
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
