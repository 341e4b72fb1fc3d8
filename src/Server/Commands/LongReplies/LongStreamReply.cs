using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Entries of a large stream that stand in a row, in parts. The stream may grow meanwhile without anybody waiting: what
/// is read is a share of its own.</summary>
internal sealed class LongStreamReply : LongReply
{
    private readonly SharedStream _stream;
    private readonly byte[] _key;
    private readonly bool _forward;
    private StreamId _start;
    private StreamId _end;
    private long _left;

    /// <summary>Has entries of a key's stream follow; their number has been written.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="start">The smallest id.</param>
    /// <param name="end">The largest.</param>
    /// <param name="count">How many entries: no more than there are.</param>
    /// <param name="forward">From the smallest, or from the largest.</param>
    public LongStreamReply(CommandContext ctx, in StreamValue stream, StreamId start, StreamId end, long count, bool forward)
        : base(ctx)
    {
        _stream = new SharedStream(ctx.Server.Keyspace, in stream);
        _key = stream.Entry.KeyBytes.ToArray();
        _start = start;
        _end = end;
        _left = count;
        _forward = forward;
        Begin();
    }

    /// <inheritdoc/>
    protected override ReadOnlySpan<byte> KeyBytes => _key;

    /// <inheritdoc/>
    protected override bool Write(ReplyWriter reply, long elements, long endBytes)
    {
        foreach (StreamEntry entry in _stream.Open().Range(_start, _end, _forward))
        {
            StreamReply.Entry(reply, entry);
            bool hasMore = _forward ? entry.Id.TryGetNext(out _start) : entry.Id.TryGetPrevious(out _end);
            if (--_left == 0 || !hasMore || --elements == 0 || reply.TotalBytesWritten >= endBytes)
            {
                break;
            }
        }

        return _left == 0;
    }

    /// <inheritdoc/>
    protected override void Release() => _stream.Free();
}
