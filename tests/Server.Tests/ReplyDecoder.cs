using System.Globalization;
using System.Text;

namespace KvServer.Server.Tests;

/// <summary>Turns reply bytes into objects that tests compare: string, long, double, bool, null, arrays, errors.</summary>
internal ref struct ReplyDecoder(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>True when no reply is left.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    /// <summary>True when what comes next is a push and no reply.</summary>
    public readonly bool IsAtPush => !AtEnd && _rest[0] == '>';

    /// <summary>Decodes the next reply. Simple and bulk strings are strings of one char per byte; maps are arrays of
    /// keys and values in turn.</summary>
    public object? Next()
    {
        string line = Line();
        string rest = line[1..];
        return line[0] switch
        {
            '+' => rest,
            '-' => new ErrorReply(rest),
            ':' => long.Parse(rest, CultureInfo.InvariantCulture),
            ',' => double.Parse(rest, CultureInfo.InvariantCulture),
            '#' => rest == "t",
            '(' => rest,
            '_' => null,
            '$' => Bulk(rest),
            '=' => Bulk(rest)![4..],
            '*' or '~' or '>' => Items(rest, perElement: 1),
            '%' => Items(rest, perElement: 2),
            _ => throw new FormatException($"No reply starts with {line}."),
        };
    }

    private object?[]? Items(string count, int perElement)
    {
        int length = int.Parse(count, CultureInfo.InvariantCulture);
        if (length < 0)
        {
            return null;
        }

        object?[] items = new object?[length * perElement];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = Next();
        }

        return items;
    }

    private string? Bulk(string length)
    {
        int count = int.Parse(length, CultureInfo.InvariantCulture);
        if (count < 0)
        {
            return null;
        }

        string text = Encoding.Latin1.GetString(_rest[..count]);
        Assert.True(_rest[count..].StartsWith("\r\n"u8), "A bulk string ends with CR LF.");
        _rest = _rest[(count + 2)..];
        return text;
    }

    private string Line()
    {
        int end = _rest.IndexOf("\r\n"u8);
        Assert.True(end > 0, "A reply is missing or cut.");
        string line = Encoding.Latin1.GetString(_rest[..end]);
        _rest = _rest[(end + 2)..];
        return line;
    }
}
