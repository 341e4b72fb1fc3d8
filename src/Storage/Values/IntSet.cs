using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>A set of integers as one sorted run of bytes: the encoding of small sets of numbers.</summary>
/// <remarks>
/// <para>The bytes are those of a Redis intset, so snapshots and dumps carry them as they are, all little-endian:</para>
/// <code>
/// | bytes per member (2, 4 or 8): 4 | count: 4 | member | member | ...
/// </code>
/// <para>All members have the width that the widest one ever added needed; removing it does not narrow the rest. A
/// member that needs more than the others is the new smallest or the new largest, so widening puts it at one end.</para>
/// <para>A view of a block that belongs to someone else: before <see cref="Add"/> the caller asks for the size
/// (<see cref="SizeWith"/>), makes the block large enough, and views it again. Members are read where they lie, without
/// alignment, and the byte order is the machine's: little-endian is what the runtime supports. Command loop only, or
/// whoever owns the block.</para>
/// </remarks>
public readonly ref struct IntSet
{
    /// <summary>Bytes before the first member.</summary>
    public const int HeaderBytes = 8;

    /// <summary>Sets do not grow beyond this; callers turn to another encoding long before.</summary>
    public const int MaxCount = 1 << 27;

    private readonly Span<byte> _block;

    /// <summary>Views the set at the start of a block; what follows it in the block is room to grow.</summary>
    public IntSet(Span<byte> block)
    {
        _block = block;
        Debug.Assert(block.Length >= HeaderBytes, "The block holds a header.");
    }

    /// <summary>Number of members.</summary>
    public int Count => BinaryPrimitives.ReadInt32LittleEndian(_block[4..]);

    /// <summary>Bytes per member: 2, 4 or 8.</summary>
    public int WidthBytes => BinaryPrimitives.ReadInt32LittleEndian(_block);

    /// <summary>Bytes of the set.</summary>
    public int LengthBytes => HeaderBytes + (Count * WidthBytes);

    /// <summary>The smallest member. The set must not be empty.</summary>
    public long Min => this[0];

    /// <summary>The largest member. The set must not be empty.</summary>
    public long Max => this[Count - 1];

    /// <summary>The member at an index in ascending order.</summary>
    public long this[int index]
    {
        get
        {
            Debug.Assert((uint)index < (uint)Count, "The index is a member's.");
            return Read(index, WidthBytes);
        }
    }

    /// <summary>Makes an empty set at the start of a block.</summary>
    public static IntSet Create(Span<byte> block)
    {
        BinaryPrimitives.WriteInt32LittleEndian(block, sizeof(short));
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], 0);
        return new IntSet(block);
    }

    /// <summary>Tells whether bytes from outside are a well-formed set.</summary>
    /// <returns>False unless width and count agree with the length and the members ascend without repeating. An empty
    /// set is well formed.</returns>
    /// <remarks>O(members).</remarks>
    public static bool IsValid(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes)
        {
            return false;
        }

        uint width = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        ulong count = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        ReadOnlySpan<byte> members = bytes[HeaderBytes..];
        return (ulong)members.Length == count * width && width switch
        {
            sizeof(short) => Ascends(MemoryMarshal.Cast<byte, short>(members)),
            sizeof(int) => Ascends(MemoryMarshal.Cast<byte, int>(members)),
            sizeof(long) => Ascends(MemoryMarshal.Cast<byte, long>(members)),
            _ => false,
        };
    }

    /// <summary>Bytes of the set once it holds a value as well that it does not hold yet.</summary>
    public int SizeWith(long value) => HeaderBytes + ((Count + 1) * Math.Max(WidthBytes, WidthOf(value)));

    /// <summary>True when the value is a member. O(log members).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(long value) => TryFind(value, out _);

    /// <summary>Finds a value.</summary>
    /// <param name="value">What to look for.</param>
    /// <param name="index">Its index, or where it would be inserted.</param>
    public bool TryFind(long value, out int index)
    {
        int width = WidthBytes;
        int count = Count;
        if (WidthOf(value) > width)
        {
            index = value < 0 ? 0 : count;
            return false;
        }

        ReadOnlySpan<byte> members = _block.Slice(HeaderBytes, count * width);
        index = width switch
        {
            sizeof(short) => LowerBound(MemoryMarshal.Cast<byte, short>(members), (short)value),
            sizeof(int) => LowerBound(MemoryMarshal.Cast<byte, int>(members), (int)value),
            _ => LowerBound(MemoryMarshal.Cast<byte, long>(members), value),
        };
        return index < count && Read(index, width) == value;
    }

    /// <summary>Inserts a value that is not a member.</summary>
    /// <param name="value">The new member.</param>
    /// <param name="index">Its place, from <see cref="TryFind"/>.</param>
    /// <remarks>The block must have room for <see cref="SizeWith"/> bytes. O(members).</remarks>
    public void Add(long value, int index)
    {
        Debug.Assert(SizeWith(value) <= _block.Length, "The caller made room.");
        int count = Count;
        int width = WidthBytes;
        int needed = WidthOf(value);
        if (needed > width)
        {
            Widen(width, needed, count, shift: value < 0 ? 1 : 0);
            width = needed;
        }
        else
        {
            int at = HeaderBytes + (index * width);
            _block.Slice(at, (count - index) * width).CopyTo(_block[(at + width)..]);
        }

        Write(index, width, value);
        BinaryPrimitives.WriteInt32LittleEndian(_block[4..], count + 1);
    }

    /// <summary>Removes the member at an index. The block keeps its size.</summary>
    public void RemoveAt(int index)
    {
        int count = Count;
        int width = WidthBytes;
        Debug.Assert((uint)index < (uint)count, "The index is a member's.");
        int at = HeaderBytes + (index * width);
        _block.Slice(at + width, (count - index - 1) * width).CopyTo(_block[at..]);
        BinaryPrimitives.WriteInt32LittleEndian(_block[4..], count - 1);
    }

    private static int WidthOf(long value) =>
        value == (short)value ? sizeof(short) : value == (int)value ? sizeof(int) : sizeof(long);

    private static bool Ascends<T>(ReadOnlySpan<T> members)
        where T : unmanaged, IComparable<T>
    {
        for (int i = 1; i < members.Length; i++)
        {
            if (members[i - 1].CompareTo(members[i]) >= 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Index of the first member that is not below a value.</summary>
    /// <remarks>The range is halved without a branch on what the comparison says, so nothing is mispredicted.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LowerBound<T>(ReadOnlySpan<T> members, T value)
        where T : unmanaged, IComparable<T>, System.Numerics.IComparisonOperators<T, T, bool>
    {
        ref T start = ref MemoryMarshal.GetReference(members);
        int index = 0;
        int length = members.Length;
        while (length > 1)
        {
            int half = length >> 1;
            index += Unsafe.Add(ref start, index + half - 1) < value ? half : 0;
            length -= half;
        }

        return length == 1 && Unsafe.Add(ref start, index) < value ? index + 1 : index;
    }

    private void Widen(int from, int to, int count, int shift)
    {
        // Backwards, so that no member is overwritten before it has moved.
        for (int i = count - 1; i >= 0; i--)
        {
            Write(i + shift, to, Read(i, from));
        }

        BinaryPrimitives.WriteInt32LittleEndian(_block, to);
    }

    private long Read(int index, int width)
    {
        ReadOnlySpan<byte> at = _block[(HeaderBytes + (index * width))..];
        return width switch
        {
            sizeof(short) => BinaryPrimitives.ReadInt16LittleEndian(at),
            sizeof(int) => BinaryPrimitives.ReadInt32LittleEndian(at),
            _ => BinaryPrimitives.ReadInt64LittleEndian(at),
        };
    }

    private void Write(int index, int width, long value)
    {
        Span<byte> at = _block[(HeaderBytes + (index * width))..];
        switch (width)
        {
            case sizeof(short):
                BinaryPrimitives.WriteInt16LittleEndian(at, (short)value);
                break;
            case sizeof(int):
                BinaryPrimitives.WriteInt32LittleEndian(at, (int)value);
                break;
            default:
                BinaryPrimitives.WriteInt64LittleEndian(at, value);
                break;
        }
    }
}
