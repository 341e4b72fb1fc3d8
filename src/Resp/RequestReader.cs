using System.Buffers;
using System.Runtime.InteropServices;

namespace KvServer.Resp;

/// <summary>Slices the bytes a connection receives into requests: multibulk (<c>*2\r\n$3\r\nGET\r\n...</c>) and inline
/// (<c>GET k\r\n</c>).</summary>
/// <remarks>
/// <para>Two ways through the bytes. As long as whole requests lie in one array, <see cref="FrameSegment"/> slices them
/// with a handful of instructions per argument. The request that is cut by the end of an array or of the buffer is
/// handed, with what is known of it, to a state machine (RequestReader.Resume.cs) that takes bytes in pieces of any
/// size and looks at each of them once.</para>
/// <para>Nothing is allocated on the word of a length. Argument slots are reserved only for as many arguments as the
/// received bytes can hold, large bulks grow as they arrive.</para>
/// <para>One per connection; used by one thread at a time. Dispose it when the connection closes inside a request.</para>
/// </remarks>
public sealed partial class RequestReader : IDisposable
{
    // The shortest argument, $0\r\n\r\n: so many bytes hold at most length / 6 arguments.
    private const int ShortestArgumentBytes = 6;

    private readonly ILargeBulkFactory _largeBulks;
    private ProtocolLimits _limits;

    /// <summary>Makes a reader for one connection.</summary>
    /// <param name="limits">The limits to start with.</param>
    /// <param name="largeBulks">Where large bulk strings get their blocks; null for arrays of the shared pool.</param>
    public RequestReader(ProtocolLimits limits, ILargeBulkFactory? largeBulks = null)
    {
        _limits = limits;
        _largeBulks = largeBulks ?? PooledLargeBulk.Factory.Instance;
    }

    /// <summary>The limits for what is read from now on; replaced by the server on authentication and configuration
    /// changes.</summary>
    public ProtocolLimits Limits
    {
        get => _limits;
        set => _limits = value;
    }

    /// <summary>What is wrong with the input, after <see cref="ReadStatus.ProtocolError"/>.</summary>
    public ProtocolError Error { get; private set; }

    /// <summary>The bytes held for a request that is not complete or not read yet, in the receive buffer and out of it.</summary>
    public long PendingBytes { get; private set; }

    /// <summary>Those of <see cref="PendingBytes"/> that lie in blocks of large bulks: arguments of a request that is not
    /// complete yet.</summary>
    /// <remarks>Whoever supplies the blocks counts these himself.</remarks>
    public long DetachedBytes => _largeBytes;

    /// <summary>Slices every complete request in <paramref name="unread"/> into <paramref name="batch"/>.</summary>
    /// <param name="unread">What has been received and not consumed. On return it starts at the first byte not
    /// consumed; the next call must be given the same bytes from there on, followed by what arrived meanwhile.</param>
    /// <param name="batch">Receives the requests, behind those it holds already.</param>
    /// <remarks>Each byte is looked at once however the input is cut, except that the length line of the argument at
    /// the cut is read twice. Stops early when the batch reaches its bound, see <see cref="RequestBatch.IsFull"/>.</remarks>
    public ReadStatus ReadAll(ref ReadOnlySequence<byte> unread, RequestBatch batch)
    {
        if (Error.Kind != ProtocolErrorKind.None)
        {
            return ReadStatus.ProtocolError;
        }

        ReadStatus status = Read(ref unread, batch);
        PendingBytes = unread.Length + _detachedBytes;
        return status;
    }

    /// <summary>Frees what is held for an incomplete request.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _pendingCount; i++)
        {
            (_pending[i].Source as LargeBulk)?.Dispose();
        }

