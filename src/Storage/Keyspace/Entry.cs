using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>A key with its value, as found by a look-up.</summary>
/// <remarks>
/// A handle, not a copy: it and the spans it gives are valid until the next change of the database. Methods of
/// <see cref="Database"/> that change a value take it by reference and leave it valid.
/// </remarks>
public readonly unsafe ref struct Entry
{
    /// <summary>The longest string that clients see as embstr.</summary>
    public const int MaxEmbeddedString = 44;

    /// <summary>Room <see cref="GetStringSpan"/> needs to format an integer.</summary>
    public const int ScratchBytes = IntegerText.MaxLength;

    internal Entry(byte* block) => Block = block;

    /// <summary>The type.</summary>
    public ValueType Type => EntryBlock.TypeOf(Block);

    /// <summary>How the value is stored.</summary>
    public ValueEncoding Encoding => EntryBlock.EncodingOf(Block);

    /// <summary>The key.</summary>
    public ReadOnlySpan<byte> KeyBytes => EntryBlock.KeyOf(Block);

    /// <summary>When the key expires, in milliseconds since 1970, or <see cref="Database.NoExpiry"/>.</summary>
    public long ExpireAtMs => EntryBlock.ExpireAtOf(Block);

    /// <summary>Whether this is a hash with fields that expire.</summary>
    public bool HasExpiringFields => (EntryBlock.FlagsOf(Block) & EntryFlags.ExpiringFields) != EntryFlags.None;

    /// <summary>Whether this handle holds an entry.</summary>
    public bool IsValid => Block != null;

    /// <summary>The value's bytes where they lie inside the entry: a packed list, an integer set, a short string.</summary>
    public Span<byte> ValueSpan => EntryBlock.InlineOf(EntryBlock.ValueStart(Block));

    /// <summary>Length of a string in bytes; of an integer, that of its text.</summary>
    public long StringLength => Encoding switch
    {
        ValueEncoding.Integer => IntegerText.LengthOf(Integer),
        ValueEncoding.Inline => EntryBlock.InlineLength(EntryBlock.ValueStart(Block)),
        _ => Unsafe.ReadUnaligned<BlockString>(EntryBlock.ValueStart(Block)).Length,
    };

    /// <summary>The name OBJECT ENCODING shows.</summary>
    public ReadOnlySpan<byte> EncodingName => Encoding switch
    {
        ValueEncoding.Integer => "int"u8,
        ValueEncoding.Inline => IsRaw || StringLength > MaxEmbeddedString ? "raw"u8 : "embstr"u8,
        ValueEncoding.Block => "raw"u8,
        ValueEncoding.PackedList => "listpack"u8,
        ValueEncoding.IntSet => "intset"u8,
        ValueEncoding.HashTable => "hashtable"u8,
        ValueEncoding.SkipList => "skiplist"u8,
        ValueEncoding.QuickList => "quicklist"u8,
        _ => "stream"u8,
    };

    /// <summary>Bytes before key and value.</summary>
    public const int HeaderBytes = EntryBlock.HeaderBytes;

    /// <summary>Where the entry lies, for DEBUG OBJECT; not to be followed.</summary>
    public nint Address => (nint)Block;

    /// <summary>The 24 bits that note accesses.</summary>
    public uint AccessClock => EntryBlock.ClockOf(Block);

    /// <summary>The block in native memory.</summary>
    internal byte* Block { get; }

    /// <summary>The integer of an entry that is stored as one.</summary>
    internal long Integer => Unsafe.ReadUnaligned<long>(EntryBlock.ValueStart(Block));

    /// <summary>The address kept by an encoding with a structure of its own.</summary>
    internal nint Pointer => Unsafe.ReadUnaligned<nint>(EntryBlock.ValueStart(Block));

    /// <summary>Whether a string was changed in place.</summary>
    internal bool IsRaw => (EntryBlock.FlagsOf(Block) & EntryFlags.Raw) != EntryFlags.None;

    /// <summary>Elements of a list, members of a set, fields, entries; 1 for a string. Fields count until they are removed.</summary>
    /// <remarks>O(1), but for packed lists of more than 65,534 elements.</remarks>
    public long ElementCount => ValueLifetime.ElementsOf(Block);

    /// <summary>The string as a 64-bit integer, however it is stored.</summary>
    /// <returns><see langword="false"/> if its text is not the canonical form of one.</returns>
    public bool TryGetInteger(out long value)
    {
        if (Encoding == ValueEncoding.Integer)
        {
            value = Integer;
            return true;
        }

        return IntegerText.TryParse(GetStringSpan(default), out value);
    }

    /// <summary>Bytes the key takes with its value: entry, blocks of its own, its part in the dicts.</summary>
    /// <param name="sampleSize">Parts of a large value to look at; 0 means all.</param>
    /// <remarks>O(sample).</remarks>
    public long MemoryUsage(long sampleSize)
    {
        long bytes = (long)NativeHeap.UsableSize(EntryBlock.BytesOf(Block)) + sizeof(byte*);
        if ((EntryBlock.FlagsOf(Block) & EntryFlags.Volatile) != EntryFlags.None)
        {
            bytes += (long)NativeHeap.UsableSize(ExpiryLayout.Bytes) + sizeof(byte*);
        }

        return bytes + ValueLifetime.ExternalBytes(Block, sampleSize);
    }

    /// <summary>The bytes of a string.</summary>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>; an integer is formatted into it.</param>
    /// <returns>A part of the scratch or of the store, valid until the next change.</returns>
    public ReadOnlySpan<byte> GetStringSpan(Span<byte> scratch)
    {
        byte* area = EntryBlock.ValueStart(Block);
        switch (Encoding)
        {
            case ValueEncoding.Inline:
                return EntryBlock.InlineOf(area);
            case ValueEncoding.Integer:
                return scratch[..IntegerText.Format(Unsafe.ReadUnaligned<long>(area), scratch)];
            default:
                var text = Unsafe.ReadUnaligned<BlockString>(area);
                return new ReadOnlySpan<byte>(text.Start, (int)text.Length);
        }
    }
}
