using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Entries of the dict behind a hash: a field with its value and, if it has one, its expiry time.</summary>
/// <remarks>
/// <code>
/// offset 0      6        8        12
///        [next:6|length:2|hash:4  |expireAt:8 slot:4 |length:4 ] field [length:1 | 255 length:4] value
///                                  optional           if the short one is 16383
/// </code>
/// The highest bit of the short length is the mark (<see cref="ElementMark"/>), the one below says that there is an
/// expiry time. The slot is the field's place in the hash's queue of fields that expire. A field of 4 bytes with a
/// value of 4 takes 21, beside 8 to 16 for its bucket.
/// </remarks>
internal readonly unsafe struct FieldLayout : IElementLayout, IDueLayout
{
    private const int LengthOffset = 6;
    private const int ExpiryBit = 1 << 14;
    private const int LongField = ExpiryBit - 1;
    private const int LongValue = 255;
    private const int ExpiryBytes = sizeof(long) + sizeof(int);

    /// <inheritdoc/>
    public static int StateBytes => HashState.Bytes;

    /// <summary>The field; valid until it is removed or moved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> FieldOf(byte* element)
    {
        int bits = *(ushort*)(element + LengthOffset);
        byte* at = element + EntryLink.Bytes + ((bits & ExpiryBit) != 0 ? ExpiryBytes : 0);
        int length = bits & LongField;
        return length < LongField
            ? new ReadOnlySpan<byte>(at, length)
            : new ReadOnlySpan<byte>(at + sizeof(int), Unsafe.ReadUnaligned<int>(at));
    }

    /// <summary>The value; valid until it is changed.</summary>
    public static ReadOnlySpan<byte> ValueOf(byte* element)
    {
        byte* at = ValueArea(element);
        return *at < LongValue
            ? new ReadOnlySpan<byte>(at + 1, *at)
            : new ReadOnlySpan<byte>(at + 1 + sizeof(int), Unsafe.ReadUnaligned<int>(at + 1));
    }

    /// <summary>Whether the field has an expiry time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HasExpiry(byte* element) => (*(ushort*)(element + LengthOffset) & ExpiryBit) != 0;

    /// <summary>When the field expires, in milliseconds since 1970, or <see cref="Database.NoExpiry"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ExpireAtOf(byte* element) =>
        HasExpiry(element) ? Unsafe.ReadUnaligned<long>(element + EntryLink.Bytes) : Database.NoExpiry;

    /// <summary>Sets the time of a field that has one; its place in the queue is the caller's business.</summary>
    public static void SetExpireAt(byte* element, long expireAtMs) =>
        Unsafe.WriteUnaligned(element + EntryLink.Bytes, expireAtMs);

    /// <inheritdoc/>
    public static long DueAt(byte* item) => Unsafe.ReadUnaligned<long>(item + EntryLink.Bytes);

    /// <inheritdoc/>
    public static int SlotOf(byte* item) => Unsafe.ReadUnaligned<int>(item + EntryLink.Bytes + sizeof(long));

    /// <inheritdoc/>
    public static void SetSlot(byte* item, int slot) =>
        Unsafe.WriteUnaligned(item + EntryLink.Bytes + sizeof(long), slot);

    /// <inheritdoc/>
    public static nuint BlockBytesOf(byte* element)
    {
        byte* at = ValueArea(element);
        return (nuint)(at - element) + (*at < LongValue
            ? 1u + *at
            : 1u + sizeof(int) + (nuint)Unsafe.ReadUnaligned<int>(at + 1));
    }

    /// <summary>Makes an entry that the caller then adds to a dict, with the mark that elements made now carry.</summary>
    /// <param name="runtime">Where its memory comes from.</param>
    /// <param name="hash">The field's hash.</param>
    /// <param name="field">The field.</param>
    /// <param name="value">Its value.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public static byte* Create(
        DictRuntime runtime, ulong hash, ReadOnlySpan<byte> field, ReadOnlySpan<byte> value, long expireAtMs)
    {
        bool hasExpiry = expireAtMs != Database.NoExpiry;
        bool isLong = field.Length >= LongField;
        int valueHead = ValueHeadBytes(value.Length);
        int head = EntryLink.Bytes + (hasExpiry ? ExpiryBytes : 0) + (isLong ? sizeof(int) : 0);
        byte* element = runtime.Heap.Allocate((nuint)((long)head + field.Length + valueHead + value.Length), HeapTag.Member);
        *(ulong*)element = 0;
        *(ushort*)(element + LengthOffset) = (ushort)((isLong ? LongField : field.Length)
            | (hasExpiry ? ExpiryBit : 0)
            | (runtime.MarksMembers ? ElementMark.Bit : 0));
        EntryLink.SetHash(element, (uint)hash);
        if (hasExpiry)
        {
            SetExpireAt(element, expireAtMs);
        }

        byte* at = element + head;
        if (isLong)
        {
            Unsafe.WriteUnaligned(at - sizeof(int), field.Length);
        }

        field.CopyTo(new Span<byte>(at, field.Length));
        WriteValue(at + field.Length, value);
        return element;
    }

    /// <summary>Puts another value into an entry's block if it has just the right size for it.</summary>
    /// <param name="element">The entry.</param>
    /// <param name="value">The new value; not a part of the old one.</param>
    public static bool TryOverwrite(byte* element, ReadOnlySpan<byte> value)
    {
        byte* at = ValueArea(element);
        nuint bytes = (nuint)(at - element) + (nuint)ValueHeadBytes(value.Length) + (nuint)value.Length;
        if (NativeHeap.UsableSize(bytes) != NativeHeap.UsableSize(BlockBytesOf(element)))
        {
            return false;
        }

        WriteValue(at, value);
        return true;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Matches(byte* entry, ReadOnlySpan<byte> key) => FieldOf(entry).SequenceEqual(key);

    /// <inheritdoc/>
    public static void Free(NativeHeap heap, byte* entry, FreeFrom from) =>
        heap.Free(entry, BlockBytesOf(entry), HeapTag.Member, from);

    /// <inheritdoc/>
    public static byte* Copy(DictRuntime runtime, byte* element) =>
        Create(runtime, EntryLink.Hash(element), FieldOf(element), ValueOf(element), ExpireAtOf(element));

    /// <inheritdoc/>
    public static void HandOver(SnapshotRecordWriter writer, byte* element) =>
        writer.Field(FieldOf(element), ValueOf(element), ExpireAtOf(element));

    private static byte* ValueArea(byte* element)
    {
        ReadOnlySpan<byte> field = FieldOf(element);
        return (byte*)Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(field)) + field.Length;
    }

    private static int ValueHeadBytes(int length) => length < LongValue ? 1 : 1 + sizeof(int);

    private static void WriteValue(byte* at, ReadOnlySpan<byte> value)
    {
        if (value.Length < LongValue)
        {
            *at++ = (byte)value.Length;
        }
        else
        {
            *at = LongValue;
            Unsafe.WriteUnaligned(at + 1, value.Length);
            at += 1 + sizeof(int);
        }

        value.CopyTo(new Span<byte>(at, value.Length));
    }
}
