namespace KvServer.Resp;

/// <summary>Splits the line of an inline request into words.</summary>
/// <remarks>Words are separated by white space. A double-quoted part knows <c>\n \r \t \b \a</c>, <c>\xHH</c> and a
/// backslash before any other byte; a single-quoted part knows only <c>\'</c>. A closing quote must be followed by white
/// space or the end. An opening one may stand inside a word. This is the syntax of redis-cli and the configuration file
/// as well.</remarks>
internal static class InlineSplitter
{
    /// <summary>Reserves slots in <paramref name="batch"/> for the words of a line; the caller adds the request.</summary>
    /// <returns>The number of words; -1 when quotes do not match.</returns>
    /// <remarks>Plain words stay slices of <paramref name="array"/>; a quoted one is copied without its quotes.</remarks>
    public static int Split(byte[] array, int start, int lengthBytes, RequestBatch batch)
    {
        ReadOnlySpan<byte> line = array.AsSpan(start, lengthBytes);
        int wordCount = 0;
        int at = 0;
        while (true)
        {
            while (at < line.Length && IsSpace(line[at]))
            {
                at++;
            }

            if (at == line.Length)
            {
                return wordCount;
            }

            int wordStart = at;
            while (at < line.Length && !EndsWord(line[at]) && line[at] is not ((byte)'"' or (byte)'\''))
            {
                at++;
            }

            ArgumentSlot slot;
            if (at == line.Length || EndsWord(line[at]))
            {
                slot = new ArgumentSlot(array, start + wordStart, at - wordStart);
            }
            else
            {
                at = Unquote(line, wordStart, batch, out slot);
                if (at < 0)
                {
                    return -1;
                }
            }

            batch.ReserveSlots(wordCount + 1)[wordCount] = slot;
            wordCount++;
        }
    }

    private static int Unquote(ReadOnlySpan<byte> line, int at, RequestBatch batch, out ArgumentSlot slot)
    {
        // Unquoting never lengthens, so what is left of the line is room enough.
        Span<byte> word = batch.Scratch.Take(line.Length - at, out slot);
        int written = 0;
        byte quote = 0;
        while (true)
        {
            if (at == line.Length)
            {
                slot.Length = written;
                return quote == 0 ? at : -1;
            }

            byte b = line[at];
            if (quote == 0)
            {
                if (EndsWord(b))
                {
                    slot.Length = written;
                    return at;
                }

                if (b is (byte)'"' or (byte)'\'')
                {
                    quote = b;
                }
                else
                {
                    word[written++] = b;
                }

                at++;
            }
            else if (b == quote)
            {
                at++;
                if (at < line.Length && !IsSpace(line[at]))
                {
                    return -1;
                }

                slot.Length = written;
                return at;
            }
            else
            {
                at = ReadQuotedByte(line, at, quote, out word[written++]);
            }
        }
    }

    private static int ReadQuotedByte(ReadOnlySpan<byte> line, int at, byte quote, out byte value)
    {
        value = line[at];
        if (value != '\\' || at + 1 == line.Length)
        {
            return at + 1;
        }

        byte escaped = line[at + 1];
        if (quote == '\'')
        {
            if (escaped != '\'')
            {
                return at + 1;
            }

            value = escaped;
            return at + 2;
        }

        if (escaped == 'x' && at + 3 < line.Length
            && char.IsAsciiHexDigit((char)line[at + 2]) && char.IsAsciiHexDigit((char)line[at + 3]))
        {
            value = (byte)((HexValue(line[at + 2]) << 4) | HexValue(line[at + 3]));
            return at + 4;
        }

        value = escaped switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'a' => (byte)'\a',
            _ => escaped,
        };
        return at + 2;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool IsSpace(byte b) => b == ' ' || (uint)(b - '\t') <= '\r' - '\t';

    // Vertical tab and form feed separate words but do not end one.
    private static bool EndsWord(byte b) => b is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';
}
