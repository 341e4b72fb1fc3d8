using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>The fields of a large hash, in parts. Fields whose time comes meanwhile are still there: they were counted.</summary>
internal sealed class LongHashReply : LongReply
{
    private readonly HashLimits _limits;
    private readonly HashParts _parts;
    private WalkPlace _place;

    /// <summary>Has all fields of a key's hash follow; their number has been written.</summary>
    public LongHashReply(CommandContext ctx, in HashValue hash, HashParts parts)
        : base(ctx)
    {
        _limits = HashCommands.LimitsOf(ctx);
        _parts = parts;
        HashEnumerator start = hash.GetEnumerator();
        _place = start.Place;
        start.Dispose();
        Begin(hash.Entry);
    }

    /// <inheritdoc/>
    protected override bool Write(ReplyWriter reply, long elements, long endBytes)
    {
        HashEnumerator fields = HashValue.Open(Database, Entry, _limits).WalkFrom(_place);
        try
        {
            for (; elements > 0 && reply.TotalBytesWritten < endBytes; elements--)
            {
                if (!fields.MoveNext())
                {
                    return true;
                }

                HashScanCommands.Write(reply, fields.Current, _parts);
            }

            _place = fields.Place;
            return false;
        }
        finally
        {
            fields.Dispose();
        }
    }
}
