using System.Buffers;

namespace KvServer.Resp;

/// <summary>Holds the bytes of aggregates with deferred lengths until the outermost one is closed.</summary>
/// <remarks>Content lies in pooled chunks, in order, without the headers. Each header is a mark: the place in the content
/// before which it belongs. Closing the outermost aggregate writes content and headers out by turns, so a reply is copied
/// once more than one whose length was known, however deeply it nests.</remarks>
internal sealed class DeferredBuffer
{
    private const int FirstChunkBytes = 4096;
    private const int LargestChunkBytes = 1024 * 1024;

    private readonly List<(byte[] Array, int Used)> _chunks = [];
    private readonly List<Mark> _marks = [];
    private long _fullBytes;

    private struct Mark
    {
        public long Position;
        public byte Type;
        public long Count;
    }

    /// <summary>How many of the aggregates are still open.</summary>
    public int OpenCount { get; private set; }

    /// <summary>Opens an aggregate in front of the byte that <paramref name="usedInChunk"/> bytes of the current chunk
    /// precede.</summary>
    public int Open(byte type, int usedInChunk)
    {
        _marks.Add(new Mark { Position = _fullBytes + usedInChunk, Type = type });
        OpenCount++;
        return _marks.Count - 1;
    }

    /// <summary>Sets the length of an aggregate. Returns whether it was the last open one.</summary>
    public bool Close(int index, long count)
    {
        Mark mark = _marks[index];
        mark.Count = count;
        _marks[index] = mark;
        OpenCount--;
        return OpenCount == 0;
    }

    /// <summary>Puts a filled chunk behind the others.</summary>
    public void AddChunk(byte[] array, int used)
    {
        _chunks.Add((array, used));
        _fullBytes += used;
    }

    /// <summary>A chunk for at least <paramref name="sizeBytes"/> bytes; each is twice the one before, up to a bound.</summary>
    public byte[] RentChunk(int sizeBytes)
    {
        int size = _chunks.Count == 0 ? FirstChunkBytes
            : Math.Min(LargestChunkBytes, _chunks[^1].Array.Length * 2);
        return ArrayPool<byte>.Shared.Rent(Math.Max(size, sizeBytes));
    }

    /// <summary>Writes everything to <paramref name="reply"/>, freeing chunk by chunk.</summary>
    public void WriteTo(ReplyWriter reply)
    {
        long position = 0;
        int mark = 0;
        foreach ((byte[] array, int used) in _chunks)
        {
            int from = 0;
            while (mark < _marks.Count && _marks[mark].Position <= position + used)
            {
                int to = (int)(_marks[mark].Position - position);
                reply.Raw(array.AsSpan(from, to - from));
                from = to;
                reply.AggregateHeader(_marks[mark].Type, _marks[mark].Count);
                mark++;
            }

            reply.Raw(array.AsSpan(from, used - from));
            position += used;
            ArrayPool<byte>.Shared.Return(array);
        }

        for (; mark < _marks.Count; mark++)
        {
            reply.AggregateHeader(_marks[mark].Type, _marks[mark].Count);
        }

        _chunks.Clear();
        Clear();
    }

    /// <summary>Throws everything away.</summary>
    public void Clear()
    {
        foreach ((byte[] array, _) in _chunks)
        {
            ArrayPool<byte>.Shared.Return(array);
        }

        _chunks.Clear();
        _marks.Clear();
        _fullBytes = 0;
        OpenCount = 0;
    }
}