        _large?.Dispose();
        _large = null;
        ReleasePending();
        _kept?.Clear(keepNothing: true);
    }

    private ReadStatus Read(ref ReadOnlySequence<byte> unread, RequestBatch batch)
    {
        while (true)
        {
            if (batch.Count >= _limits.RequestsPerBatch || batch.ConsumedBytes >= ProtocolLimits.BatchBytes)
            {
                batch.IsFull = true;
                return ReadStatus.Complete;
            }

            if (unread.IsEmpty)
            {
                return _stage == Stage.Start ? ReadStatus.Complete : ReadStatus.Incomplete;
            }

            ReadOnlyMemory<byte> first = unread.First;
            if (_stage == Stage.Start && MemoryMarshal.TryGetArray(first, out ArraySegment<byte> segment))
            {
                if (segment.Count == 0)
                {
                    // An empty segment in front of others.
                    SequencePosition next = unread.Start;
                    unread.TryGet(ref next, out _);
                    unread = unread.Slice(next);
                    continue;
                }

                bool whole = FrameSegment(segment.Array!, segment.Offset, segment.Offset + segment.Count, batch, out int end);
                int consumed = end - segment.Offset;
                batch.ConsumedBytes += consumed;
                unread = consumed == segment.Count && unread.IsSingleSegment
                    ? unread.Slice(unread.End)
                    : unread.Slice(consumed);
                if (whole)
                {
                    continue;
                }

                if (Error.Kind != ProtocolErrorKind.None)
                {
                    return ReadStatus.ProtocolError;
                }
            }

            ReadStatus status = Resume(ref unread, batch);
            if (status != ReadStatus.Complete)
            {
                return status;
            }
        }
    }

    /// <summary>Slices the requests that lie whole in one array.</summary>
    /// <param name="array">The array the bytes are in.</param>
    /// <param name="start">Where the first request begins.</param>
    /// <param name="end">Where the received bytes end.</param>
    /// <param name="batch">Receives the requests.</param>
    /// <param name="consumedEnd">Where the last whole request ended.</param>
    /// <returns>True when it stopped between two requests; false when the request at <paramref name="consumedEnd"/> is
    /// left to <see cref="Resume"/>, which knows how far it got, or when there is an error.</returns>
    private bool FrameSegment(byte[] array, int start, int end, RequestBatch batch, out int consumedEnd)
    {
        int room = _limits.RequestsPerBatch;
        int byteEnd = start + (int)Math.Min(end - start, ProtocolLimits.BatchBytes - batch.ConsumedBytes);
        int maxArguments = MaxArguments;
        int maxBulkBytes = (int)Math.Min(MaxBulkBytes, ProtocolLimits.LargeBulkBytes);
        ReadOnlySpan<byte> bytes = array.AsSpan(0, end);
        int at = start;
        while (at < byteEnd && batch.Count < room)
        {
            consumedEnd = at;
            if (bytes[at] != RespType.Array)
            {
                int lineEnd = FrameInline(array, at, end, batch);
                if (lineEnd < 0)
                {
                    return false;
                }

                at = lineEnd;
                continue;
            }

            int next = at + 1;
            int argumentCount = ReadLength(bytes, ref next);
            if (argumentCount < 0 || argumentCount > maxArguments)
            {
                // Cut, negative, malformed or forbidden: not the common case.
                StartPending(Stage.MultibulkLine, scannedBytes: 0);
                return false;
            }

            if (argumentCount == 0)
            {
                at = next;
                continue;
            }

            if ((end - next) / ShortestArgumentBytes < argumentCount)
            {
                StartPending(Stage.BulkLine, scannedBytes: next - at);
                _remaining = argumentCount;
                return false;
            }

            Span<ArgumentSlot> slots = batch.ReserveSlots(argumentCount);
            for (int i = 0; i < slots.Length; i++)
            {
                int body = next;
                int length = -1;
                if ((uint)body < (uint)bytes.Length && bytes[body] == RespType.BulkString)
                {
                    body++;
                    length = ReadLength(bytes, ref body);
                }

                if ((uint)length > (uint)maxBulkBytes || end - body < length + 2)
                {
                    StartPending(Stage.BulkLine, scannedBytes: next - at);
                    _remaining = argumentCount - i;
                    KeepPlaces(slots[..i], at);
                    return false;
                }

                slots[i] = new ArgumentSlot(array, body, length);
                next = body + length + 2; // The reference server does not look at these two bytes either.
            }

            if (IsHttpVerb(slots[0].Span))
            {
                Error = new ProtocolError(ProtocolErrorKind.HttpRequest);
                return false;
            }

            batch.AddRequest(argumentCount);
            at = next;
        }

        consumedEnd = at;
        return true;
    }

    private int MaxArguments => _limits.BeforeAuthentication
        ? Math.Min(_limits.MaxArguments, ProtocolLimits.UnauthenticatedArguments)
        : _limits.MaxArguments;

    private long MaxBulkBytes => _limits.BeforeAuthentication
        ? Math.Min(_limits.MaxBulkBytes, ProtocolLimits.UnauthenticatedBulkBytes)
        : _limits.MaxBulkBytes;

    /// <summary>Reads the digits of a length and the two bytes behind them.</summary>
    /// <returns>The length, with <paramref name="at"/> behind the line; -1 for anything but a number of one to seven
    /// digits whose whole line is there.</returns>
    private static int ReadLength(ReadOnlySpan<byte> bytes, ref int at)
    {
        // The common case first: one digit.
        int i = at;
        if ((uint)(i + 2) >= (uint)bytes.Length)
        {
            return -1;
        }

        uint value = (uint)(bytes[i] - '0');
        if (value > 9)
        {
            return -1;
        }

        if (bytes[i + 1] == '\r')
        {
            at = i + 3;
            return (int)value;
        }

        if (value == 0)
        {
            return -1; // No leading zeros.
        }

        int last = Math.Min(i + 7, bytes.Length - 2);
        for (i++; i <= last; i++)
        {
            uint digit = (uint)(bytes[i] - '0');
            if (digit > 9)
            {
                if (bytes[i] != '\r')
                {
                    return -1;
                }

                at = i + 2;
                return (int)value;
            }

            value = (value * 10) + digit;
        }

        return -1;
    }

    private static bool IsHttpVerb(ReadOnlySpan<byte> word)
    {
        if ((uint)(word.Length - 4) > 1)
        {
            return false;
        }

        uint lower = MemoryMarshal.Read<uint>(word) | 0x20202020;
        return word.Length == 4
            ? lower == MemoryMarshal.Read<uint>("post"u8)
            : lower == MemoryMarshal.Read<uint>("host"u8) && word[4] == (byte)':';
    }

    /// <summary>Slices the inline request at <paramref name="at"/>.</summary>
    /// <returns>Where the next request begins; -1 when the line is left to <see cref="Resume"/> or is malformed.</returns>
    private int FrameInline(byte[] array, int at, int end, RequestBatch batch)
    {
        ReadOnlySpan<byte> window = array.AsSpan(at, Math.Min(end - at, _limits.MaxLineBytes + 1));
        int lineBytes = window.IndexOfAny((byte)'\n', (byte)0);
        if (lineBytes < 0 || window[lineBytes] == 0)
        {
            StartPending(Stage.InlineLine, scannedBytes: 0);
            return -1;
        }

        return AddInline(array, at, lineBytes, batch) ? at + lineBytes + 1 : -1;
    }

    /// <summary>Adds the request in a line whose bytes, without the line feed, lie in <paramref name="array"/>.</summary>
    private bool AddInline(byte[] array, int start, int lineBytes, RequestBatch batch)
    {
        if (lineBytes > 0 && array[start + lineBytes - 1] == '\r')
        {
            lineBytes--;
        }

        int argumentCount = InlineSplitter.Split(array, start, lineBytes, batch);
        if (argumentCount < 0)
        {
            Error = new ProtocolError(ProtocolErrorKind.UnbalancedQuotes);
            return false;
        }

        return argumentCount == 0 || AddRequest(argumentCount, batch);
    }

    private bool AddRequest(int argumentCount, RequestBatch batch)
    {
        if (IsHttpVerb(batch.ReserveSlots(argumentCount)[0].Span))
        {
            Error = new ProtocolError(ProtocolErrorKind.HttpRequest);
            return false;
        }

        batch.AddRequest(argumentCount);
        return true;
    }
}
