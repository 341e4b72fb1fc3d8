using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>The bytes of a keyspace entry; everything that knows where its fields lie.</summary>
/// <remarks>
/// <code>
/// offset  0      6          7        8         12                  16
///         [next:6|keyLen:1  |flags:1 |hash:4   |type+encoding:1,   |[expireAt:8] [keyLen:4] key  value
///                 255 = long                    clock:3                optional    optional
///
/// value of an Integer                           8 bytes
/// value of Inline, PackedList, IntSet           length:1 bytes, or 255 length:4 bytes
/// value of Block                                address:8 length:4 capacity:4
/// value of the others                           address:8
/// </code>
/// Nothing is padded: an 11-byte key with a 64-byte string takes 16 + 11 + 1 + 64 = 92 bytes. All fields may lie at
/// odd addresses.
/// </remarks>
internal static unsafe class EntryBlock
{
    /// <summary>Bytes before the optional fields.</summary>
    public const int HeaderBytes = 16;

    /// <summary>The expiry time of an entry that has room for one but none set.</summary>
    public const long NoExpiry = -1;

    private const int KeyLengthOffset = 6;
    private const int FlagsOffset = 7;
    private const int MetaOffset = 12;
    private const int LongMark = 255;

    /// <summary>The flags; read with the link, in one cache line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EntryFlags FlagsOf(byte* block) => (EntryFlags)block[FlagsOffset];

    /// <summary>Sets the flags.</summary>
    public static void SetFlags(byte* block, EntryFlags flags) => block[FlagsOffset] = (byte)flags;

    /// <summary>The type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ValueType TypeOf(byte* block) => (ValueType)(block[MetaOffset] & 15);

    /// <summary>The encoding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ValueEncoding EncodingOf(byte* block) => (ValueEncoding)(block[MetaOffset] >> 4);

    /// <summary>Sets type and encoding.</summary>
    public static void SetKind(byte* block, ValueType type, ValueEncoding encoding) =>
        block[MetaOffset] = (byte)((int)type | ((int)encoding << 4));

    /// <summary>The 24 bits of the access clock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ClockOf(byte* block) => Unsafe.ReadUnaligned<uint>(block + MetaOffset) >> 8;

    /// <summary>Sets the access clock; does not write when nothing changes, which keeps cache lines clean.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetClock(byte* block, uint clock)
    {
        uint old = Unsafe.ReadUnaligned<uint>(block + MetaOffset);
        uint now = (old & 0xFF) | (clock << 8);
        if (old != now)
        {
            Unsafe.WriteUnaligned(block + MetaOffset, now);
        }
    }

    /// <summary>The expiry time in milliseconds since 1970, or <see cref="NoExpiry"/>.</summary>
    public static long ExpireAtOf(byte* block) =>
        (FlagsOf(block) & EntryFlags.Volatile) == EntryFlags.None
            ? NoExpiry
            : Unsafe.ReadUnaligned<long>(block + HeaderBytes);

    /// <summary>Sets the time in an entry that has room for it; the flag is the caller's business.</summary>
    public static void SetExpireAt(byte* block, long expireAtMs)
    {
        Debug.Assert((FlagsOf(block) & EntryFlags.ExpirySlot) != EntryFlags.None, "the entry has room for an expiry time");
        Unsafe.WriteUnaligned(block + HeaderBytes, expireAtMs);
    }

    /// <summary>The key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> KeyOf(byte* block)
    {
        byte* at = KeyStart(block, out int length);
        return new ReadOnlySpan<byte>(at, length);
    }

    /// <summary>Where the key starts, and how long it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* KeyStart(byte* block, out int length)
    {
        byte* at = block + HeaderBytes + ((block[FlagsOffset] & (int)EntryFlags.ExpirySlot) << 3);
        length = block[KeyLengthOffset];
        if (length == LongMark)
        {
            length = Unsafe.ReadUnaligned<int>(at);
            at += sizeof(int);
        }

        return at;
    }

    /// <summary>Where the value area starts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ValueStart(byte* block)
    {
        byte* key = KeyStart(block, out int length);
        return key + length;
    }

