using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>A handle to one hash: the value of a key, or a hash being built that belongs to no key yet.</summary>
/// <remarks>
/// <para>A hash has one of two encodings and only ever moves down this list:</para>
/// <code>
/// listpack    field, value, field, value ... inside the entry    while few, all short, and none expires
/// hashtable   a dict with one block per field and value          otherwise
/// </code>
/// <para>The limits come with the handle, so a change of configuration counts from the next change of a hash on. What
/// a field or value looked like is not kept: "7" is the integer 7 in a listpack and text in the dict.</para>
/// <para>Fields can expire. One whose time has come is not there for any method that does not say otherwise, but it
/// counts in <see cref="Count"/> until it is removed: by a look-up of the key (<see cref="Database.FindForRead"/>), 64
/// at most, or by the expire cycle.</para>
/// <para>Get one from <see cref="Database"/> for a key, where it is valid until something else changes the database,
/// or from <see cref="Create"/>, and then dispose it unless a key has adopted it. Every look-up, insert and delete on
/// a hash table first moves its rehash on by one bucket. A call that runs out of memory leaves all fields as they
/// were. Command loop only.</para>
/// </remarks>
public unsafe ref partial struct HashValue
{
    private readonly HashLimits _limits;
    private readonly Keyspace _keyspace;
    private readonly Database? _database;
    private Entry _entry;
    private HashState* _table;
    private Span<byte> _bytes;
    private byte* _block;
    private int _blockBytes;
    private long _expected;

    /// <summary>How the hash is stored.</summary>
    public ValueEncoding Encoding { get; private set; }

    /// <summary>Number of fields, those included whose time has come but that are still there.</summary>
    public readonly long Count =>
        Encoding == ValueEncoding.PackedList ? new PackedList(_bytes).Count / 2 : Fields.Count;

    /// <summary>Number of fields whose time has not come.</summary>
    /// <remarks>O(1), or O(fields whose time has come).</remarks>
    public readonly long LiveCount => Count - (HasExpiring ? _table->Expiry->Fields.CountBefore(_keyspace.ExpiryNowMs) : 0);

    /// <summary>The name OBJECT ENCODING shows.</summary>
    public readonly ReadOnlySpan<byte> EncodingName =>
        Encoding == ValueEncoding.PackedList ? "listpack"u8 : "hashtable"u8;

    /// <summary>The bytes of a packed hash as they stand in snapshots and dumps; empty for a hash table.</summary>
    public readonly ReadOnlySpan<byte> PackedBytes =>
        Encoding == ValueEncoding.PackedList ? new PackedList(_bytes).Bytes : default;

    /// <summary>Sizes and fill of the tables of a hash that has some; zeros for a packed one.</summary>
    public readonly DictFigures Figures => Encoding != ValueEncoding.HashTable
        ? default
        : new DictFigures(
            Fields.BucketCountOf(0),
            Fields.UsedOf(0),
            Fields.BucketCountOf(1),
            Fields.UsedOf(1),
            Fields.RehashIndex,
            _keyspace.MemberRuntime.Statistics);

    /// <summary>The list of a packed hash.</summary>
    internal readonly PackedList Packed => new(_bytes);

    /// <summary>The dict of a hash that has one.</summary>
    internal readonly Dict<FieldLayout> Fields => new((DictState*)_table, _keyspace.MemberRuntime);

    /// <summary>Finds the value of a field.</summary>
    /// <param name="field">The field.</param>
    /// <param name="value">Valid until the hash changes.</param>
    /// <remarks>O(1), or O(fields) for a listpack.</remarks>
    public readonly bool TryGet(scoped ReadOnlySpan<byte> field, out PackedElement value)
    {
        if (Encoding == ValueEncoding.HashTable)
        {
            byte* element = FindLive(field, _keyspace.HashOf(field));
            value = element == null ? default : PackedElement.OfString(FieldLayout.ValueOf(element));
            return element != null;
        }

        PackedList list = new(_bytes);
        int position = list.Find(PackedElement.Of(field), list.First, skip: 1);
        if (position == PackedList.None)
        {
            value = default;
            return false;
        }

        value = list[list.Next(position)];
        return true;
    }

    /// <summary>Whether there is such a field. O(1), or O(fields) for a listpack.</summary>
    public readonly bool Contains(scoped ReadOnlySpan<byte> field) => TryGet(field, out _);

    /// <summary>Sets a field, which does not expire afterwards.</summary>
    /// <param name="field">The field, new or not; not a part of this hash.</param>
    /// <param name="value">Its value; not a part of this hash.</param>
    /// <returns>True when there was no such field.</returns>
    /// <remarks>O(1), or O(fields) for a listpack. Where the old value has room, it is overwritten in place.</remarks>
    public bool Set(scoped ReadOnlySpan<byte> field, scoped ReadOnlySpan<byte> value) => Set(field, value, keepsExpiry: false);

    /// <summary>Sets a field; keeps when it expires, if it does.</summary>
    /// <inheritdoc cref="Set(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public bool SetKeepingExpiry(scoped ReadOnlySpan<byte> field, scoped ReadOnlySpan<byte> value) =>
        Set(field, value, keepsExpiry: true);

    /// <summary>Removes a field. A key whose hash is empty afterwards must be deleted by the caller.</summary>
    /// <returns>False when there was none.</returns>
    public bool Remove(scoped ReadOnlySpan<byte> field)
    {
        if (Encoding == ValueEncoding.HashTable)
        {
            byte* element = FindLive(field, _keyspace.HashOf(field));
            if (element == null)
            {
                return false;
            }

            TakeOut(element);
            return true;
        }

        PackedList list = new(_bytes);
        int position = list.Find(PackedElement.Of(field), list.First, skip: 1);
        if (position == PackedList.None)
        {
            return false;
        }

        BeforeChange();
        list.RemoveRange(position, 2);
        Trim(list.LengthBytes);
        return true;
    }

    /// <summary>Tells how many fields are about to be set, so that a listpack that cannot hold them becomes a table
    /// of the right size.</summary>
    public void Prepare(long fieldCount) => _expected = fieldCount;

    /// <summary>Walks over the fields whose time has not come.</summary>
    public readonly HashEnumerator GetEnumerator() => new(_bytes, _table, _keyspace.ExpiryNowMs);

    /// <summary>Goes on with a walk, behind the place where it stood.</summary>
    /// <param name="place">Of an enumerator of this hash, which has not changed since.</param>
    public readonly HashEnumerator WalkFrom(WalkPlace place) => new(_bytes, _table, place);

    /// <summary>Walks over all fields, those included whose time has come.</summary>
    public readonly HashEnumerator WalkAll() => new(_bytes, _table, long.MinValue);

    /// <summary>Walks over <paramref name="count"/> fields chosen at random, none twice; all of them when there are no
    /// more.</summary>
    public readonly HashSample Sample(long count) => new(in this, count, _keyspace.Random, _keyspace.ExpiryNowMs);

    /// <summary>Chooses fields at random, each with (nearly, in a hash table) the same chance, as often as is asked.</summary>
    public readonly HashPicks Pick() => new(in this, _keyspace.Random, _keyspace.ExpiryNowMs);

    /// <summary>Visits the fields at a cursor and hands them to a receiver.</summary>
    /// <returns>The next cursor; 0 when all have been visited. A packed hash is visited whole.</returns>
    /// <remarks>See <see cref="Dict{TLayout}.Scan"/> for what is guaranteed across resizes.</remarks>
    public readonly ulong Scan<TReceiver>(ulong cursor, ref TReceiver receiver)
        where TReceiver : struct, IHashFieldReceiver, allows ref struct
    {
        if (Encoding == ValueEncoding.HashTable)
        {
            return Fields.Scan<long, TReceiver, ScanAction<TReceiver>>(cursor, _keyspace.ExpiryNowMs, ref receiver);
        }

        foreach (HashField field in this)
        {
            receiver.Receive(field);
        }

        return 0;
    }

    private bool Set(scoped ReadOnlySpan<byte> field, scoped ReadOnlySpan<byte> value, bool keepsExpiry)
    {
        if (Encoding == ValueEncoding.HashTable)
        {
            return SetInTable(field, value, keepsExpiry);
        }

        if (Math.Max(field.Length, value.Length) > _limits.PackedValueBytes)
        {
            ConvertToTable(Count + 1);
            return SetInTable(field, value, keepsExpiry);
        }

        PackedList list = new(_bytes);
        PackedElement name = PackedElement.Of(field);
        PackedElement element = PackedElement.Of(value);
        int position = list.Find(name, list.First, skip: 1);
        if (position != PackedList.None)
        {
            Replace(list.Next(position), element);
            if (Count > _limits.PackedEntries) // Of the list where it lies now.
            {
                ConvertToTable(Count);
            }

            return false;
        }

        int count = list.Count / 2;
        long size = (long)list.LengthBytes + PackedList.SizeOf(name) + PackedList.SizeOf(element);
        if (count >= _limits.PackedEntries || size > PackedList.MaxBytes)
        {
            ConvertToTable(count + 1L);
            return SetInTable(field, value, keepsExpiry);
        }

        Reserve((int)size);
        PackedList grown = new(_bytes);
        grown.Append(name);
        grown.Append(element);
        return true;
    }

    private void Replace(int position, scoped PackedElement value)
    {
        PackedList list = new(_bytes);
        int oldLength = list.LengthBytes;
        int newLength = oldLength + PackedList.SizeOf(value) - list.SizeAt(position);
        if (newLength > oldLength)
        {
            Reserve(newLength);
        }
        else
        {
            BeforeChange();
        }

        new PackedList(_bytes).Replace(position, value);
        if (newLength < oldLength)
        {
            Trim(newLength);
        }
    }

    private readonly bool SetInTable(scoped ReadOnlySpan<byte> field, scoped ReadOnlySpan<byte> value, bool keepsExpiry)
    {
        Dict<FieldLayout> fields = Fields;
        ulong hash = _keyspace.HashOf(field);
        byte* element = fields.Find(hash, field);
        if (element == null)
        {
            BeforeChange();
            fields.EnsureTable(); // Before there is a field that could leak.
            fields.Add(FieldLayout.Create(_keyspace.MemberRuntime, hash, field, value, Database.NoExpiry));
            return true;
        }

        bool isNew = IsExpired(element);
        bool keeps = FieldLayout.HasExpiry(element) && keepsExpiry && !isNew;
        bool hasRoomLeft = keeps || !FieldLayout.HasExpiry(element);
        BeforeChange(element);
        if (!hasRoomLeft || !FieldLayout.TryOverwrite(element, value))
        {
            long expireAtMs = keeps ? FieldLayout.ExpireAtOf(element) : Database.NoExpiry;
            Exchange(element, FieldLayout.Create(_keyspace.MemberRuntime, hash, field, value, expireAtMs));
        }

        return isNew;
    }

    // Puts a new block in the place of an entry of the dict and frees that one.
    private readonly void Exchange(byte* element, byte* replacement)
    {
        Fields.Replace(element, replacement);
        if (FieldLayout.HasExpiry(element))
        {
            if (FieldLayout.HasExpiry(replacement))
            {
                _table->Expiry->Fields.Replace(element, replacement);
            }
            else
            {
                Unqueue(element);
            }
        }

        FieldLayout.Free(_keyspace.Heap, element, FreeFrom.CommandLoop);
    }

    private readonly void TakeOut(byte* element)
    {
        BeforeChange(element);
        Fields.Unlink(element);
        if (FieldLayout.HasExpiry(element))
        {
            Unqueue(element);
        }

        FieldLayout.Free(_keyspace.Heap, element, FreeFrom.CommandLoop);
        if (Fields.WantsShrink)
        {
            Fields.TryShrink();
        }
    }

    private readonly byte* FindLive(scoped ReadOnlySpan<byte> field, ulong hash)
    {
        byte* element = Fields.Find(hash, field);
        return element != null && IsExpired(element) ? null : element;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool IsExpired(byte* element) =>
        FieldLayout.HasExpiry(element) && _keyspace.IsOver(FieldLayout.DueAt(element));

    // The snapshot that is being taken wants to see a key's hash as it was at the cut.
    private readonly void BeforeChange()
    {
        if (_database is not null)
        {
            _database.BeforeChange(_entry.Block);
        }
    }

    private readonly void BeforeChange(byte* element)
    {
        BeforeChange();
        if (_database is not null && _keyspace.Snapshot is { } cut)
        {
            cut.BeforeElementChange((DictState*)_table, element);
        }
    }

    private readonly struct ScanAction<TReceiver> : IEntryAction<long, TReceiver>
        where TReceiver : struct, IHashFieldReceiver, allows ref struct
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Visit(long context, ref TReceiver state, byte* entry)
        {
            if (!FieldLayout.HasExpiry(entry) || context <= FieldLayout.DueAt(entry))
            {
                state.Receive(HashField.Of(entry));
            }
        }
    }
}
