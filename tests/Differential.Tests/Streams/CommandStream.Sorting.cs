using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Streams;

/// <content>SORT and SORT_RO.</content>
/// <remarks>Never of sorted sets, which change their encoding at the reference (DIFFERENCES.md, sort). What compares
/// equal has no certain order there in a set, and none with LIMIT: neither is drawn where it shows. Orders by number
/// are not stored: see <see cref="IsStaleError"/>.</remarks>
public sealed partial class CommandStream
{
    /// <summary>Whether a reply to SORT is that of a reference that has met a range error in another command: it finds
    /// it in errno and takes it for one of an element.</summary>
    public static bool IsStaleError(StreamCommand command, RespValue ours, RespValue reference) =>
        command.Arguments[0].AsSpan().StartsWith("SORT"u8)
        && reference.IsError
        && !ours.IsError
        && reference.AsString.Contains("One or more scores", StringComparison.Ordinal);

    // Sets that no other command puts something else in the place of.
    private void SortedSource()
    {
        Add(_source.Below(4) == 0 ? "SREM" : "SADD", _source.Word("x1", "x2", "x3"));
        for (int i = _source.Below(6); i >= 0; i--)
        {
            Add(_source.Below(4) == 0 ? _source.Member() : _source.Word("1", "2", "3", "10", "-7", "2.5", "0x3"));
        }
    }

    private void Sort()
    {
        bool isSet = _source.Below(3) == 0;
        bool stores = _source.Below(4) == 0;
        byte[] key = isSet
            ? _source.Word("x1", "x2", "x3")
            : _source.Word("l0", "l1", "l2", "l3", "none", "lcs1");
        Add(!stores && _source.Below(3) == 0 ? "SORT_RO" : "SORT", key);
        int by = _source.Below(3);
        bool isAlpha = _source.Below(2) == 0 || (stores && by != 2);
        bool hasTies = by == 1 && isAlpha;
        if (by == 1)
        {
            Add("BY", _source.Word("k*", "k*", "s*", "h*->1", "h*->a", "*", "l*"));
        }
        else if (by == 2)
        {
            Add("BY", _source.Word("nosort", "", "#", "k\0*"));
        }

        if (isAlpha)
        {
            Add("ALPHA");
        }

        if (isSet && !stores && (by == 2 || isAlpha))
        {
            _comparison = ReplyComparison.Unordered;
        }
        else if (_source.Below(2) == 0 && !hasTies)
        {
            Add("LIMIT", _source.Word("0", "1", "5", "-1", "x"), _source.Word("0", "1", "3", "10", "-1", "-5"));
        }

        AddSome("ASC", "DESC", "desc", "DESC", _source.Below(5) == 0 ? "FOO" : "DESC");
        for (int i = _source.Below(2) == 0 ? 0 : _source.Below(3); i > 0; i--)
        {
            Add("GET", _source.Word("#", "k*", "h*->1", "h*->b", "none*", "h*->", "nosort"));
        }

        if (stores && !(isSet && hasTies))
        {
            Add("STORE", _source.Below(3) == 0 ? _source.Key() : _source.ListKey());
        }
        else if (stores && isSet)
        {
            _comparison = ReplyComparison.Unordered;
        }
    }
}
