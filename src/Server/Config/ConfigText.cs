using System.Globalization;
using System.Text;

namespace KvServer.Server.Config;

/// <summary>The small languages of configuration text: quoting, numbers, units. One char stands for one byte.</summary>
public static class ConfigText
{
    /// <summary>More or fewer words than the option takes.</summary>
    public const string WrongNumberOfArguments = "wrong number of arguments";

    private const int MaxUnitDigits = 127;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether two names are the same in any case (ASCII).</summary>
    public static bool IsName(ReadOnlySpan<char> word, ReadOnlySpan<char> name) =>
        Ascii.EqualsIgnoreCase(word, name);

    /// <summary>Bytes as text of one char each.</summary>
    public static string FromBytes(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>The bytes of text that has one char for each.</summary>
    public static byte[] ToBytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>Ordinary text (a path, say) as one char per byte of its UTF-8 form.</summary>
    public static string Encode(string text) =>
        Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>The ordinary text behind one char per byte; false when the bytes are no UTF-8.</summary>
    public static bool TryDecode(string bytes, out string text)
    {
        text = bytes;
        if (Ascii.IsValid(bytes))
        {
            return true;
        }

        try
        {
            text = StrictUtf8.GetString(Encoding.Latin1.GetBytes(bytes));
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>Cuts a line into words: separated by white space; <c>"..."</c> with <c>\n \r \t \b \a \xHH \"</c>
    /// escapes, <c>'...'</c> with <c>\'</c> alone. A closing quote ends the word.</summary>
    /// <returns>The words, or <see langword="null"/> when a quote is not closed or is followed by more.</returns>
    public static List<string>? Split(ReadOnlySpan<char> line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        int i = 0;
        while (true)
        {
            while (i < line.Length && IsSpace(line[i]))
            {
                i++;
            }

            if (i >= line.Length || line[i] == '\0')
            {
                return words;
            }

            word.Clear();
            if (!ReadWord(line, ref i, word))
            {
                return null;
            }

            words.Add(word.ToString());
        }
    }

    /// <summary>Quotes a word so that <see cref="Split"/> gives it back unchanged.</summary>
    public static string Quote(string word)
    {
        var quoted = new StringBuilder(word.Length + 2);
        quoted.Append('"');
        foreach (char c in word)
        {
            _ = c switch
            {
                '\\' or '"' => quoted.Append('\\').Append(c),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                '\a' => quoted.Append("\\a"),
                '\b' => quoted.Append("\\b"),
                >= ' ' and <= '~' => quoted.Append(c),
                _ => quoted.Append("\\x").Append(((int)c).ToString("x2", CultureInfo.InvariantCulture)),
            };
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Quotes a word unless it is plain as it is.</summary>
    public static string QuoteIfNeeded(string word) =>
        word.Length > 0 && !word.AsSpan().ContainsAnyExceptInRange('!', '~') && word.AsSpan().IndexOfAny("\"'\\#") < 0
            ? word
            : Quote(word);

    /// <summary>Reads a whole number strictly: no sign but a minus, no leading zeros, no spaces.</summary>
    public static bool TryReadInteger(ReadOnlySpan<char> word, out long value)
    {
        value = 0;
        ReadOnlySpan<char> digits = word.StartsWith('-') ? word[1..] : word;
        if (digits.IsEmpty || (digits[0] == '0' && word.Length > 1))
        {
            return false;
        }

        foreach (char c in digits)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }
        }

        return long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Reads a whole number the way C's strtoll does: leading spaces, a plus and zeros are fine.</summary>
    public static bool TryReadLoose(ReadOnlySpan<char> word, out long value) => long.TryParse(
        word, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out value);

    /// <summary>Reads a whole number and checks its range.</summary>
    /// <returns>What is wrong with it, or <see langword="null"/>.</returns>
    public static string? ReadInteger(ReadOnlySpan<char> word, long min, long max, out long value)
    {
        if (!TryReadInteger(word, out value))
        {
            return "argument couldn't be parsed into an integer";
        }

        return value < min || value > max ? OutOfRange(min, max) : null;
    }

    /// <summary>Reads a number of bytes: digits, then b, k, kb, m, mb, g or gb in any case (k is 1000, kb 1024),
    /// or nothing. False also for more than 63 bits hold.</summary>
    public static bool TryReadMemory(ReadOnlySpan<char> word, out long bytes) =>
        TryReadMemory(word, out bytes, out bool isTooLarge) && !isTooLarge;

    internal static bool TryReadMemory(ReadOnlySpan<char> word, out long bytes, out bool isTooLarge)
    {
        bytes = 0;
        isTooLarge = false;
        int digitCount = 0;
        while (digitCount < word.Length && char.IsAsciiDigit(word[digitCount]))
        {
            digitCount++;
        }

        ReadOnlySpan<char> unit = word[digitCount..];
        long factor =
            unit.IsEmpty || IsName(unit, "b") ? 1 :
            IsName(unit, "k") ? 1000 :
            IsName(unit, "kb") ? 1024 :
            IsName(unit, "m") ? 1000 * 1000 :
            IsName(unit, "mb") ? 1024 * 1024 :
            IsName(unit, "g") ? 1000L * 1000 * 1000 :
            IsName(unit, "gb") ? 1024L * 1024 * 1024 : 0;
        if (factor == 0 || digitCount > MaxUnitDigits)
        {
            return false;
        }

        UInt128 total = 0;
        foreach (char c in word[..digitCount])
        {
            total = UInt128.Min((total * 10) + (uint)(c - '0'), ulong.MaxValue);
        }

        total *= (ulong)factor;
        isTooLarge = total > long.MaxValue;
        bytes = isTooLarge ? long.MaxValue : (long)total;
        return true;
    }

    /// <summary>A number of bytes with the largest unit that leaves no rest.</summary>
    public static string FormatMemory(long bytes)
    {
        const long Kb = 1024;
        (long divisor, string unit) =
            bytes == 0 ? (1, "") :
            bytes % (Kb * Kb * Kb) == 0 ? (Kb * Kb * Kb, "gb") :
            bytes % (Kb * Kb) == 0 ? (Kb * Kb, "mb") :
            bytes % Kb == 0 ? (Kb, "kb") : (1L, "");
        return (bytes / divisor).ToString(CultureInfo.InvariantCulture) + unit;
    }

    internal static string OutOfRange(long min, long max) => $"argument must be between {min} and {max} inclusive";

    internal static bool IsSpace(char c) => c is ' ' or (>= '\t' and <= '\r');

    private static bool ReadWord(ReadOnlySpan<char> line, ref int i, StringBuilder word)
    {
        for (; i < line.Length && line[i] != '\0' && !IsSpace(line[i]); i++)
        {
            if (line[i] is not ('"' or '\''))
            {
                word.Append(line[i]);
                continue;
            }

            if (!ReadQuoted(line, ref i, line[i], word))
            {
                return false;
            }

            // A closing quote must be followed by white space or the end.
            return i >= line.Length || line[i] == '\0' || IsSpace(line[i]);
        }

        return true;
    }

    private static bool ReadQuoted(ReadOnlySpan<char> line, ref int i, char quote, StringBuilder word)
    {
        for (i++; i < line.Length && line[i] != '\0'; i++)
        {
            char c = line[i];
            if (c == quote)
            {
                i++;
                return true;
            }

            char next = i + 1 < line.Length ? line[i + 1] : '\0';
            if (c != '\\' || next == '\0' || (quote == '\'' && next != '\''))
            {
                word.Append(c);
            }
            else if (quote == '"' && next == 'x' && i + 3 < line.Length &&
                char.IsAsciiHexDigit(line[i + 2]) && char.IsAsciiHexDigit(line[i + 3]))
            {
                word.Append((char)byte.Parse(
                    line.Slice(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 3;
            }
            else
            {
                i++;
                word.Append(quote == '\'' ? next : next switch
                {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'b' => '\b',
                    'a' => '\a',
                    _ => next,
                });
            }
        }

        return false;
    }
}
