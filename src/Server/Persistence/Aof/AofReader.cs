using System.Buffers.Text;
using KvServer.Resp;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Reads the requests of an append-only file.</summary>
/// <remarks>
/// <para>What a connection may send is one thing, what a file holds another: only multibulk requests with every byte in
/// its place, which is why <see cref="RequestReader"/>, which passes by much in silence, does not read it. Each request
/// has an offset; between requests there may be annotations, lines that begin with <c>#</c>.</para>
/// <para>The file is read in large pieces into one buffer, in which requests are framed as slices. A request that is cut
/// by the end of the buffer is moved to its start and framed anew. Bulk strings over
/// <see cref="ProtocolLimits.LargeBulkBytes"/> go into blocks of their own, which grow as their bytes come; one that
/// does not lie whole in the buffer is read straight into its block.</para>
/// <para>Memory is bounded by the file's real length: a length that points behind its end costs nothing. In steady state
/// nothing is allocated but large bulks. One thread at a time; what the stream throws passes through.</para>
/// </remarks>
internal sealed partial class AofReader
{
    private const int BufferBytes = 1024 * 1024;
    private const int MaxAnnotationBytes = 1024;

    private readonly Stream _stream;
    private readonly ILargeBulkFactory _largeBulks;
    private readonly int _bufferBytes;
    private readonly long[] _offsets = new long[ProtocolLimits.BatchRequests];
    private byte[] _buffer;
    private int _position;
    private int _end;

    // File offset of the buffer's first byte; what was read past the buffer counts as if it lay before it.
    private long _bufferOffset;

    // Bytes of the file that are not in the buffer yet.
    private long _unread;
    // Where the request or annotation begins that is being looked at.
    private long _itemOffset;
    private int _requestCount;

    /// <summary>Reads a file.</summary>
    /// <param name="stream">The file, which must be able to seek; stays the caller's. Read up to the length it has
    /// now, and in large pieces: it needs no buffer of its own.</param>
    /// <param name="offset">Where the requests begin: 0, or where a snapshot ends.</param>
    /// <param name="largeBulks">Where large bulk strings get their blocks; null for arrays of the shared pool.</param>
    /// <param name="bufferBytes">How much is read at a time, at least 1; tests read in small pieces.</param>
    public AofReader(
        Stream stream, long offset = 0, ILargeBulkFactory? largeBulks = null, int bufferBytes = BufferBytes)
    {
        _bufferBytes = bufferBytes;
        _stream = stream;
        _largeBulks = largeBulks ?? ILargeBulkFactory.Pooled;
        _unread = Math.Max(stream.Length - offset, 0);
        _buffer = new byte[(int)Math.Clamp(_unread, 1, bufferBytes)];
        _bufferOffset = offset;
        EndOffset = offset;
        stream.Position = offset;
    }

    /// <summary>Timestamps of annotations later than this one, in seconds since 1970, end the reading before them; they
    /// must then be well-formed.</summary>
    public long LastTimestampToRead { get; init; } = long.MaxValue;

    /// <summary>How reading ended; means something once <see cref="Read"/> has returned false.</summary>
    public AofEnding Ending { get; private set; }

    /// <summary>Where reading ended: of a truncated file where the cut request begins, of a damaged one the byte that is
    /// out of place, of one that goes on too long the annotation.</summary>
    public long EndingOffset { get; private set; }

    /// <summary>What is wrong at <see cref="EndingOffset"/>; empty after a clean end.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Offset behind the last complete request returned so far, or behind the annotation that followed it: what
    /// a truncated file can be cut to.</summary>
    public long EndOffset { get; private set; }

    /// <summary>The last timestamp met in an annotation before the requests of the current batch, in seconds since 1970;
    /// 0 when there was none.</summary>
    public long Timestamp { get; private set; }

