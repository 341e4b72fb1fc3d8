using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Running;

/// <summary>Compares two replies in the ways of <see cref="ReplyComparison"/>.</summary>
public static partial class ReplyComparer
{
    /// <summary>Tells whether two replies agree.</summary>
    public static bool AreEqual(RespValue ours, RespValue reference, ReplyComparison comparison, long tolerance = 0) =>
        comparison switch
        {
            ReplyComparison.Exact => ours.Raw.AsSpan().SequenceEqual(reference.Raw),
            ReplyComparison.Unordered => Canonical(ours) == Canonical(reference),
            ReplyComparison.Shape => HaveSameShape(ours, reference),
            ReplyComparison.Masked => Masked(ours) == Masked(reference),
            ReplyComparison.Approximate => AreClose(ours, reference, tolerance),
            _ => true,
        };

    /// <summary>Writes a reply with the items of every array sorted, so that equal multisets read the same.</summary>
    public static string Canonical(RespValue value)
    {
        if (!value.IsAggregate || value.IsNull)
        {
            return (value.IsNull ? "N" : "") + value.Type + value.Text.Length.ToString(CultureInfo.InvariantCulture)
                + ":" + value.AsString;
        }

        List<string> items = [.. value.Items.Select(Canonical)];
        if (value.Type == '%')
        {
            items = [.. items.Chunk(2).Select(pair => string.Join("=>", pair))];
        }

        items.Sort(StringComparer.Ordinal);
        StringBuilder text = new();
        text.Append(value.Type).Append('[').AppendJoin(',', items).Append(']');
        return text.ToString();
    }

    [GeneratedRegex(@"[0-9.]+:[0-9]+|[0-9]+\.[0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AddressOrFraction { get; }

    private static string Masked(RespValue value)
    {
        if (value.IsAggregate && !value.IsNull)
        {
            return $"{value.Type}[{string.Join(',', value.Items.Select(Masked))}]";
        }

        string text = value.Type == ':' ? "N" : AddressOrFraction.Replace(value.AsString, "N");
        return $"{(value.IsNull ? "null" : "")}{value.Type}{text.Length.ToString(CultureInfo.InvariantCulture)}:{text}";
    }

    private static bool HaveSameShape(RespValue ours, RespValue reference) =>
        ours.Type == reference.Type
        && ours.IsNull == reference.IsNull
        && ours.Items.Count == reference.Items.Count
        && ours.Items.Zip(reference.Items).All(pair => HaveSameShape(pair.First, pair.Second));

    private static bool AreClose(RespValue ours, RespValue reference, long tolerance)
    {
        if (!HaveSameShape(ours, reference))
        {
            return false;
        }

        if (ours.IsAggregate)
        {
            return ours.Items.Zip(reference.Items).All(pair => AreClose(pair.First, pair.Second, tolerance));
        }

        return TryInteger(ours, out long a) && TryInteger(reference, out long b)
            ? Math.Abs(a - b) <= tolerance
            : ours.AsString == reference.AsString;
    }

    private static bool TryInteger(RespValue value, out long integer) =>
        long.TryParse(value.AsString, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out integer);
}