    /// <summary>Bytes before the value area of an entry with such a key.</summary>
    public static long ValueOffset(int keyLength, bool hasExpirySlot) =>
        HeaderBytes + (hasExpirySlot ? sizeof(long) : 0) + (keyLength >= LongMark ? sizeof(int) : 0) + (long)keyLength;

    /// <summary>Whether the value area starts with its own length.</summary>
    public static bool IsInline(ValueEncoding encoding) =>
        encoding is ValueEncoding.Inline or ValueEncoding.PackedList or ValueEncoding.IntSet;

    /// <summary>Whether the value is a dict with one block per element; see <see cref="DictCollection"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDict(ValueEncoding encoding) => encoding is ValueEncoding.HashTable or ValueEncoding.SkipList;

    /// <summary>Bytes of the value area for a value of <paramref name="length"/> bytes.</summary>
    public static long AreaBytes(ValueEncoding encoding, long length) => encoding switch
    {
        ValueEncoding.Integer => sizeof(long),
        ValueEncoding.Inline or ValueEncoding.PackedList or ValueEncoding.IntSet =>
            length + (length < LongMark ? 1 : 1 + sizeof(int)),
        ValueEncoding.Block => BlockString.Bytes,
        _ => sizeof(byte*),
    };

    /// <summary>Bytes of the value inside the entry, without its length field.</summary>
    public static int InlineLength(byte* area) =>
        *area < LongMark ? *area : Unsafe.ReadUnaligned<int>(area + 1);

    /// <summary>The value inside the entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Span<byte> InlineOf(byte* area) =>
        *area < LongMark
            ? new Span<byte>(area + 1, *area)
            : new Span<byte>(area + 1 + sizeof(int), Unsafe.ReadUnaligned<int>(area + 1));

    /// <summary>Writes the length field and returns where the bytes go.</summary>
    public static byte* SetInlineLength(byte* area, int length)
    {
        if (length < LongMark)
        {
            *area = (byte)length;
            return area + 1;
        }

        *area = LongMark;
        Unsafe.WriteUnaligned(area + 1, length);
        return area + 1 + sizeof(int);
    }

    /// <summary>Writes the length field of a value whose first bytes lie at <paramref name="from"/> and shall stay.</summary>
    public static byte* SetInlineLengthKeeping(byte* area, byte* from, int kept, int length)
    {
        byte* to = area + (length < LongMark ? 1 : 1 + sizeof(int));
        Buffer.MemoryCopy(from, to, kept, kept);
        return SetInlineLength(area, length);
    }

    /// <summary>Bytes of the value area.</summary>
    public static long AreaBytesOf(byte* block)
    {
        ValueEncoding encoding = EncodingOf(block);
        return AreaBytes(encoding, IsInline(encoding) ? InlineLength(ValueStart(block)) : 0);
    }

    /// <summary>Bytes of the whole entry, as asked from the heap.</summary>
    public static nuint BytesOf(byte* block) => (nuint)(ValueStart(block) - block + AreaBytesOf(block));

    /// <summary>Fills in everything before the value area; the link is the dict's business.</summary>
    /// <returns>Where the value area starts.</returns>
    public static byte* Write(
        byte* block, uint hash, ReadOnlySpan<byte> key, EntryFlags flags, ValueType type, ValueEncoding encoding, uint clock)
    {
        bool isLong = key.Length >= LongMark;
        *(ulong*)block = 0;
        block[KeyLengthOffset] = (byte)(isLong ? LongMark : key.Length);
        block[FlagsOffset] = (byte)flags;
        EntryLink.SetHash(block, hash);
        Unsafe.WriteUnaligned(block + MetaOffset, (uint)type | ((uint)encoding << 4) | (clock << 8));
        byte* at = block + HeaderBytes;
        if ((flags & EntryFlags.ExpirySlot) != EntryFlags.None)
        {
            Unsafe.WriteUnaligned(at, NoExpiry);
            at += sizeof(long);
        }

        if (isLong)
        {
            Unsafe.WriteUnaligned(at, key.Length);
            at += sizeof(int);
        }

        key.CopyTo(new Span<byte>(at, key.Length));
        return at + key.Length;
    }
}