    /// <summary>The file offset at which a request of the current batch begins.</summary>
    public long OffsetOf(int requestIndex)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(requestIndex, _requestCount);
        return _offsets[requestIndex];
    }

    /// <summary>Reads the next requests.</summary>
    /// <param name="batch">Cleared, then filled. Its arguments lie in this object's buffer: valid until the next
    /// call.</param>
    /// <returns>False at the end, with an empty batch; <see cref="Ending"/> says how it came.</returns>
    /// <remarks>O(bytes read). A batch ends at an annotation, so that <see cref="Timestamp"/> is that of all its
    /// requests.</remarks>
    public bool Read(RequestBatch batch)
    {
        batch.Clear();
        _requestCount = 0;
        while (Ending == AofEnding.None)
        {
            FrameBuffered(batch);
            if (batch.Count > 0)
            {
                return true;
            }

            if (Ending == AofEnding.None && !Refill())
            {
                EndOfFile();
            }
        }

        return false;
    }

    private long OffsetAt(int position) => _bufferOffset + position;

    /// <summary>Frames what lies whole in the buffer.</summary>
    private void FrameBuffered(RequestBatch batch)
    {
        while (_position < _end && batch.Count < ProtocolLimits.BatchRequests)
        {
            _itemOffset = OffsetAt(_position);
            byte first = _buffer[_position];
            if (first == RespType.Array)
            {
                if (!FrameRequest(batch))
                {
                    batch.DropOpenRequest();
                    return;
                }
            }
            else if (first != '#')
            {
                Fail(_position, $"Expected a request, got: {ReportText.Printable([first])}");
                return;
            }
            else if (batch.Count > 0 || !PassAnnotation())
            {
                return;
            }
        }
    }

    /// <summary>Passes by the annotation at the position.</summary>
    /// <returns>False when it is not whole, or reading ends here.</returns>
    private bool PassAnnotation()
    {
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_position.._end);
        ReadOnlySpan<byte> line = bytes[..Math.Min(bytes.Length, MaxAnnotationBytes)];
        int lineEnd = line.IndexOfAny((byte)'\n', (byte)0);
        if (lineEnd < 0)
        {
            if (line.Length == MaxAnnotationBytes)
            {
                Fail(_position, "This annotation is too long");
            }

            return false;
        }

        if (line[lineEnd] == 0)
        {
            Fail(_position + lineEnd, "A zero byte in an annotation");
            return false;
        }

        line = line[..lineEnd];
        if (line.StartsWith("#TS:"u8))
        {
            bool isNumber = Utf8Parser.TryParse(line[4..], out long timestamp, out int digits)
                && line[(4 + digits)..].SequenceEqual("\r"u8);
            if (LastTimestampToRead != long.MaxValue && (!isNumber || timestamp > LastTimestampToRead))
            {
                End(
                    isNumber ? AofEnding.Timestamp : AofEnding.Corrupt,
                    _itemOffset,
                    isNumber ? "The timestamp is later" : "Invalid timestamp annotation");
                return false;
            }

            Timestamp = isNumber ? timestamp : Timestamp;
        }

        _position += lineEnd + 1;
        EndOffset = OffsetAt(_position);
        return true;
    }

    private void End(AofEnding ending, long offset, string reason)
    {
        Ending = ending;
        EndingOffset = offset;
        Reason = reason;
    }

    private void EndOfFile()
    {
        if (_position == _end)
        {
            End(AofEnding.Clean, OffsetAt(_end), "");
        }
        else
        {
            EndInside();
        }
    }

    private void EndInside()
    {
        if (_unread == 0)
        {
            End(AofEnding.Truncated, _itemOffset, "The file ends inside the request that begins here");
        }
        else
        {
            End(AofEnding.Corrupt, _itemOffset, "The request that begins here is too large");
        }
    }

    /// <summary>Ends at a byte that is out of place.</summary>
    /// <remarks>After a power cut, file systems leave zeros where bytes were promised and never written. When the byte
    /// and everything after it are zeros, nothing was damaged that had been written.</remarks>
    private void Fail(int position, string reason)
    {
        long offset = OffsetAt(position);
        if (_buffer[position] == 0 && OnlyZerosFollow(position))
        {
            End(AofEnding.Truncated, _itemOffset, "Only zero bytes follow the requests");
        }
        else
        {
            End(AofEnding.Corrupt, offset, reason);
        }
    }

    private bool OnlyZerosFollow(int position)
    {
        if (_buffer.AsSpan(position.._end).ContainsAnyExcept((byte)0))
        {
            return false;
        }

        // Slices of the batch may lie in the buffer. This runs once, at the end.
        byte[] rest = new byte[(int)Math.Clamp(_unread, 1, BufferBytes)];
        while (ReadStream(rest) is > 0 and int count)
        {
            if (rest.AsSpan(0, count).ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Makes room behind what is left in the buffer and reads more. The batch must be empty.</summary>
    /// <returns>False at the end of the file.</returns>
    private bool Refill()
    {
        int left = _end - _position;
        bool isOversized = _buffer.Length > _bufferBytes && left <= _bufferBytes / 2;
        if (_position > 0 || isOversized)
        {
            byte[] target = isOversized ? new byte[_bufferBytes] : _buffer;
            _buffer.AsSpan(_position, left).CopyTo(target);
            _buffer = target;
            _bufferOffset += _position;
            _position = 0;
            _end = left;
        }
        else if (left == _buffer.Length && _unread > 0)
        {
            // Only as much as the file can fill; past the largest array there, no request is framed any more.
            long wanted = Math.Min(2L * left, left + _unread);
            Array.Resize(ref _buffer, (int)Math.Min(wanted, Array.MaxLength));
        }

        return Fill();
    }

    /// <summary>Fills the buffer to its end.</summary>
    /// <returns>False when nothing came.</returns>
    private bool Fill()
    {
        int before = _end;
        while (_end < _buffer.Length && ReadStream(_buffer.AsSpan(_end)) is > 0 and int count)
        {
            _end += count;
        }

        return _end > before;
    }

    private int ReadStream(Span<byte> target)
    {
        if (_unread < target.Length)
        {
            target = target[..(int)_unread];
        }

        int count = target.IsEmpty ? 0 : _stream.Read(target);
        _unread = count == 0 ? 0 : _unread - count; // It may have been cut since.
        return count;
    }
}
