using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <content>Changes at the beginning that move nothing but the header, and moving runs of elements between lists.</content>
/// <remarks>For lists that have free room before them in their block as well as behind: the header stands right before
/// the first element, wherever that is.</remarks>
public readonly ref partial struct PackedList
{
    /// <summary>Bytes of all elements, without header and end mark.</summary>
    internal int ElementBytes => LengthBytes - EmptyBytes;

    /// <summary>Adds a value at the beginning of a list that has room before it. O(value).</summary>
    /// <param name="block">The block.</param>
    /// <param name="start">Where the list starts in it.</param>
    /// <param name="value">Must not point into this list.</param>
    /// <param name="size">What <see cref="SizeOf(PackedElement)"/> says, at most <paramref name="start"/>.</param>
    /// <returns>Where the list starts now.</returns>
    internal static int PrependBefore(Span<byte> block, int start, PackedElement value, int size)
    {
        PackedList list = new(block[start..]);
        int lengthBytes = list.LengthBytes;
        int count = BinaryPrimitives.ReadUInt16LittleEndian(list._block[CountOffset..]);
        int newStart = start - size;
        Encode(value, block.Slice(newStart + HeaderBytes, size));
        WriteHeader(block[newStart..], lengthBytes + size, count == UnknownCount ? count : count + 1);
        return newStart;
    }

    /// <summary>Removes elements from the beginning; the room they took becomes free room before the list.</summary>
    /// <param name="block">The block.</param>
    /// <param name="start">Where the list starts in it.</param>
    /// <param name="count">How many, at most as many as there are.</param>
    /// <returns>Where the list starts now.</returns>
    /// <remarks>O(count).</remarks>
    internal static int RemoveFirst(Span<byte> block, int start, int count)
    {
        PackedList list = new(block[start..]);
        int before = BinaryPrimitives.ReadUInt16LittleEndian(list._block[CountOffset..]);
        int position = HeaderBytes;
        for (int i = 0; i < count; i++)
        {
            position += list.SizeAt(position);
        }

        int removed = position - HeaderBytes;
        WriteHeader(
            block[(start + removed)..], list.LengthBytes - removed, before == UnknownCount ? before : before - count);
        return start + removed;
    }

    /// <summary>The elements from a position to the end, as they are stored.</summary>
    /// <param name="position">An element's, or <see cref="None"/> for nothing.</param>
    internal ReadOnlySpan<byte> ElementsFrom(int position) =>
        position == None ? default : _block[position..(LengthBytes - 1)];

    /// <summary>Adds a run of elements at the end, as <see cref="ElementsFrom"/> gives it.</summary>
    /// <param name="elements">The run; the block has room for it.</param>
    /// <param name="count">How many elements these are.</param>
    internal void AppendRun(ReadOnlySpan<byte> elements, int count)
    {
        int end = LengthBytes - 1;
        elements.CopyTo(_block[end..]);
        _block[end + elements.Length] = EndMark;
        SetLength(end + elements.Length + 1);
        AddToCount(count);
    }

    /// <summary>Cuts off all elements from a position on.</summary>
    /// <param name="position">The first element to go.</param>
    /// <param name="count">How many these are.</param>
    internal void Truncate(int position, int count)
    {
        _block[position] = EndMark;
        SetLength(position + 1);
        AddToCount(-count);
    }

    /// <summary>The element at a position, which becomes that of the next one: what <c>this</c> and
    /// <see cref="Next"/> say, with one look at the element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal PackedElement ReadForward(scoped ref int position)
    {
        ref byte start = ref MemoryMarshal.GetReference(_block);
        ref byte element = ref Unsafe.Add(ref start, position);
        byte encoding = element;
        if ((encoding & 0xC0) != 0x80)
        {
            return ReadOtherForward(ref position);
        }

        // A string of up to 63 bytes: encoding and back length take a byte each.
        int length = encoding & 0x3F;
        int next = position + length + 2;
        position = Unsafe.Add(ref start, next) == EndMark ? None : next;
        return PackedElement.OfString(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref element, 1), length));
    }

    /// <summary>Counts the elements equal to a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="from">Index of the first element to look at.</param>
    /// <param name="to">Index of the first one not to look at.</param>
    internal int CountEqual(PackedElement value, int from, int to)
    {
        int found = 0;
        int position = PositionAt(from);
        for (int index = from; index < to; index++)
        {
            int size = EncodedBytes(ref _block[position]);
            found += Matches(ref _block[position], size, value) ? 1 : 0;
            position += size + BackLengthBytes(size);
        }

        return found;
    }

    /// <summary>Removes elements equal to a value, in one pass over the list.</summary>
    /// <param name="value">The value; must not point into this list.</param>
    /// <param name="from">Index of the first element to look at.</param>
    /// <param name="to">Index of the first one not to look at.</param>
    /// <param name="skip">Equal elements that stay, from the first on.</param>
    /// <param name="take">How many of the others are removed; there are so many.</param>
    internal void RemoveEqual(PackedElement value, int from, int to, int skip, int take)
    {
        int lengthBytes = LengthBytes;
        int position = PositionAt(from);
        int target = position;
        int removed = 0;
        for (int index = from; index < to && removed < take; index++)
        {
            int encoded = EncodedBytes(ref _block[position]);
            int size = encoded + BackLengthBytes(encoded);
            if (Matches(ref _block[position], encoded, value) && --skip < 0)
            {
                removed++;
            }
            else
            {
                _block.Slice(position, size).CopyTo(_block[target..]);
                target += size;
            }

            position += size;
        }

        _block[position..lengthBytes].CopyTo(_block[target..]);
        SetLength(lengthBytes - (position - target));
        AddToCount(-removed);
    }

    private PackedElement ReadOtherForward(scoped ref int position)
    {
        PackedElement element = this[position];
        position = Next(position);
        return element;
    }

    private static void WriteHeader(Span<byte> at, int lengthBytes, int count)
    {
        BinaryPrimitives.WriteInt32LittleEndian(at, lengthBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(at[CountOffset..], (ushort)Math.Min(count, UnknownCount));
    }
}
