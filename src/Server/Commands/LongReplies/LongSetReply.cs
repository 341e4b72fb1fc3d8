using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>The members of a large set, in parts.</summary>
internal sealed class LongSetReply : LongReply
{
    private readonly SetLimits _limits;
    private WalkPlace _place;

    private LongSetReply(CommandContext ctx, in SetValue set)
        : base(ctx)
    {
        _limits = SetCommands.LimitsOf(ctx);
        SetEnumerator start = set.GetEnumerator();
        _place = start.Place;
        start.Dispose();
        Begin(set.Entry);
    }

    /// <summary>Writes all members of a key's set behind their number, in parts when they are many.</summary>
    public static void WriteAll(CommandContext ctx, in SetValue set)
    {
        if (!Pays(ctx, set.Count))
        {
            SetCommands.WriteAll(ctx, in set);
            return;
        }

        ctx.Reply.Set(set.Count);
        _ = new LongSetReply(ctx, in set);
    }

    /// <inheritdoc/>
    protected override bool Write(ReplyWriter reply, long elements, long endBytes)
    {
        SetEnumerator members = SetValue.Open(Database, Entry, _limits).WalkFrom(_place);
        try
        {
            for (; elements > 0 && reply.TotalBytesWritten < endBytes; elements--)
            {
                if (!members.MoveNext())
                {
                    return true;
                }

                SetCommands.Write(reply, members.Current);
            }

            _place = members.Place;
            return false;
        }
        finally
        {
            members.Dispose();
        }
    }
}
