using System.Buffers;
using System.Buffers.Binary;

namespace KvServer.Storage;

/// <content>How lengths, integers and strings are encoded.</content>
public sealed partial class RdbWriter
{
    // Shorter strings cannot win by compression; a longer one must win at least the bytes its two lengths cost.
    private const int MinCompressedString = 21;
    private const int MinCompressionGain = 4;
    private const int MaxIntegerText = 11;
    private const int MaxHeadBytes = 9;

    private Lzf? _lzf;

    private void WriteLength(ulong length)
    {
        Span<byte> head = Output.GetSpan(MaxHeadBytes);
        int used;
        switch (length)
        {
            case < 1 << 6:
                head[0] = (byte)length;
                used = 1;
                break;
            case < 1 << 14:
                BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)((RdbFormat.Length14 << 14) | (int)length));
                used = 2;
                break;
            case <= uint.MaxValue:
                head[0] = RdbFormat.Length32;
                BinaryPrimitives.WriteUInt32BigEndian(head[1..], (uint)length);
                used = 5;
                break;
            default:
                head[0] = RdbFormat.Length64;
                BinaryPrimitives.WriteUInt64BigEndian(head[1..], length);
                used = 9;
                break;
        }

        Output.Advance(used);
    }

    private void WriteInteger(long value)
    {
        if (TryWriteShortInteger(value))
        {
            return;
        }

        Span<byte> text = stackalloc byte[IntegerText.MaxLength];
        int length = IntegerText.Format(value, text);
        WriteLength((ulong)length);
        Output.Write(text[..length]);
    }

    private bool TryWriteShortInteger(long value)
    {
        Span<byte> head = Output.GetSpan(1 + sizeof(int));
        int used;
        if (value == (sbyte)value)
        {
            head[0] = RdbFormat.EncodedInt8;
            head[1] = (byte)value;
            used = 2;
        }
        else if (value == (short)value)
        {
            head[0] = RdbFormat.EncodedInt16;
            BinaryPrimitives.WriteInt16LittleEndian(head[1..], (short)value);
            used = 3;
        }
        else if (value == (int)value)
        {
            head[0] = RdbFormat.EncodedInt32;
            BinaryPrimitives.WriteInt32LittleEndian(head[1..], (int)value);
            used = 5;
        }
        else
        {
            return false;
        }

        Output.Advance(used);
        return true;
    }

    private void WriteString(ReadOnlySpan<byte> text)
    {
        if (text.Length <= MaxIntegerText
            && IntegerText.TryParse(text, out long integer)
            && TryWriteShortInteger(integer))
        {
            return;
        }

        if (_options.Compress && text.Length >= MinCompressedString && TryWriteCompressed(text))
        {
            return;
        }

        WriteLength((ulong)text.Length);
        Output.Write(text);
    }

    private bool TryWriteCompressed(ReadOnlySpan<byte> text)
    {
        byte[]? rented = null;
        Span<byte> room = text.Length <= 1024
            ? stackalloc byte[1024]
            : (rented = ArrayPool<byte>.Shared.Rent(text.Length));
        try
        {
            return TryWriteCompressed(text, room);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private bool TryWriteCompressed(ReadOnlySpan<byte> text, Span<byte> room)
    {
        _lzf ??= new Lzf();
        int length = _lzf.Compress(text, room[..(text.Length - MinCompressionGain)]);
        if (length == 0)
        {
            return false;
        }

        Output.WriteByte(RdbFormat.EncodedLzf);
        WriteLength((ulong)length);
        WriteLength((ulong)text.Length);
        Output.Write(room[..length]);
        return true;
    }
}
