using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>The type of a field in a BITFIELD command: <c>i1</c> to <c>i64</c> and <c>u1</c> to <c>u63</c>.</summary>
/// <param name="IsSigned">Two's complement when true.</param>
/// <param name="Bits">Width.</param>
internal readonly record struct BitFieldType(bool IsSigned, int Bits)
{
    private const int MaxSignedBits = 64;
    private const int MaxUnsignedBits = 63;

    /// <summary>Reads a type's name; the letter must be in lower case.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out BitFieldType type)
    {
        type = default;
        if (text.IsEmpty || text[0] is not ((byte)'i' or (byte)'u') || !Numbers.TryParseInt64(text[1..], out long bits))
        {
            return false;
        }

        bool isSigned = text[0] == (byte)'i';
        if (bits < 1 || bits > (isSigned ? MaxSignedBits : MaxUnsignedBits))
        {
            return false;
        }

        type = new BitFieldType(isSigned, (int)bits);
        return true;
    }

    /// <summary>Reads the field at a bit offset; bits beyond the string's end are zeros. O(1).</summary>
    public long Read(ReadOnlySpan<byte> bytes, long offset)
    {
        ulong value = 0;
        int left = Bits;
        while (left > 0)
        {
            int inByte = (int)(offset & 7);
            int taken = Math.Min(8 - inByte, left);
            long index = offset >> 3;
            uint source = index < bytes.Length ? bytes[(int)index] : 0u;
            value = (value << taken) | ((source >> (8 - inByte - taken)) & ((1u << taken) - 1));
            offset += taken;
            left -= taken;
        }

        int unused = 64 - Bits;
        return IsSigned ? (long)(value << unused) >> unused : (long)value;
    }

    /// <summary>Writes the low bits of a value into the field at a bit offset, all of it inside the string. O(1).</summary>
    public void Write(Span<byte> bytes, long offset, long value)
    {
        int left = Bits;
        while (left > 0)
        {
            int inByte = (int)(offset & 7);
            int taken = Math.Min(8 - inByte, left);
            int shift = 8 - inByte - taken;
            int mask = ((1 << taken) - 1) << shift;
            int bits = (int)((value >> (left - taken)) << shift) & mask;
            ref byte target = ref bytes[(int)(offset >> 3)];
            target = (byte)((target & ~mask) | bits);
            offset += taken;
            left -= taken;
        }
    }

    /// <summary>Brings a value, the exact result of a sum, into what the field can hold.</summary>
    /// <param name="exact">The value before.</param>
    /// <param name="overflow">What to do when it does not fit.</param>
    /// <param name="value">What to store; undefined when the result is false.</param>
    /// <returns>False when it does not fit and <paramref name="overflow"/> says to fail.</returns>
    public bool TryFit(Int128 exact, BitFieldOverflow overflow, out long value)
    {
        Int128 min = IsSigned ? -(Int128.One << (Bits - 1)) : 0;
        Int128 max = (Int128.One << (IsSigned ? Bits - 1 : Bits)) - 1;
        if (exact >= min && exact <= max)
        {
            value = (long)exact;
            return true;
        }

        int unused = 64 - Bits;
        ulong low = (ulong)(UInt128)exact << unused;
        value = overflow switch
        {
            BitFieldOverflow.Saturate => (long)(exact > max ? max : min),
            _ => IsSigned ? (long)low >> unused : (long)(low >> unused),
        };
        return overflow != BitFieldOverflow.Fail;
    }

    /// <summary>The exact value a client's number stands for in this field: unsigned fields read a negative one as its
    /// two's complement, which is far over their range.</summary>
    public Int128 Interpret(long number) => IsSigned ? number : (Int128)(ulong)number;
}
