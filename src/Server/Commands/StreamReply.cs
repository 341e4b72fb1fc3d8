using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>How entries of streams look in replies.</summary>
internal static class StreamReply
{
    /// <summary>Writes an id.</summary>
    public static void Id(ReplyWriter reply, StreamId id)
    {
        Span<byte> text = stackalloc byte[StreamId.MaxTextLength];
        reply.BulkString(text[..id.Format(text)]);
    }

    /// <summary>Writes an entry: its id, and an array of its fields and values.</summary>
    public static void Entry(ReplyWriter reply, StreamEntry entry)
    {
        reply.Array(2);
        Id(reply, entry.Id);
        reply.Array((long)entry.FieldCount * 2);
        foreach (StreamField field in entry)
        {
            ListCommands.Write(reply, field.Name);
            ListCommands.Write(reply, field.Value);
        }
    }

    /// <summary>Writes the entry of an id, which exists.</summary>
    public static void Entry(ReplyWriter reply, in StreamValue stream, StreamId id)
    {
        foreach (StreamEntry entry in stream.Range(id, id))
        {
            Entry(reply, entry);
        }
    }

    /// <summary>Writes an array of the entries between two ids, which go out as they are read.</summary>
    /// <param name="reply">Where to.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="start">The smallest id.</param>
    /// <param name="end">The largest.</param>
    /// <param name="limit">How many at most; 0 for all.</param>
    /// <param name="forward">From the smallest, or from the largest.</param>
    public static void Range(
        ReplyWriter reply, in StreamValue stream, StreamId start, StreamId end, long limit, bool forward = true) =>
        Counted(reply, in stream, start, end, Count(stream, start, end, limit), forward);

    /// <summary>As <see cref="Range"/>, where it is known how many entries to write: no more than there are.</summary>
    public static void Counted(
        ReplyWriter reply, in StreamValue stream, StreamId start, StreamId end, long count, bool forward = true)
    {
        reply.Array(count);
        if (count == 0)
        {
            return;
        }

        foreach (StreamEntry entry in stream.Range(start, end, forward))
        {
            Entry(reply, entry);
            if (--count == 0)
            {
                return;
            }
        }
    }

    /// <summary>How many entries a range has, up to a limit; 0 for none.</summary>
    /// <remarks>O(1) for all of the stream, else O(entries).</remarks>
    public static long Count(in StreamValue stream, StreamId start, StreamId end, long limit)
    {
        limit = limit == 0 ? long.MaxValue : limit;
        if (start <= stream.FirstId && end >= stream.LastId)
        {
            return Math.Min(stream.Length, limit);
        }

        long count = 0;
        StreamEntryEnumerator entries = stream.Range(start, end);
        while (count < limit && entries.MoveNext())
        {
            count++;
        }

        return count;
    }
}
