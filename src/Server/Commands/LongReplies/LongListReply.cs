using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Elements of a large list that stand in a row, in parts.</summary>
internal sealed class LongListReply : LongReply
{
    private readonly ListLimits _limits;
    private long _next;
    private long _left;

    /// <summary>Has elements of a key's list follow; their number has been written.</summary>
    public LongListReply(CommandContext ctx, in ListValue list, long start, long count)
        : base(ctx)
    {
        _limits = ListCommands.LimitsOf(ctx);
        _next = start;
        _left = count;
        Begin(list.Entry);
    }

    /// <inheritdoc/>
    protected override bool Write(ReplyWriter reply, long elements, long endBytes)
    {
        ListValue list = ListValue.Open(Database, Entry, _limits);
        foreach (PackedElement element in list.Walk(_next, Math.Min(elements, _left), forward: true))
        {
            ListCommands.Write(reply, element);
            _next++;
            _left--;
            if (reply.TotalBytesWritten >= endBytes)
            {
                break;
            }
        }

        return _left == 0;
    }
}
