using System.Globalization;
using System.Text;

namespace KvServer.TestSupport;

/// <summary>One reply, decoded: its type byte, its text or its items, and the exact bytes it came in.</summary>
public sealed class RespValue
{
    internal RespValue(byte type, byte[] text, IReadOnlyList<RespValue> items, bool isNull)
    {
        Type = (char)type;
        Text = text;
        Items = items;
        IsNull = isNull;
    }

    /// <summary>The first byte of the reply: <c>+ - : $ *</c>, in RESP3 also <c>_ # , ( ! = ~ % > |</c>.</summary>
    public char Type { get; }

    /// <summary>The payload of a reply without items, as bytes.</summary>
    public byte[] Text { get; }

    /// <summary>The items of an aggregate; those of a map are key, value, key, value.</summary>
    public IReadOnlyList<RespValue> Items { get; }

    /// <summary>True for <c>$-1</c>, <c>*-1</c> and <c>_</c>.</summary>
    public bool IsNull { get; }

    /// <summary>The bytes of the whole reply; set on the outermost value only.</summary>
    public byte[] Raw { get; internal set; } = [];

    /// <summary>True for an error reply.</summary>
    public bool IsError => Type is '-' or '!';

    /// <summary>True for replies that hold others.</summary>
    public bool IsAggregate => Type is '*' or '%' or '~' or '>' or '|';

    /// <summary>The payload as text, one character per byte.</summary>
    public string AsString => Encoding.Latin1.GetString(Text);

    /// <summary>The payload as an integer.</summary>
    public long AsInteger => long.Parse(AsString, CultureInfo.InvariantCulture);

    /// <summary>The items as texts.</summary>
    public string[] AsStrings => [.. Items.Select(item => item.AsString)];

    /// <summary>Finds a value in a map reply, or in an array that stands for one; null when the key is missing.</summary>
    public RespValue? this[string key]
    {
        get
        {
            for (int i = 0; i + 1 < Items.Count; i += 2)
            {
                if (Items[i].AsString == key)
                {
                    return Items[i + 1];
                }
            }

            return null;
        }
    }

    /// <summary>Writes the reply in the way redis-cli does, with control bytes escaped.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        Append(text, indent: 0);
        return text.ToString();
    }

    private void Append(StringBuilder text, int indent)
    {
        if (!IsAggregate || IsNull)
        {
            string payload = IsNull ? "(null)" : CommandLine.Quote(Text);
            text.Append(Type).Append(' ').Append(payload);
            return;
        }

        text.Append(Type).Append(Items.Count.ToString(CultureInfo.InvariantCulture));
        for (int i = 0; i < Items.Count; i++)
        {
            text.Append('\n').Append(' ', indent + 2);
            text.Append(CultureInfo.InvariantCulture, $"{i + 1}) ");
            Items[i].Append(text, indent + 5);
        }
    }
}
