using System.Globalization;
using System.Text;

namespace KvServer.TestSupport;

/// <summary>Splits and writes command lines with the quoting of inline commands and redis-cli.</summary>
public static class CommandLine
{
    private const string HexDigits = "0123456789abcdef";

    /// <summary>Splits a line into arguments. Double quotes know \xHH \n \r \t \a \b and \", single ones only \'.</summary>
    /// <exception cref="FormatException">A quote is not closed, or more follows a closing one.</exception>
    public static List<byte[]> Split(string line)
    {
        List<byte[]> arguments = [];
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        int at = 0;
        while (true)
        {
            while (at < bytes.Length && bytes[at] is (byte)' ' or (byte)'\t')
            {
                at++;
            }

            if (at == bytes.Length)
            {
                return arguments;
            }

            arguments.Add(ReadArgument(bytes, ref at));
        }
    }

    /// <summary>Writes bytes so that <see cref="Split"/> reads them back: plain where possible, else quoted.</summary>
    public static string Quote(ReadOnlySpan<byte> argument)
    {
        bool plain = argument.Length > 0;
        StringBuilder text = new();
        foreach (byte b in argument)
        {
            plain &= b is > (byte)' ' and < 0x7f and not ((byte)'"' or (byte)'\'' or (byte)'\\');
            _ = b switch
            {
                (byte)'"' => text.Append("\\\""),
                (byte)'\\' => text.Append("\\\\"),
                (byte)'\n' => text.Append("\\n"),
                (byte)'\r' => text.Append("\\r"),
                (byte)'\t' => text.Append("\\t"),
                < 0x20 or >= 0x7f => text.Append("\\x").Append(HexDigits[b >> 4]).Append(HexDigits[b & 15]),
                _ => text.Append((char)b),
            };
        }

        return plain ? text.ToString() : $"\"{text}\"";
    }

    /// <summary>Writes a whole command line.</summary>
    public static string Join(IEnumerable<byte[]> arguments) => string.Join(' ', arguments.Select(a => Quote(a)));

    /// <summary>Writes a command as a multibulk request.</summary>
    public static byte[] ToRequest(IReadOnlyList<byte[]> arguments)
    {
        using MemoryStream request = new();
        AppendRequest(request, arguments);
        return request.ToArray();
    }

    /// <summary>Appends a command as a multibulk request.</summary>
    public static void AppendRequest(MemoryStream request, IReadOnlyList<byte[]> arguments)
    {
        request.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"*{arguments.Count}\r\n")));
        foreach (byte[] argument in arguments)
        {
            string header = string.Create(CultureInfo.InvariantCulture, $"${argument.Length}\r\n");
            request.Write(Encoding.ASCII.GetBytes(header));
            request.Write(argument);
            request.Write("\r\n"u8);
        }
    }

    private static byte[] ReadArgument(byte[] line, ref int at)
    {
        List<byte> argument = [];
        while (at < line.Length && line[at] is not ((byte)' ' or (byte)'\t'))
        {
            byte quote = line[at];
            if (quote is not ((byte)'"' or (byte)'\''))
            {
                argument.Add(line[at++]);
                continue;
            }

            at++;
            ReadQuoted(line, ref at, quote, argument);
            if (at < line.Length && line[at] is not ((byte)' ' or (byte)'\t'))
            {
                throw new FormatException("Text follows a closing quote.");
            }
        }

        return [.. argument];
    }

    private static void ReadQuoted(byte[] line, ref int at, byte quote, List<byte> argument)
    {
        while (true)
        {
            if (at == line.Length)
            {
                throw new FormatException("A quote is not closed.");
            }

            byte b = line[at++];
            if (b == quote)
            {
                return;
            }

            bool isEscape = b == '\\' && at < line.Length;
            if (!isEscape || (quote == '\'' && line[at] != '\''))
            {
                argument.Add(b);
                continue;
            }

            b = line[at++];
            if (quote == '"' && b == 'x' && at + 1 < line.Length)
            {
                string hex = Encoding.ASCII.GetString(line, at, 2);
                argument.Add(byte.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                at += 2;
                continue;
            }

            argument.Add(quote == '\'' ? b : Unescape(b));
        }
    }

    private static byte Unescape(byte letter) => letter switch
    {
        (byte)'n' => (byte)'\n',
        (byte)'r' => (byte)'\r',
        (byte)'t' => (byte)'\t',
        (byte)'a' => 7,
        (byte)'b' => 8,
        _ => letter,
    };
}
