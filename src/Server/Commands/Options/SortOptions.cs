using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>What SORT is asked for: <c>key [BY pattern] [LIMIT offset count] [GET pattern]... [ASC|DESC] [ALPHA]
/// [STORE destination]</c>.</summary>
internal struct SortOptions
{
    /// <summary>Where the pattern of BY stands; 0 for none.</summary>
    public int ByAt;

    /// <summary>Whether BY names nothing that differs from element to element, so that they stay as they are.</summary>
    public bool IsUnsorted;

    /// <summary>Whether the order is that of texts, not of numbers.</summary>
    public bool IsAlpha;

    /// <summary>Whether the order descends.</summary>
    public bool IsDescending;

    /// <summary>Elements to leave out, if positive.</summary>
    public long Offset;

    /// <summary>Elements to return at most; no limit when negative.</summary>
    public long Limit;

    /// <summary>Where the destination stands; 0 for none.</summary>
    public int StoreAt;

    /// <summary>Where the patterns of GET stand; null for none.</summary>
    public List<int>? GetsAt;

    /// <summary>Reads the options.</summary>
    /// <param name="args">The request.</param>
    /// <param name="mayStore">Whether STORE is one of them.</param>
    /// <param name="mayReadAnyKey">Whether BY and GET may name other keys.</param>
    /// <param name="options">What was read.</param>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(
        Arguments args, bool mayStore, bool mayReadAnyKey, out SortOptions options, out ReadOnlySpan<byte> error)
    {
        options = new SortOptions { Limit = -1 };
        error = CommandError.Syntax;
        for (int i = 2; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            int left = args.Count - i - 1;
            if (Ascii.EqualsIgnoreCase(word, "ASC"u8))
            {
                options.IsDescending = false;
            }
            else if (Ascii.EqualsIgnoreCase(word, "DESC"u8))
            {
                options.IsDescending = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "ALPHA"u8))
            {
                options.IsAlpha = true;
            }
            else if (left >= 2 && Ascii.EqualsIgnoreCase(word, "LIMIT"u8))
            {
                if (!Numbers.TryParseInt64(args[++i], out options.Offset)
                    || !Numbers.TryParseInt64(args[++i], out options.Limit))
                {
                    error = CommandError.NotAnInteger;
                    return false;
                }
            }
            else if (mayStore && left >= 1 && Ascii.EqualsIgnoreCase(word, "STORE"u8))
            {
                options.StoreAt = ++i;
            }
            else if (left >= 1 && Ascii.EqualsIgnoreCase(word, "BY"u8))
            {
                options.ByAt = ++i;
                bool namesKeys = SortPattern.Of(args[i]).HasPlace;
                options.IsUnsorted |= !namesKeys;
                if (namesKeys && !mayReadAnyKey)
                {
                    error = "ERR BY option of SORT denied due to insufficient ACL permissions."u8;
                    return false;
                }
            }
            else if (left >= 1 && Ascii.EqualsIgnoreCase(word, "GET"u8))
            {
                (options.GetsAt ??= []).Add(++i);
                if (!mayReadAnyKey)
                {
                    error = "ERR GET option of SORT denied due to insufficient ACL permissions."u8;
                    return false;
                }
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The places among so many sorted elements that are asked for, both included; for none the last lies
    /// before the first.</summary>
    public readonly (long First, long Last) PlacesOf(long count)
    {
        long first = Math.Clamp(Offset, 0, count);
        long length = Limit < 0 ? count : Limit;
        return (first, first + Math.Min(length, count - first) - 1);
    }
}
