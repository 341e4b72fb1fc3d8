using KvServer.Resp;

namespace KvServer.Fuzz;

/// <summary>Requests and the error that ends them, if any, as read from bytes that are all there.</summary>
public sealed record ReadOutcome(List<byte[][]> Requests, ProtocolError Error)
{
    /// <summary>Whether two outcomes are the same, argument by argument.</summary>
    public bool SameAs(ReadOutcome other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Error == other.Error && Requests.Count == other.Requests.Count
            && Requests.Zip(other.Requests).All(pair => pair.First.Length == pair.Second.Length
                && pair.First.Zip(pair.Second).All(args => args.First.AsSpan().SequenceEqual(args.Second)));
    }
}

/// <summary>The rules of the request protocol in the plainest form, with an index into one array: the stand-in the real
/// reader is compared with.</summary>
public static class NaiveReader
{
    private const int MaxLine = 64 * 1024;

    /// <summary>Reads everything that is complete.</summary>
    public static ReadOutcome Read(byte[] bytes, ProtocolLimits limits)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(limits);
        var requests = new List<byte[][]>();
        int at = 0;
        while (at < bytes.Length)
        {
            ProtocolError error = default;
            byte[][]? request = bytes[at] == '*'
                ? ReadMultibulk(bytes, ref at, limits, ref error)
                : ReadInline(bytes, ref at, ref error);
            if (error.Kind != ProtocolErrorKind.None)
            {
                return new ReadOutcome(requests, error);
            }

            if (request is null)
            {
                break;
            }

            if (request.Length > 0)
            {
                string first = System.Text.Encoding.Latin1.GetString(request[0]).ToUpperInvariant();
                if (first is "POST" or "HOST:")
                {
                    return new ReadOutcome(requests, new ProtocolError(ProtocolErrorKind.HttpRequest));
                }

                requests.Add(request);
            }
        }

        return new ReadOutcome(requests, default);
    }

    private static byte[][]? ReadMultibulk(byte[] bytes, ref int at, ProtocolLimits limits, ref ProtocolError error)
    {
        byte[]? line = ReadLine(bytes, ref at, ProtocolErrorKind.TooBigMultibulkCountString, ref error);
        if (line is null)
        {
            return null;
        }

        if (!TryInteger(line[1..], out long count) || count > limits.MaxArguments)
        {
            error = new ProtocolError(ProtocolErrorKind.InvalidMultibulkLength);
            return null;
        }

        if (count > 10 && limits.BeforeAuthentication)
        {
            error = new ProtocolError(ProtocolErrorKind.UnauthenticatedMultibulkLength);
            return null;
        }

        var arguments = new List<byte[]>();
        for (long i = 0; i < count; i++)
        {
            line = ReadLine(bytes, ref at, ProtocolErrorKind.TooBigBulkCountString, ref error);
            if (line is null)
            {
                return null;
            }

            if (line.Length == 0 || line[0] != '$')
            {
                error = new ProtocolError(ProtocolErrorKind.ExpectedBulk, line.Length == 0 ? (byte)'\r' : line[0]);
                return null;
            }

            if (!TryInteger(line[1..], out long length) || length < 0 || length > limits.MaxBulkBytes)
            {
                error = new ProtocolError(ProtocolErrorKind.InvalidBulkLength);
                return null;
            }

            if (length > 16384 && limits.BeforeAuthentication)
            {
                error = new ProtocolError(ProtocolErrorKind.UnauthenticatedBulkLength);
                return null;
            }

            if (bytes.Length - at < length + 2)
            {
                return null;
            }

            arguments.Add(bytes.AsSpan(at, (int)length).ToArray());
            at += (int)length + 2;
        }

        return [.. arguments];
    }

    private static byte[]? ReadLine(byte[] bytes, ref int at, ProtocolErrorKind tooLong, ref ProtocolError error)
    {
        for (int i = at; i < bytes.Length && bytes[i] != 0; i++)
        {
            if (i - at > MaxLine)
            {
                break;
            }

            if (bytes[i] == '\r')
            {
                if (i + 1 == bytes.Length)
                {
                    return null;
                }

                byte[] line = bytes[at..i];
                at = i + 2;
                return line;
            }
        }

        if (bytes.Length - at > MaxLine)
        {
            error = new ProtocolError(tooLong);
        }

        return null;
    }

    private static byte[][]? ReadInline(byte[] bytes, ref int at, ref ProtocolError error)
    {
        int end = at;
        while (end < bytes.Length && bytes[end] != '\n' && bytes[end] != 0 && end - at <= MaxLine)
        {
            end++;
        }

        if (end == bytes.Length || bytes[end] != '\n' || end - at > MaxLine)
        {
            if (bytes.Length - at > MaxLine)
            {
                error = new ProtocolError(ProtocolErrorKind.TooBigInlineRequest);
            }

            return null;
        }

        int textEnd = end > at && bytes[end - 1] == '\r' ? end - 1 : end;
        byte[][]? words = SplitWords(bytes[at..textEnd]);
        if (words is null)
        {
            error = new ProtocolError(ProtocolErrorKind.UnbalancedQuotes);
            return null;
        }

        at = end + 1;
        return words;
    }

    private static byte[][]? SplitWords(byte[] line)
    {
        // A zero byte behind the end spares every look-ahead a bounds check; a line holds none.
        byte[] text = [.. line, 0, 0, 0, 0];
        var words = new List<byte[]>();
        int p = 0;
        while (true)
        {
            while (IsSpace(text[p]))
            {
                p++;
            }

            if (p >= line.Length)
            {
                return [.. words];
            }

            var word = new List<byte>();
            while (text[p] is not (0 or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
            {
                byte quote = text[p];
                if (quote is not ((byte)'"' or (byte)'\''))
                {
                    word.Add(text[p++]);
                    continue;
                }

                p++;
                while (text[p] != quote)
                {
                    if (p >= line.Length)
                    {
                        return null;
                    }

                    word.Add(quote == '"' ? DoubleQuoted(text, ref p) : SingleQuoted(text, ref p));
                }

                p++;
                if (text[p] != 0 && !IsSpace(text[p]))
                {
                    return null;
                }

                break;
            }

            words.Add([.. word]);
        }
    }

    private static byte SingleQuoted(byte[] text, ref int p)
    {
        if (text[p] == '\\' && text[p + 1] == '\'')
        {
            p += 2;
            return (byte)'\'';
        }

        return text[p++];
    }

    private static byte DoubleQuoted(byte[] text, ref int p)
    {
        if (text[p] != '\\' || text[p + 1] == 0)
        {
            return text[p++];
        }

        if (text[p + 1] == 'x' && char.IsAsciiHexDigit((char)text[p + 2]) && char.IsAsciiHexDigit((char)text[p + 3]))
        {
            p += 4;
            return Convert.FromHexString(System.Text.Encoding.ASCII.GetString(text, p - 2, 2))[0];
        }

        p += 2;
        int index = "nrtba".IndexOf((char)text[p - 1], StringComparison.Ordinal);
        return index < 0 ? text[p - 1] : "\n\r\t\b\a"u8[index];
    }

    private static bool IsSpace(byte b) => b is 32 or (>= 9 and <= 13);

    private static bool TryInteger(byte[] text, out long value)
    {
        // One canonical spelling: what the number prints as is what was written.
        string written = System.Text.Encoding.Latin1.GetString(text);
        return long.TryParse(written, System.Globalization.NumberStyles.AllowLeadingSign,
                System.Globalization.CultureInfo.InvariantCulture, out value)
            && value.ToString(System.Globalization.CultureInfo.InvariantCulture) == written;
    }
}
