using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>A hash table over the members of one packed set, to find which of them are in other packed sets.</summary>
/// <remarks>Looking one member up in a packed list goes through the list; looking up all members of one in another would
/// cost members x members. The table lies on the stack and is good until the set changes. Members from outside may be
/// chosen so that all of them share a bucket: then it costs what it would without.</remarks>
internal ref struct PackedSetIndex
{
    /// <summary>Members that an index takes at most.</summary>
    public const int MaxMembers = 512;

    /// <summary>Members below which looking them up one by one costs no more.</summary>
    public const int MinMembers = 5;

    private const int MaxBytes = ushort.MaxValue;
    private const int BucketBits = 10;

    private readonly PackedList _list;
    private Buckets _buckets; // Index of the member, from 1; 0 for none. Those that find it taken go to the next.
    private Positions _positions;

    /// <summary>Enters the members of a set for which <see cref="Fits"/> holds.</summary>
    public PackedSetIndex(PackedList list)
    {
        Debug.Assert(Fits(list), "Only some lists fit.");
        _list = list;
        int index = 0;
        for (int at = list.First; at != PackedList.None;)
        {
            _positions[index++] = (ushort)at;
            uint bucket = BucketOf(Normalize(list.ReadForward(ref at)));
            while (_buckets[(int)bucket] != 0)
            {
                bucket = (bucket + 1) % (1 << BucketBits);
            }

            _buckets[(int)bucket] = (ushort)index;
        }
    }

    /// <summary>Whether an index can be made of a set, and is of use.</summary>
    public static bool Fits(PackedList list) => list.Count is >= MinMembers and <= MaxMembers && list.LengthBytes <= MaxBytes;

    /// <summary>Marks the members that another set has too.</summary>
    /// <param name="other">The other set.</param>
    /// <param name="found">A bit for each member in the order of the list; bits of those found are set.</param>
    public readonly void Mark(PackedList other, ref Bits found)
    {
        for (int at = other.First; at != PackedList.None;)
        {
            PackedElement element = Normalize(other.ReadForward(ref at));
            uint bucket = BucketOf(element);
            for (int index; (index = _buckets[(int)bucket]) != 0; bucket = (bucket + 1) % (1 << BucketBits))
            {
                int position = _positions[index - 1];
                if (AreEqual(Normalize(_list.ReadForward(ref position)), element))
                {
                    found.Set(index - 1);
                    break;
                }
            }
        }
    }

    // A list from elsewhere may hold the text of an integer as a string. Most texts show by their first byte that they are none.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PackedElement Normalize(PackedElement element) =>
        element.IsInteger || element.Bytes is not [(>= (byte)'0' and <= (byte)'9') or (byte)'-', ..]
            ? element
            : PackedElement.Of(element.Bytes);

    private static bool AreEqual(PackedElement one, PackedElement other) => one.IsInteger
        ? other.IsInteger && one.Integer == other.Integer
        : !other.IsInteger && one.Bytes.SequenceEqual(other.Bytes);

    private static uint BucketOf(PackedElement element)
    {
        ulong mixed = element.IsInteger ? (ulong)element.Integer : MixEnds(element.Bytes);
        return (uint)((mixed * 0x9E3779B97F4A7C15) >> (64 - BucketBits));
    }

    // Length, first and last eight bytes: members mostly differ at one of their ends.
    private static ulong MixEnds(ReadOnlySpan<byte> bytes)
    {
        ref byte start = ref MemoryMarshal.GetReference(bytes);
        int length = bytes.Length;
        if (length >= sizeof(ulong))
        {
            ulong first = Unsafe.ReadUnaligned<ulong>(ref start);
            ulong last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, length - sizeof(ulong)));
            return BitOperations.RotateLeft(first, 29) ^ (last * 0xFF51AFD7ED558CCD) ^ (ulong)length;
        }

        ulong mixed = (ulong)length;
        for (int i = 0; i < length; i++)
        {
            mixed = (mixed << 8) | Unsafe.Add(ref start, i);
        }

        return mixed;
    }

    /// <summary>A bit for each of up to <see cref="MaxMembers"/> members.</summary>
    public struct Bits
    {
        private Words _words;

        /// <summary>The bits of so many members, all of them set.</summary>
        public static Bits First(int count)
        {
            Bits bits = default;
            for (int i = 0; i < count; i++)
            {
                bits.Set(i);
            }

            return bits;
        }

        /// <summary>Whether a member's bit is set.</summary>
        public readonly bool Has(int index) => ((_words[index >> 6] >> index) & 1) != 0;

        /// <summary>Sets a member's bit.</summary>
        public void Set(int index) => _words[index >> 6] |= 1UL << index;

        /// <summary>Clears the bits that others do not have.</summary>
        public void And(in Bits others)
        {
            for (int i = 0; i < MaxMembers / 64; i++)
            {
                _words[i] &= others._words[i];
            }
        }
    }

    [InlineArray(MaxMembers / 64)]
    private struct Words
    {
        private ulong _first;
    }

    [InlineArray(1 << BucketBits)]
    private struct Buckets
    {
        private ushort _first;
    }

    [InlineArray(MaxMembers)]
    private struct Positions
    {
        private ushort _first;
    }
}
