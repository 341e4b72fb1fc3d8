using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <content>Writing values: strings, and the value areas of collections.</content>
public sealed unsafe partial class Database
{
    /// <summary>The longest string kept inside its entry; longer ones, and those that grow in place, have a block of their
    /// own.</summary>
    /// <remarks>As much as a slab's largest block has room for beside a key, since only entries can be moved
    /// (<see cref="Compaction"/>): strings whose sizes change would leave holes behind elsewhere.</remarks>
    public const int MaxInlineString = 30 * 1024;

    // Greedy growth of strings that are changed in place: double, from here on add as much.
    private const long MaxSpareBytes = 1024 * 1024;

    /// <summary>Sets a key to a string, replacing whatever it holds.</summary>
    /// <param name="key">The key, new or not.</param>
    /// <param name="value">The bytes; not a part of this key's own value. Canonical integers are kept as such.</param>
    /// <param name="expireAtMs">When it expires, <see cref="NoExpiry"/> or <see cref="KeepExpiry"/>.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    /// <remarks>O(value). Where the old entry has room, it is overwritten in place without a call to the heap.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void SetString(Key key, ReadOnlySpan<byte> value, long expireAtMs = NoExpiry, bool lazily = false) =>
        SetString(key, FindToReplace(key), value, expireAtMs, lazily);

    /// <summary>Sets a key to an integer, replacing whatever it holds.</summary>
    public void SetInteger(Key key, long value, long expireAtMs = NoExpiry)
    {
        byte* block = Prepare(
            key, FindToReplace(key), ValueType.String, ValueEncoding.Integer, 0, expireAtMs, lazily: false, out byte* area);
        Debug.Assert(block != null, "a prepared entry exists");
        Unsafe.WriteUnaligned(area, value);
    }

    /// <summary>Changes a string into an integer, or to another one; keeps the expiry time (INCR).</summary>
    public void SetInteger(ref Entry entry, long value)
    {
        Debug.Assert(entry.Type == ValueType.String, "only strings hold integers");
        BeforeChange(entry.Block);
        if (entry.Encoding != ValueEncoding.Integer)
        {
            uint clock = EntryBlock.ClockOf(entry.Block);
            byte* block = Prepare(
                KeyOf(entry.Block),
                entry.Block,
                ValueType.String,
                ValueEncoding.Integer,
                0,
                KeepExpiry,
                lazily: false,
                out byte* area);
            EntryBlock.SetClock(block, clock); // The look-up that found the entry was the one access.
            Unsafe.WriteUnaligned(area, value);
            entry = new Entry(block);
            return;
        }

        EntryBlock.SetFlags(entry.Block, EntryBlock.FlagsOf(entry.Block) & ~EntryFlags.Raw);
        Unsafe.WriteUnaligned(EntryBlock.ValueStart(entry.Block), value);
    }

    /// <summary>Sets a key to a string that was received into a block of its own; takes the block over.</summary>
    /// <remarks>O(1), beside freeing the old value.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed; the string still belongs to the caller.</exception>
    public void AdoptString(Key key, LargeString value, long expireAtMs = NoExpiry, bool lazily = false)
    {
        if (value.Length <= MaxInlineString)
        {
            SetString(key, value.Bytes, expireAtMs, lazily);
            value.Dispose();
            return;
        }

        value.Trim(); // While it can still fail: afterwards the old value is gone.
        Prepare(
            key, FindToReplace(key), ValueType.String, ValueEncoding.Block, 0, expireAtMs, lazily, out byte* area);
        Unsafe.WriteUnaligned(area, value.Detach());
    }

    /// <summary>Makes a key that holds <paramref name="length"/> zero bytes, replacing whatever it holds.</summary>
    /// <param name="key">The key, new or not.</param>
    /// <param name="length">Bytes of the string.</param>
    /// <param name="bytes">The string, to be filled in; valid until the next change.</param>
    /// <param name="expireAtMs">When it expires, <see cref="NoExpiry"/> or <see cref="KeepExpiry"/>.</param>
    /// <remarks>Clients see the encoding raw, as of any string changed in place.</remarks>
    public Entry CreateString(Key key, int length, out Span<byte> bytes, long expireAtMs = NoExpiry)
    {
        byte* block;
        if (length <= MaxInlineString)
        {
            block = Prepare(
                key,
                FindToReplace(key),
                ValueType.String,
                ValueEncoding.Inline,
                length,
                expireAtMs,
                lazily: false,
                out byte* area);
            bytes = new Span<byte>(EntryBlock.SetInlineLength(area, length), length);
        }
        else
        {
            byte* start = _heap.Allocate((nuint)length, HeapTag.Value);
            block = PrepareBlock(key, FindToReplace(key), start, length, length, expireAtMs, lazily: false);
            bytes = new Span<byte>(start, length);
        }

        EntryBlock.SetFlags(block, EntryBlock.FlagsOf(block) | EntryFlags.Raw);
        bytes.Clear();
        return new Entry(block);
    }

