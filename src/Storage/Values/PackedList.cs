using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>A list of short strings and integers in one run of bytes: the encoding of small collections.</summary>
/// <remarks>
/// <para>The bytes are those of a Redis listpack, so snapshots and dumps carry them as they are:</para>
/// <code>
/// | total bytes: 4 | count: 2 | element | element | ... | FF |
///
/// element: | encoding, with small lengths and integers inside | payload | back length: 1..5 |
///
///   0xxxxxxx                 integer 0..127
///   10xxxxxx                 string of up to 63 bytes
///   110xxxxx yyyyyyyy        integer -4096..4095
///   1110xxxx yyyyyyyy        string of up to 4095 bytes
///   F0 + 4                   string, length in 32 bits
///   F1 + 2, F2 + 3, F3 + 4, F4 + 8   integers of 16, 24, 32 and 64 bits, little-endian
/// </code>
/// <para>The back length is the element's size without itself, in groups of 7 bits with the most significant first and
/// the high bit set on all but the first byte, which makes it readable from its end: lists are walked both ways. A
/// count of 65535 means "count them": it stays until the list is built anew.</para>
/// <para>This type is a view of a block that belongs to someone else. Growing takes two steps: the caller asks for an
/// element's size (<see cref="SizeOf(PackedElement)"/>), makes the block large enough, and views it again. A position is
/// the offset of an element from the start of the list and holds until the next change before it;
/// <see cref="None"/> means there is no such element. The bytes are trusted: those that come from outside pass
/// <see cref="IsValid"/> first. Command loop only, or whoever owns the block.</para>
/// </remarks>
public readonly ref partial struct PackedList
{
    /// <summary>Bytes before the first element.</summary>
    public const int HeaderBytes = 6;

    /// <summary>Bytes of a list without elements.</summary>
    public const int EmptyBytes = HeaderBytes + 1;

    /// <summary>Lists do not grow beyond this; callers turn to another encoding long before.</summary>
    public const int MaxBytes = 1 << 30;

    /// <summary>Bytes that an element takes at most beyond those of its text.</summary>
    public const int MostOverhead = 10;

    /// <summary>The position of an element that does not exist.</summary>
    public const int None = -1;

    private const int CountOffset = 4;
    private const int UnknownCount = ushort.MaxValue;
    private const byte EndMark = 0xFF;

    private readonly Span<byte> _block;

    /// <summary>Views the list at the start of a block; what follows it in the block is room to grow.</summary>
    public PackedList(Span<byte> block)
    {
        _block = block;
        Debug.Assert(block.Length >= EmptyBytes, "The block holds a list.");
        Debug.Assert((uint)LengthBytes <= (uint)block.Length, "The list lies within its block.");
    }

    private PackedList(Span<byte> block, bool _) => _block = block;

    /// <summary>Bytes of the list.</summary>
    public int LengthBytes => BinaryPrimitives.ReadInt32LittleEndian(_block);

    /// <summary>The list's bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _block[..LengthBytes];

    /// <summary>Number of elements. O(1) up to 65534 elements, else O(elements).</summary>
    public int Count
    {
        get
        {
            int count = BinaryPrimitives.ReadUInt16LittleEndian(_block[CountOffset..]);
            return count != UnknownCount ? count : CountElements();
        }
    }

    /// <summary>Position of the first element.</summary>
    public int First => _block[HeaderBytes] == EndMark ? None : HeaderBytes;

    /// <summary>Position of the last element.</summary>
    public int Last => Previous(LengthBytes - 1);

    /// <summary>The element at a position.</summary>
    public PackedElement this[int position]
    {
        get
        {
            Debug.Assert(position >= HeaderBytes && position < LengthBytes - 1, "The position is an element's.");
            return Decode(_block[position..]);
        }
    }

    /// <summary>Makes an empty list at the start of a block.</summary>
    /// <param name="block">At least <see cref="EmptyBytes"/> long.</param>
    public static PackedList Create(Span<byte> block)
    {
        BinaryPrimitives.WriteInt32LittleEndian(block, EmptyBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(block[CountOffset..], 0);
        block[HeaderBytes] = EndMark;
        return new PackedList(block, true);
    }

    /// <summary>Bytes a value takes in a list, its back length included.</summary>
    public static int SizeOf(PackedElement value)
    {
        int size = value.IsInteger ? IntegerBytes(value.Integer) : StringHeaderBytes(value.Bytes.Length) + value.Bytes.Length;
        return size + BackLengthBytes(size);
    }

    /// <summary>Tells whether bytes from outside are a well-formed list.</summary>
    /// <param name="bytes">All of them; nothing may follow the list.</param>
    /// <returns>False unless every element lies inside, every back length fits its element, the count is right and the
    /// end mark is where the header says. A list that passes is safe for every method of this type.</returns>
    /// <remarks>O(elements). Elements need not use the shortest encoding.</remarks>
    public static bool IsValid(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < EmptyBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != (uint)bytes.Length
            || bytes[^1] != EndMark)
        {
            return false;
        }

        int declared = BinaryPrimitives.ReadUInt16LittleEndian(bytes[CountOffset..]);
        int count = 0;
        int position = HeaderBytes;
        int end = bytes.Length - 1;
        while (position < end)
        {
            if (!TryMeasure(bytes[position..end], out int size))
            {
                return false;
            }

            position += size;
            count++;
        }

        return declared == UnknownCount || declared == count;
    }

    /// <summary>Position of the element after one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(int position)
    {
        int size = EncodedBytes(ref Unsafe.Add(ref MemoryMarshal.GetReference(_block), position));
        position += size + BackLengthBytes(size);
        Debug.Assert(position < LengthBytes, "Elements end before the end mark.");
        return _block[position] == EndMark ? None : position;
    }

    /// <summary>Position of the element before one, or before the end mark.</summary>
    public int Previous(int position)
    {
        if (position <= HeaderBytes)
        {
            return None;
        }

        int at = position - 1;
        int size = _block[at] & 0x7F;
        for (int shift = 7; (_block[at] & 0x80) != 0; shift += 7)
        {
            at--;
            size |= (_block[at] & 0x7F) << shift;
        }

        return at - size;
    }

    /// <summary>Position of the element at an index, counted from the end when negative (-1 is the last).</summary>
    /// <remarks>O(distance from the nearer end).</remarks>
    public int PositionAt(int index)
    {
        int count = Count;
        if (index < 0)
        {
            index += count;
        }

        if ((uint)index >= (uint)count)
        {
            return None;
        }

        int position;
        if (index <= count / 2)
        {
            position = First;
            for (; index > 0; index--)
            {
                position = Next(position);
            }
        }
        else
        {
            position = Last;
            for (int back = count - 1 - index; back > 0; back--)
            {
                position = Previous(position);
            }
        }

        return position;
    }

    /// <summary>Position of the first element equal to a value.</summary>
    /// <param name="value">What to look for.</param>
    /// <param name="from">Where to begin; <see cref="None"/> finds nothing.</param>
    /// <param name="skip">Elements to leave out between two that are compared: 1 looks at the keys of key/value pairs.</param>
    public int Find(PackedElement value, int from, int skip = 0)
    {
        ref byte start = ref MemoryMarshal.GetReference(_block);
        int position = from;
        int skipped = 0;
        if (position == None)
        {
            return None;
        }

        while (true)
        {
            ref byte element = ref Unsafe.Add(ref start, position);
            if (element == EndMark)
            {
                return None;
            }

            int size = EncodedBytes(ref element);
            if (skipped == 0)
            {
                if (Matches(ref element, size, value))
                {
                    return position;
                }

                skipped = skip;
            }
            else
            {
                skipped--;
            }

            position += size + BackLengthBytes(size);
        }
    }

    /// <summary>Chooses elements at random without repeating one, in the order of the list.</summary>
    /// <param name="random">The source of chance.</param>
    /// <param name="position">Where to go on; holds the chosen element's position afterwards.</param>
    /// <param name="index">Index of the element at <paramref name="position"/>; holds the chosen element's afterwards.</param>
    /// <param name="remaining">Elements still to choose, this one included, at most those left in the list.</param>
    /// <remarks>Begin with <see cref="First"/> and 0, go on from the element after the chosen one. Each subset of the
    /// size asked for is equally likely.</remarks>
    public void NextSample(Random random, ref int position, ref int index, int remaining)
    {
        int available = Count - index;
        Debug.Assert(remaining > 0 && remaining <= available, "There are elements enough.");
        while (random.Next(available) >= remaining)
        {
            position = Next(position);
            index++;
            available--;
        }
    }

    /// <summary>Inserts a value before the element at a position.</summary>
    /// <param name="position">An element's, or <see cref="None"/> for the end.</param>
    /// <param name="value">Must not point into this list.</param>
    /// <remarks>The block must have room for <see cref="SizeOf(PackedElement)"/> more bytes. O(bytes behind it).</remarks>
    public void Insert(int position, PackedElement value)
    {
        int lengthBytes = LengthBytes;
        int at = position == None ? lengthBytes - 1 : position;
        int size = SizeOf(value);
        Debug.Assert(lengthBytes + size <= _block.Length, "The caller made room.");
        _block[at..lengthBytes].CopyTo(_block[(at + size)..]);
        Encode(value, _block.Slice(at, size));
        SetLength(lengthBytes + size);
        AddToCount(1);
    }

    /// <summary>Adds a value at the end.</summary>
    /// <inheritdoc cref="Insert"/>
    public void Append(PackedElement value)
    {
        PackedAppender appender = new(_block);
        appender.Add(value);
        appender.Complete();
    }

    /// <summary>Adds a value at the beginning.</summary>
    /// <inheritdoc cref="Insert"/>
    public void Prepend(PackedElement value) => Insert(First, value);

    /// <summary>Puts a value in place of the element at a position.</summary>
    /// <param name="position">An element's; it is the new element's afterwards.</param>
    /// <param name="value">Must not point into this list.</param>
    /// <remarks>The block must have room for the difference of the two sizes.</remarks>
    public void Replace(int position, PackedElement value)
    {
        int lengthBytes = LengthBytes;
        int newSize = SizeOf(value);
        int oldSize = SizeAt(position);
        Debug.Assert(lengthBytes + newSize - oldSize <= _block.Length, "The caller made room.");
        if (newSize != oldSize)
        {
            _block[(position + oldSize)..lengthBytes].CopyTo(_block[(position + newSize)..]);
            SetLength(lengthBytes + newSize - oldSize);
        }

        Encode(value, _block.Slice(position, newSize));
    }

    /// <summary>Removes the element at a position.</summary>
    /// <returns>The position of the element that followed it.</returns>
    public int Remove(int position) => RemoveRange(position, 1);

    /// <summary>Removes elements that stand in a row.</summary>
    /// <param name="position">Of the first one.</param>
    /// <param name="count">How many; what is beyond the end is ignored.</param>
    /// <returns>The position of the element that followed them.</returns>
    /// <remarks>The block keeps its size: <see cref="LengthBytes"/> tells how much of it is used.</remarks>
    public int RemoveRange(int position, int count)
    {
        int lengthBytes = LengthBytes;
        int after = position;
        int removed = 0;
        while (removed < count && _block[after] != EndMark)
        {
            after += SizeAt(after);
            removed++;
        }

        _block[after..lengthBytes].CopyTo(_block[position..]);
        SetLength(lengthBytes - (after - position));
        AddToCount(-removed);
        return _block[position] == EndMark ? None : position;
    }

    /// <summary>Bytes of the element at a position, its back length included.</summary>
    public int SizeAt(int position)
    {
        int size = EncodedBytes(ref _block[position]);
        return size + BackLengthBytes(size);
    }

    private static bool Matches(ref byte element, int size, PackedElement value)
    {
        int length;
        int header;
        if (element < 0x80)
        {
            return value.IsInteger && value.Integer == element;
        }

        if (element < 0xC0)
        {
            header = 1;
            length = size - 1;
        }
        else if (element is >= 0xE0 and <= String32)
        {
            header = element == String32 ? 5 : 2;
            length = size - header;
        }
        else
        {
            return value.IsInteger && DecodeInteger(MemoryMarshal.CreateReadOnlySpan(ref element, size)) == value.Integer;
        }

        // An integer without its text must not pass for an empty string.
        return length == value.Bytes.Length
            && (length > 0 || !value.IsInteger)
            && MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref element, header), length).SequenceEqual(value.Bytes);
    }

    /// <summary>Ends a list where elements have been written behind its last one.</summary>
    /// <param name="block">The list's block.</param>
    /// <param name="position">Behind the last of them.</param>
    /// <param name="added">How many there are.</param>
    internal static void End(Span<byte> block, int position, int added)
    {
        block[position] = EndMark;
        PackedList list = new(block, true);
        list.SetLength(position + 1);
        list.AddToCount(added);
    }

    private int CountElements()
    {
        int count = 0;
        for (int position = First; position != None; position = Next(position))
        {
            count++;
        }

        return count;
    }

    private void SetLength(int lengthBytes) => BinaryPrimitives.WriteInt32LittleEndian(_block, lengthBytes);

    private void AddToCount(int difference)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(_block[CountOffset..]);
        if (count != UnknownCount)
        {
            count = Math.Min(count + difference, UnknownCount);
            BinaryPrimitives.WriteUInt16LittleEndian(_block[CountOffset..], (ushort)count);
        }
    }
}
