using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Entries of a large stream that stand in a row, in parts. The stream may grow meanwhile without anybody waiting: what
/// is read is a share of its own.</summary>
internal sealed class LongStreamReply : LongReply
{
    // A walk over a node of this size takes some ten microseconds; by default they have 4 KB.
    private const int MaxNodeBytes = 64 * 1024;

    // Where so few fill a part, the whole node has few enough to walk over for each of its parts.
    private const int FewEntries = 256;

    private readonly SharedStream _stream;
    private readonly byte[] _key;
    private readonly bool _forward;
    private StreamId _start;
    private StreamId _end;
    private long _left;

    /// <summary>Has entries of a key's stream follow; their number is to be written next.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="start">The smallest id.</param>
    /// <param name="end">The largest.</param>
    /// <param name="count">How many entries: no more than there are.</param>
    /// <param name="forward">From the smallest, or from the largest.</param>
    public LongStreamReply(CommandContext ctx, in StreamValue stream, StreamId start, StreamId end, long count, bool forward)
        : base(ctx)
    {
        _key = stream.Entry.KeyBytes.ToArray();
        _stream = new SharedStream(ctx.Server.Keyspace, in stream); // The last that can fail.
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
        StreamEntryEnumerator entries = _stream.Open().Range(_start, _end, _forward);
        int inNode = 0;
        for (int node = 0; _left > 0 && entries.MoveNext(); elements--)
        {
            // Finding the place again costs a walk over its node, so all of an uncommonly large one goes out in one part, unless
            // that is because of a few large entries.
            inNode = entries.NodeNumber == node ? inNode + 1 : 0;
            node = entries.NodeNumber;
            bool isNear = inNode == 0 || entries.NodeBytes <= MaxNodeBytes;
            if ((isNear && elements <= 0) || ((isNear || inNode <= FewEntries) && reply.TotalBytesWritten >= endBytes))
            {
                break;
            }

            StreamEntry entry = entries.Current;
            StreamReply.Entry(reply, entry);
            bool hasMore = _forward ? entry.Id.TryGetNext(out _start) : entry.Id.TryGetPrevious(out _end);
            _left = hasMore ? _left - 1 : 0;
        }

        return _left == 0;
    }

    /// <inheritdoc/>
    protected override void Release() => _stream.Free();
}
