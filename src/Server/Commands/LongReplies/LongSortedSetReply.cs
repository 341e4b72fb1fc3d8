using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Members of a large sorted set that stand in a row, in parts.</summary>
internal sealed class LongSortedSetReply : LongReply
{
    private readonly SortedSetLimits _limits;
    private readonly bool _isReversed;
    private readonly bool _withScores;
    private long _start;
    private long _left;

    /// <summary>Has members of a key's sorted set follow; their number has been written.</summary>
    public LongSortedSetReply(CommandContext ctx, in SortedSetValue set, SortedSetSlice slice, bool isReversed, bool withScores)
        : base(ctx)
    {
        _limits = SortedSetCommands.LimitsOf(ctx);
        _start = slice.Start;
        _left = slice.Count;
        _isReversed = isReversed;
        _withScores = withScores;
        Begin(set.Entry);
    }

    /// <inheritdoc/>
    protected override bool Write(ReplyWriter reply, long elements, long endBytes)
    {
        SortedSetValue set = SortedSetValue.Open(Database, Entry, _limits);
        long count = Math.Min(elements, _left);
        SortedSetSlice part = set.Slice(_isReversed ? _start + _left - count : _start, count);
        foreach (SortedSetMember member in set.Range(part, _isReversed))
        {
            SortedSetCommands.Write(reply, member, _withScores);
            _start += _isReversed ? 0 : 1;
            _left--;
            if (reply.TotalBytesWritten >= endBytes)
            {
                break;
            }
        }

        return _left == 0;
    }
}
