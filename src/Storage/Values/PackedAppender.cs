using System.Buffers.Binary;
using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>Adds several elements at the end of a packed list. The list's head and end mark are written once, by
/// <see cref="Complete"/>; until then the list is not to be read.</summary>
/// <remarks>The block has room for every element (<see cref="PackedList.SizeOf(PackedElement)"/>). O(bytes added). Command loop
/// only, or whoever owns the block.</remarks>
internal ref struct PackedAppender
{
    private const int LargestSmallInteger = 127;

    private readonly Span<byte> _block;
    private int _end;
    private int _added;

    /// <summary>Begins behind the last element of a list.</summary>
    /// <param name="block">The list's block, with the room behind the list.</param>
    public PackedAppender(Span<byte> block)
    {
        _block = block;
        _end = new PackedList(block).LengthBytes - 1;
    }

    /// <summary>Adds an element.</summary>
    public void Add(PackedElement value)
    {
        _end += PackedList.Encode(value, _block[_end..]);
        _added++;
    }

    /// <summary>Adds an integer.</summary>
    public void Add(long value)
    {
        if ((ulong)value > LargestSmallInteger)
        {
            Add(PackedElement.OfInteger(value));
            return;
        }

        // One byte and its length: most of what a stream writes beside its values.
        BinaryPrimitives.WriteUInt16LittleEndian(_block[_end..], (ushort)(value | (1 << 8)));
        _end += 2;
        _added++;
    }

    /// <summary>Makes the elements part of the list.</summary>
    public readonly void Complete()
    {
        Debug.Assert(_end < _block.Length, "The caller made room.");
        PackedList.End(_block, _end, _added);
    }
}
