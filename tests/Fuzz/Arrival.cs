using System.Buffers;
using System.IO.Pipelines;
using KvServer.Resp;

namespace KvServer.Fuzz;

/// <summary>How the pieces of the input reach the reader.</summary>
public enum ArrivalKind
{
    /// <summary>All at once, each piece a segment.</summary>
    Segments,

    /// <summary>Piece by piece in one array; what was not consumed is copied into a new one each time.</summary>
    GrowingArray,

    /// <summary>Piece by piece, each a new segment behind the ones not consumed.</summary>
    GrowingSegments,

    /// <summary>Piece by piece through a real pipe.</summary>
    Pipe,

    /// <summary>Piece by piece in segments whose memory is no array.</summary>
    NativeSegments,
}

/// <summary>Bytes that arrive in pieces, and what a <see cref="RequestReader"/> makes of them.</summary>
public sealed class Arrival
{
    private readonly byte[] _bytes;
    private readonly int[] _cuts;

    /// <summary>Prepares an arrival of <paramref name="bytes"/> cut at increasing positions.</summary>
    public Arrival(byte[] bytes, IEnumerable<int> cuts, ArrivalKind kind)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        _bytes = bytes;
        _cuts = [.. cuts];
        Kind = kind;
    }

    /// <summary>How the pieces arrive.</summary>
    public ArrivalKind Kind { get; }

    /// <summary>The pieces.</summary>
    public IEnumerable<byte[]> Pieces
    {
        get
        {
            int from = 0;
            foreach (int cut in _cuts.Append(_bytes.Length))
            {
                yield return _bytes[from..cut];
                from = cut;
            }
        }
    }

    /// <inheritdoc/>
    public override string ToString() => _cuts.Length == 0 ? $"{Kind}, whole"
        : _cuts.Length > 8 ? $"{Kind}, {_cuts.Length + 1} pieces" : $"{Kind}, cut at {string.Join(' ', _cuts)}";

    /// <summary>All pieces as the segments of one sequence.</summary>
    public ReadOnlySequence<byte> ToSequence() => Segment.Sequence(Pieces.Select(p => new ReadOnlyMemory<byte>(p)));

    /// <summary>Reads everything, copying each batch before it is cleared.</summary>
    public ReadOutcome Read(ProtocolLimits limits, ILargeBulkFactory? largeBulks = null)
    {
        using var reader = new RequestReader(limits, largeBulks);
        using var batch = new RequestBatch();
        var requests = new List<byte[][]>();
        switch (Kind)
        {
            case ArrivalKind.Segments:
                ReadOnlySequence<byte> all = ToSequence();
                Drain(reader, ref all, batch, requests);
                break;
            case ArrivalKind.GrowingArray:
                ReadGrowingArray(reader, batch, requests);
                break;
            case ArrivalKind.Pipe:
                ReadPipe(reader, batch, requests);
                break;
            default:
                ReadGrowingSegments(reader, batch, requests);
                break;
        }

        return new ReadOutcome(requests, reader.Error);
    }

    private void ReadGrowingArray(RequestReader reader, RequestBatch batch, List<byte[][]> requests)
    {
        byte[] unconsumed = [];
        foreach (byte[] piece in Pieces)
        {
            unconsumed = [.. unconsumed, .. piece];
            var unread = new ReadOnlySequence<byte>(unconsumed);
            if (!Drain(reader, ref unread, batch, requests))
            {
                return;
            }

            unconsumed = unread.ToArray();
        }
    }

    private void ReadGrowingSegments(RequestReader reader, RequestBatch batch, List<byte[][]> requests)
    {
        Segment? first = null;
        Segment? last = null;
        int firstIndex = 0;
        foreach (byte[] piece in Pieces)
        {
            ReadOnlyMemory<byte> memory = Kind == ArrivalKind.NativeSegments ? new NotAnArray(piece).Memory : piece;
            last = new Segment(memory, last);
            first ??= last;
            var unread = new ReadOnlySequence<byte>(first, firstIndex, last, memory.Length);
            if (!Drain(reader, ref unread, batch, requests))
            {
                return;
            }

            first = (Segment)unread.Start.GetObject()!;
            firstIndex = unread.Start.GetInteger();
        }
    }

    private void ReadPipe(RequestReader reader, RequestBatch batch, List<byte[][]> requests)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 64));
        foreach (byte[] piece in Pieces)
        {
            pipe.Writer.Write(piece);
            pipe.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
            if (!pipe.Reader.TryRead(out ReadResult result))
            {
                continue;
            }

            ReadOnlySequence<byte> unread = result.Buffer;
            if (!Drain(reader, ref unread, batch, requests))
            {
                return;
            }

            pipe.Reader.AdvanceTo(unread.Start, unread.End);
        }
    }

    private static bool Drain(
        RequestReader reader, ref ReadOnlySequence<byte> unread, RequestBatch batch, List<byte[][]> requests)
    {
        while (true)
        {
            ReadStatus status = reader.ReadAll(ref unread, batch);
            for (int i = 0; i < batch.Count; i++)
            {
                Arguments arguments = batch.ArgumentsOf(i);
                var copy = new byte[arguments.Count][];
                for (int a = 0; a < copy.Length; a++)
                {
                    copy[a] = arguments[a].ToArray();
                }

                requests.Add(copy);
            }

            bool again = batch.IsFull && !unread.IsEmpty;
            batch.Clear();
            if (!again)
            {
                return status != ReadStatus.ProtocolError;
            }
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }

        public static ReadOnlySequence<byte> Sequence(IEnumerable<ReadOnlyMemory<byte>> pieces)
        {
            Segment? first = null;
            Segment? last = null;
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                last = new Segment(piece, last);
                first ??= last;
            }

            return first is null ? default : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
        }
    }

    private sealed class NotAnArray(byte[] bytes) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => bytes;

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
