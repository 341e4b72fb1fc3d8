namespace KvServer.Resp;

/// <summary>The lines of small numbers, ready to be stored with one instruction.</summary>
/// <remarks>Each is eight bytes, read as a little-endian integer: a zero in the place of the type byte, the digits,
/// <c>\r\n</c>, and in the last byte the length of it all. The type byte is or-ed in.</remarks>
internal static class NumberLines
{
    /// <summary>Numbers from 0 up to this one, not included, have a line.</summary>
    public const int Count = 1024;

    private static readonly ulong[] Lines = Build();

    public static ulong Get(int value) => Lines[value];

    public static int LengthOf(ulong line) => (int)(line >> 56);

    private static ulong[] Build()
    {
        var lines = new ulong[Count];
        Span<byte> bytes = stackalloc byte[8];
        for (int i = 0; i < Count; i++)
        {
            bytes.Clear();
            int length = 1 + Numbers.FormatInt64(i, bytes[1..]);
            bytes[length++] = (byte)'\r';
            bytes[length++] = (byte)'\n';
            bytes[7] = (byte)length;
            lines[i] = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }

        return lines;
    }
}