    /// <summary>Opens a string for changes in place (APPEND, SETRANGE, SETBIT, BITFIELD); keeps the expiry time.</summary>
    /// <param name="entry">A string; stays valid.</param>
    /// <param name="newLength">The length it shall have, at least the present one; new bytes are zero.</param>
    /// <param name="bytes">The whole string, writable until the next change.</param>
    /// <param name="changedFrom">The first byte that will be written to.</param>
    /// <param name="changedBytes">How many may be written to from there.</param>
    /// <remarks>
    /// O(1) amortized for repeated appends: a string that grows gets a block of its own with room to spare. It becomes
    /// raw in the eyes of clients, also if nothing is written.
    /// </remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void EditString(
        ref Entry entry, long newLength, out Span<byte> bytes, long changedFrom = 0, long changedBytes = int.MaxValue)
    {
        byte* block = entry.Block;
        long oldLength = entry.StringLength;
        Debug.Assert(newLength >= oldLength, "strings are edited to grow");
        if (newLength > Array.MaxLength)
        {
            HeapFailure.ThrowOutOfMemory();
        }

        var length = (int)newLength;
        BeforeChange(block);
        switch (entry.Encoding)
        {
            case ValueEncoding.Block:
                BeforeEdit(block, changedFrom, changedBytes);
                bytes = GrowBlock(block, length);
                break;
            case ValueEncoding.Inline when newLength == oldLength:
                bytes = entry.ValueSpan;
                break;
            default:
                bytes = MoveToBlock(ref entry, length);
                block = entry.Block;
                break;
        }

        EntryBlock.SetFlags(block, EntryBlock.FlagsOf(block) | EntryFlags.Raw);
    }

    /// <summary>Makes a key with a value of <paramref name="length"/> undefined bytes, replacing whatever it holds.</summary>
    /// <param name="key">The key, new or not.</param>
    /// <param name="type">The value's type.</param>
    /// <param name="encoding">How it is stored; for encodings with an address inside the entry that address is zero.</param>
    /// <param name="length">Bytes inside the entry, for encodings that keep theirs there; otherwise 0.</param>
    /// <param name="expireAtMs">When it expires, <see cref="NoExpiry"/> or <see cref="KeepExpiry"/>.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    internal Entry CreateValue(
        Key key,
        ValueType type,
        ValueEncoding encoding,
        int length,
        long expireAtMs = NoExpiry,
        bool lazily = false)
    {
        byte* block = Prepare(key, FindToReplace(key), type, encoding, length, expireAtMs, lazily, out byte* area);
        if (EntryBlock.IsInline(encoding))
        {
            EntryBlock.SetInlineLength(area, length);
        }
        else
        {
            Unsafe.InitBlockUnaligned(area, 0, (uint)EntryBlock.AreaBytes(encoding, 0));
        }

        return new Entry(block);
    }

    /// <summary>Makes a key that a look-up has just told does not exist; otherwise like <see cref="CreateValue"/>.</summary>
    /// <param name="key">The missing key.</param>
    /// <param name="type">The value's type.</param>
    /// <param name="encoding">How it is stored; an address inside the entry is zero.</param>
    /// <param name="length">Bytes inside the entry, for encodings that keep theirs there; otherwise 0.</param>
    internal Entry InsertValue(Key key, ValueType type, ValueEncoding encoding, int length)
    {
        if (!_keyspace.DeletesExpiredKeys)
        {
            // The look-up may have passed over an entry whose time has come, which must not get a double.
            return CreateValue(key, type, encoding, length);
        }

        byte* block = CreateEntry(key, type, encoding, length, NoExpiry, out byte* area);
        if (EntryBlock.IsInline(encoding))
        {
            EntryBlock.SetInlineLength(area, length);
        }
        else
        {
            Unsafe.InitBlockUnaligned(area, 0, (uint)EntryBlock.AreaBytes(encoding, 0));
        }

        return new Entry(block);
    }

    /// <summary>Changes the length of a value inside its entry; the bytes up to the shorter length stay.</summary>
    /// <param name="entry">Follows when the entry moves.</param>
    /// <param name="length">The new length in bytes.</param>
    /// <returns>The value, writable until the next change.</returns>
    /// <remarks>In place while the size class stays the same; otherwise O(value). The expiry time stays.</remarks>
    internal Span<byte> ResizeValue(ref Entry entry, int length)
    {
        byte* block = entry.Block;
        BeforeChange(block);
        ValueEncoding encoding = entry.Encoding;
        byte* area = EntryBlock.ValueStart(block);
        Span<byte> old = EntryBlock.InlineOf(area);
        long offset = area - block;
        var newBytes = (nuint)(offset + EntryBlock.AreaBytes(encoding, length));
        if (NativeHeap.UsableSize(newBytes) == NativeHeap.UsableSize(EntryBlock.BytesOf(block)))
        {
            int kept = Math.Min(old.Length, length);
            fixed (byte* from = old)
            {
                // The length field may change its size, so the bytes may shift.
                byte* to = EntryBlock.SetInlineLengthKeeping(area, from, kept, length);
                return new Span<byte>(to, length);
            }
        }

        byte* moved = _heap.Allocate(newBytes, HeapTag.Entry);
        Buffer.MemoryCopy(block, moved, offset, offset);
        var target = new Span<byte>(EntryBlock.SetInlineLength(moved + offset, length), length);
        old[..Math.Min(old.Length, length)].CopyTo(target);
        ReplaceBlock(block, moved);
        _heap.Free(block, EntryBlock.BytesOf(block), HeapTag.Entry);
        entry = new Entry(moved);
        return target;
    }

    /// <summary>Changes how the value of an entry is stored; type and expiry time stay, the old value is dropped.</summary>
    /// <param name="entry">Follows when the entry moves.</param>
    /// <param name="encoding">The new encoding.</param>
    /// <param name="length">Bytes inside the entry, for encodings that keep theirs there; otherwise 0.</param>
    /// <param name="pointer">The address to keep, for encodings with one.</param>
    internal void ConvertValue(ref Entry entry, ValueEncoding encoding, int length, nint pointer)
    {
        uint clock = EntryBlock.ClockOf(entry.Block);
        byte* block = Prepare(
            KeyOf(entry.Block), entry.Block, entry.Type, encoding, length, KeepExpiry, lazily: false, out byte* area);
        EntryBlock.SetClock(block, clock);
        if (EntryBlock.IsInline(encoding))
        {
            EntryBlock.SetInlineLength(area, length);
        }
        else
        {
            Unsafe.WriteUnaligned(area, pointer);
        }

        entry = new Entry(block);
    }

    /// <summary>Sets the address kept by an encoding with a structure of its own.</summary>
    internal static void SetPointer(in Entry entry, nint pointer) =>
        Unsafe.WriteUnaligned(EntryBlock.ValueStart(entry.Block), pointer);

    private static Key KeyOf(byte* block) => new(EntryBlock.KeyOf(block), EntryLink.Hash(block));

    private byte* SetString(Key key, byte* existing, ReadOnlySpan<byte> value, long expireAtMs, bool lazily)
    {
        byte* block;
        byte* area;
        if (value.Length <= IntegerText.MaxLength && IntegerText.TryParse(value, out long integer))
        {
            block = Prepare(
                key, existing, ValueType.String, ValueEncoding.Integer, 0, expireAtMs, lazily, out area);
            Unsafe.WriteUnaligned(area, integer);
            return block;
        }

        if (value.Length <= MaxInlineString)
        {
            block = Prepare(
                key, existing, ValueType.String, ValueEncoding.Inline, value.Length, expireAtMs, lazily, out area);
            byte* start = EntryBlock.SetInlineLength(area, value.Length);
            value.CopyTo(new Span<byte>(start, value.Length));
            return block;
        }

        byte* bytes = _heap.Allocate((nuint)value.Length, HeapTag.Value);
        value.CopyTo(new Span<byte>(bytes, value.Length));
        return PrepareBlock(key, existing, bytes, value.Length, value.Length, expireAtMs, lazily);
    }

    // Makes an entry around a block of its own; the block is freed when there is no memory for the entry.
    private byte* PrepareBlock(
        Key key, byte* existing, byte* start, int length, int capacity, long expireAtMs, bool lazily)
    {
        byte* block;
        byte* area;
        try
        {
            block = Prepare(key, existing, ValueType.String, ValueEncoding.Block, 0, expireAtMs, lazily, out area);
        }
        catch (OutOfMemoryException)
        {
            _heap.Free(start, (nuint)capacity, HeapTag.Value);
            throw;
        }

        Unsafe.WriteUnaligned(
            area, new BlockString { Start = start, Length = (uint)length, Capacity = (uint)capacity });
        return block;
    }

    /// <summary>Makes sure that a key has an entry with a value area of the right kind and size.</summary>
    /// <param name="key">The key; may lie inside <paramref name="existing"/>.</param>
    /// <param name="existing">Its entry, or null.</param>
    /// <param name="type">The new type.</param>
    /// <param name="encoding">The new encoding.</param>
    /// <param name="length">Bytes of the value, for encodings that keep them inside the entry.</param>
    /// <param name="expireAtMs">When it expires, or one of the constants.</param>
    /// <param name="lazily">Free an old value of many parts in the background.</param>
    /// <param name="area">The value area, to be filled in by the caller.</param>
    /// <returns>The entry. The old value is gone.</returns>
    private byte* Prepare(
        Key key,
        byte* existing,
        ValueType type,
        ValueEncoding encoding,
        int length,
        long expireAtMs,
        bool lazily,
        out byte* area)
    {
        if (existing == null)
        {
            return CreateEntry(key, type, encoding, length, expireAtMs, out area);
        }

        BeforeChange(existing);
        EntryFlags flags = EntryBlock.FlagsOf(existing);
        bool wasVolatile = (flags & EntryFlags.Volatile) != EntryFlags.None;
        bool isVolatile = expireAtMs == KeepExpiry ? wasVolatile : expireAtMs != NoExpiry;
        area = EntryBlock.ValueStart(existing);
        long offset = area - existing;
        ValueEncoding oldEncoding = EntryBlock.EncodingOf(existing);
        nuint oldBytes = (nuint)(offset + EntryBlock.AreaBytes(
            oldEncoding, EntryBlock.IsInline(oldEncoding) ? EntryBlock.InlineLength(area) : 0));
        var newBytes = (nuint)(offset + EntryBlock.AreaBytes(encoding, length));
        bool hasRoom = !isVolatile || (flags & EntryFlags.ExpirySlot) != EntryFlags.None;
        if (!hasRoom || NativeHeap.UsableSize(newBytes) != NativeHeap.UsableSize(oldBytes))
        {
            return RebuildEntry(existing, type, encoding, length, isVolatile, expireAtMs, lazily, out area);
        }

        if (isVolatile != wasVolatile)
        {
            SetVolatile(existing, isVolatile);
        }

        if (expireAtMs >= 0)
        {
            EntryBlock.SetExpireAt(existing, expireAtMs);
        }

        ForgetFields(existing);
        FreeValue(existing, lazily);
        EntryBlock.SetFlags(existing, EntryBlock.FlagsOf(existing) & ~EntryFlags.Raw);
        EntryBlock.SetKind(existing, type, encoding);
        EntryBlock.SetClock(existing, _keyspace.NextAccessClock(EntryBlock.ClockOf(existing)));
        return existing;
    }

    private byte* CreateEntry(
        Key key, ValueType type, ValueEncoding encoding, int length, long expireAtMs, out byte* area)
    {
        bool isVolatile = expireAtMs >= 0;
        var bytes = (nuint)(EntryBlock.ValueOffset(key.Bytes.Length, isVolatile)
            + EntryBlock.AreaBytes(encoding, length));
        EnsureTables(isVolatile);
        byte* expiry = isVolatile ? CreateExpiryEntry((uint)key.Hash) : null;
        byte* block;
        try
        {
            block = _heap.Allocate(bytes, HeapTag.Entry);
        }
        catch (OutOfMemoryException)
        {
            FreeExpiryEntry(expiry);
            throw;
        }

        area = EntryBlock.Write(
            block,
            (uint)key.Hash,
            key.Bytes,
            _keyspace.NewMark | (isVolatile ? EntryFlags.ExpirySlot | EntryFlags.Volatile : EntryFlags.None),
            type,
            encoding,
            _keyspace.FirstAccessClock);
        if (isVolatile)
        {
            EntryBlock.SetExpireAt(block, expireAtMs);
        }

        Attach(block, expiry);
        return block;
    }

    // Makes a new block for an entry whose old one has the wrong size.
    private byte* RebuildEntry(
        byte* existing,
        ValueType type,
        ValueEncoding encoding,
        int length,
        bool isVolatile,
        long expireAtMs,
        bool lazily,
        out byte* area)
    {
        Key key = KeyOf(existing);
        var bytes = (nuint)(EntryBlock.ValueOffset(key.Bytes.Length, isVolatile)
            + EntryBlock.AreaBytes(encoding, length));
        byte* block = _heap.Allocate(bytes, HeapTag.Entry);
        if (isVolatile != ((EntryBlock.FlagsOf(existing) & EntryFlags.Volatile) != EntryFlags.None))
        {
            try
            {
                SetVolatile(existing, isVolatile);
            }
            catch (OutOfMemoryException)
            {
                _heap.Free(block, bytes, HeapTag.Entry);
                throw;
            }
        }

        EntryFlags kept = EntryBlock.FlagsOf(existing) & EntryFlags.SnapshotMark;
        area = EntryBlock.Write(
            block,
            EntryLink.Hash(existing),
            key.Bytes,
            kept | (isVolatile ? EntryFlags.ExpirySlot | EntryFlags.Volatile : EntryFlags.None),
            type,
            encoding,
            _keyspace.NextAccessClock(EntryBlock.ClockOf(existing)));
        if (isVolatile)
        {
            EntryBlock.SetExpireAt(block, expireAtMs >= 0 ? expireAtMs : EntryBlock.ExpireAtOf(existing));
        }

        ForgetFields(existing);
        ReplaceBlock(existing, block);
        FreeDetached(existing, lazily);
        return block;
    }

    // Lets both dicts point at another block for the same key; the caller frees the old one.
    private void ReplaceBlock(byte* old, byte* block)
    {
        if ((EntryBlock.FlagsOf(old) & EntryFlags.Volatile) != EntryFlags.None)
        {
            ExpiryLayout.SetTarget(FindExpiryEntry(old), block);
        }

        if (HasExpiring(old))
        {
            ExpiryOf(old)->Owner = block;
        }

        _keys.Replace(old, block);
    }

    private void BeforeEdit(byte* block, long from, long length)
    {
        if (_keyspace.Snapshot is { } cut)
        {
            byte* start = Unsafe.ReadUnaligned<BlockString>(EntryBlock.ValueStart(block)).Start;
            cut.BeforeEdit(start, from, length);
        }
    }

    private Span<byte> GrowBlock(byte* block, int newLength)
    {
        byte* area = EntryBlock.ValueStart(block);
        var text = Unsafe.ReadUnaligned<BlockString>(area);
        if (newLength > text.Capacity)
        {
            uint capacity = SpareCapacity(newLength);
            byte* old = text.Start;
            text.Start = _heap.Reallocate(old, text.Capacity, capacity, HeapTag.Value);
            _keyspace.Snapshot?.Moved(old, text.Start);
            text.Capacity = capacity;
        }

        new Span<byte>(text.Start + text.Length, newLength - (int)text.Length).Clear();
        text.Length = (uint)newLength;
        Unsafe.WriteUnaligned(area, text);
        return new Span<byte>(text.Start, newLength);
    }

    private Span<byte> MoveToBlock(ref Entry entry, int newLength)
    {
        uint capacity = entry.StringLength == newLength ? (uint)newLength : SpareCapacity(newLength);
        byte* start = _heap.Allocate(capacity, HeapTag.Value);
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        ReadOnlySpan<byte> old = entry.GetStringSpan(scratch);
        var bytes = new Span<byte>(start, newLength);
        old.CopyTo(bytes);
        bytes[old.Length..].Clear();
        uint clock = EntryBlock.ClockOf(entry.Block);
        byte* block = PrepareBlock(
            KeyOf(entry.Block), entry.Block, start, newLength, (int)capacity, KeepExpiry, lazily: false);
        EntryBlock.SetClock(block, clock);
        entry = new Entry(block);
        return bytes;
    }

    private static uint SpareCapacity(int length) =>
        (uint)Math.Min(length + Math.Min(length, MaxSpareBytes), Array.MaxLength);
}
