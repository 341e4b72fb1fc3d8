using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Resp;

/// <content>The state machine for a request that does not lie whole in one array.</content>
public sealed partial class RequestReader
{
    // A length line that is longer holds no number, so only this much of it is kept.
    private const int KeptLineBytes = 32;

    // One incomplete request may keep this much in the receive buffer; beyond it, its arguments are copied out, so that
    // offsets fit in an int.
    private const int MaxBufferedBytes = 1 << 30;
    private const int FirstPending = 16;
    private const int KeptPending = 64;
    private const int PooledPending = 16 * 1024;

    private enum Stage : byte
    {
        Start,
        InlineLine,
        MultibulkLine,
        BulkLine,
        BulkBody,
        LargeBody,
        LargeEnd,
    }

    [InlineArray(KeptLineBytes)]
    private struct LineBytes
    {
        private byte _first;
    }

    // Where the request stands. Offsets count from the first unread byte.
    private Stage _stage;
    private long _scanned;
    private int _remaining;
    private int _bulkLength;
    private int _bodyOffset;
    private int _bodyLeft;
    private LineBytes _line;
    private int _lineLength;
    private bool _sawReturn;
    private bool _sawZero;

    // Where in the buffer that is, as long as the buffer still starts where it did.
    private object? _resumeStart;
    private int _resumeStartIndex;
    private SequencePosition _resumeAt;

    // Its arguments so far.
    private ArgumentSlot[] _pending = [];
    private int _pendingCount;
    private Scratch? _kept;
    private LargeBulk? _large;
    private int _largeCount;
    private long _largeBytes;

    // What has left the receive buffer: those bytes, what stood between them, and arguments copied out.
    private long _detachedBytes;

    /// <summary>The free end of the block of a large bulk that is being received, empty when there is none.</summary>
    /// <remarks>When the receive buffer is empty a transport may receive straight into this span and tell
    /// <see cref="AdvanceLarge"/> how much; the value then is copied only by the kernel. The span holds no more than
    /// what is missing of the bulk. Valid until the next call of any member.</remarks>
    public Span<byte> GetLargeSpan() => _stage == Stage.LargeBody ? _large!.GetFreeSpan() : default;

    /// <summary>Tells that <paramref name="count"/> bytes were received into <see cref="GetLargeSpan"/>.</summary>
    public void AdvanceLarge(int count)
    {
        if (_stage != Stage.LargeBody)
        {
            throw new InvalidOperationException("No large bulk is being received.");
        }

        _large!.Advance(count);
        _detachedBytes += count;
        _largeBytes += count;
        PendingBytes += count;
        if (_large.IsComplete)
        {
            _stage = Stage.LargeEnd;
            _bodyLeft = 2;
        }
    }

    private void StartPending(Stage stage, int scannedBytes)
    {
        _resumeStart = null;
        _scanned = scannedBytes;
        StartStage(stage);
    }

    private void StartStage(Stage stage)
    {
        _stage = stage;
        _lineLength = 0;
        _sawReturn = false;
        _sawZero = false;
    }

    /// <summary>Takes over the arguments that <see cref="FrameSegment"/> found, as offsets from the request's start.</summary>
    private void KeepPlaces(ReadOnlySpan<ArgumentSlot> slots, int requestStart)
    {
        foreach (ref readonly ArgumentSlot slot in slots)
        {
            AddPending(null, slot.Offset - requestStart, slot.Length);
        }
    }

    private void AddPending(object? source, int offset, int lengthBytes)
    {
        if (_pendingCount == _pending.Length)
        {
            GrowPending();
        }

        _pending[_pendingCount++] = new ArgumentSlot(source, offset, lengthBytes);
    }

    // Connections that send long requests in pieces would otherwise leave an array behind for each.
    private void GrowPending()
    {
        ArgumentSlot[] larger = ArrayPool<ArgumentSlot>.Shared.Rent(Math.Max(FirstPending, _pendingCount * 2));
        _pending.AsSpan(0, _pendingCount).CopyTo(larger);
        DropPending();
        _pending = larger;
    }

    private void DropPending()
    {
        if (_pending.Length is > 0 and <= PooledPending)
        {
            ArrayPool<ArgumentSlot>.Shared.Return(_pending, clearArray: true);
        }

        _pending = [];
    }

    private void ReleasePending()
    {
        if (_pending.Length > KeptPending)
        {
            DropPending();
        }
        else
        {
            _pending.AsSpan(0, _pendingCount).Clear();
        }

        _pendingCount = 0;
        _largeCount = 0;
        _largeBytes = 0;
        _detachedBytes = 0;
        _resumeStart = null;
        _resumeAt = default;
        _stage = Stage.Start;
    }

    /// <summary>Goes on with the request at the start of <paramref name="unread"/>.</summary>
    /// <returns>Complete when it is in the batch and <paramref name="unread"/> starts behind it.</returns>
    private ReadStatus Resume(ref ReadOnlySequence<byte> unread, RequestBatch batch)
    {
        if (_stage == Stage.Start)
        {
            // Only when the segment is no array: otherwise FrameSegment has seen the first byte.
            StartPending(unread.FirstSpan.IsEmpty ? FirstStage(unread) : FirstStage(unread.FirstSpan[0]), scannedBytes: 0);
        }

        SequencePosition next = FindPlace(unread);
        SequencePosition at = next;
        while (unread.TryGet(ref next, out ReadOnlyMemory<byte> memory))
        {
            ReadOnlySpan<byte> span = memory.Span;
            int i = 0;
            while (i < span.Length)
            {
                int from = i;
                Step step = _stage switch
                {
                    Stage.InlineLine => ScanInline(span, ref i),
                    Stage.BulkBody => SkipBody(span.Length, ref i),
                    Stage.LargeBody => FillLarge(span, ref i),
                    Stage.LargeEnd => SkipLargeEnd(span.Length, ref i),
                    _ => ScanLine(span, ref i),
                };
                _scanned += i - from;
                switch (step)
                {
                    case Step.Going:
                        break;
                    case Step.Failed:
                        ReleaseFailed();
                        return ReadStatus.ProtocolError;
                    case Step.Detach:
                        // Everything up to here leaves the receive buffer: the pipe may free it.
                        KeepPending(unread);
                        unread = unread.Slice(unread.GetPosition(i, at));
                        MoveBase(batch);
                        at = unread.Start;
                        span = span[i..];
                        i = 0;
                        break;
                    default:
                        return Finish(step, ref unread, unread.GetPosition(i, at), batch);
                }
            }

            at = next;
        }

        if (_stage is Stage.LargeBody or Stage.LargeEnd)
        {
            unread = unread.Slice(unread.End);
            MoveBase(batch);
        }

        Debug.Assert(_scanned == unread.Length, "An incomplete request has seen every byte there is.");
        _resumeStart = unread.Start.GetObject();
        _resumeStartIndex = unread.Start.GetInteger();
        _resumeAt = unread.End;
        return ReadStatus.Incomplete;
    }

    /// <summary>Counts what has left the receive buffer; offsets begin anew.</summary>
    private void MoveBase(RequestBatch batch)
    {
        batch.ConsumedBytes += _scanned;
        _detachedBytes += _scanned;
        _scanned = 0;
    }

    private enum Step
    {
        Going,
        Detach,
        EmptyRequest,
        InlineDone,
        MultibulkDone,
        Failed,
    }

    private static Stage FirstStage(byte first) => first == RespType.Array ? Stage.MultibulkLine : Stage.InlineLine;

    private static Stage FirstStage(in ReadOnlySequence<byte> unread)
    {
        var reader = new SequenceReader<byte>(unread);
        reader.TryPeek(out byte first);
        return FirstStage(first);
    }

    /// <summary>Finds the first byte not looked at: at once when the buffer starts where it did at the last call, else by
    /// walking the segments.</summary>
    private SequencePosition FindPlace(in ReadOnlySequence<byte> unread)
    {
        SequencePosition start = unread.Start;
        return _resumeStart is not null && ReferenceEquals(start.GetObject(), _resumeStart)
            && start.GetInteger() == _resumeStartIndex
            ? _resumeAt
            : unread.GetPosition(_scanned);
    }

    private Step Fail(ProtocolErrorKind kind, byte found = 0)
    {
        Error = new ProtocolError(kind, found);
        return Step.Failed;
    }

    private void ReleaseFailed()
    {
        for (int i = 0; i < _pendingCount; i++)
        {
            (_pending[i].Source as LargeBulk)?.Dispose();
        }

        ReleasePending();
        _kept?.Clear(keepNothing: true);
    }

    private Step ScanInline(ReadOnlySpan<byte> span, ref int i)
    {
        ReadOnlySpan<byte> window = span[i..];
        int left = _limits.MaxLineBytes + 1 - _lineLength;
        if (window.Length > left)
        {
            window = window[..left];
        }

        // The reference server looks for the end with strchr, which stops at a zero byte: such a line never ends.
        int found = _sawZero ? -1 : window.IndexOfAny((byte)'\n', (byte)0);
        if (found >= 0 && window[found] != 0)
        {
            _lineLength += found;
            i += found + 1;
            return Step.InlineDone;
        }

        _sawZero |= found >= 0;
        _lineLength += window.Length;
        i += window.Length;
        return _lineLength > _limits.MaxLineBytes ? Fail(ProtocolErrorKind.TooBigInlineRequest) : Step.Going;
    }

    private Step ScanLine(ReadOnlySpan<byte> span, ref int i)
    {
        while (i < span.Length)
        {
            byte b = span[i++];
            if (_sawReturn)
            {
                // The byte behind the carriage return is skipped, whatever it is.
                return _stage == Stage.MultibulkLine ? StartMultibulk() : StartBulk();
            }

            if (b == '\r' && !_sawZero)
            {
                _sawReturn = true;
                continue;
            }

            _sawZero |= b == 0;
            if (_lineLength < KeptLineBytes)
            {
                _line[_lineLength] = b;
            }

            _lineLength++;
            if (_lineLength > _limits.MaxLineBytes)
            {
                return Fail(_stage == Stage.MultibulkLine
                    ? ProtocolErrorKind.TooBigMultibulkCountString
                    : ProtocolErrorKind.TooBigBulkCountString);
            }
        }

        return Step.Going;
    }

    private bool TryReadLine(out long value)
    {
        value = 0;
        ReadOnlySpan<byte> line = _line;
        return _lineLength is > 0 and <= KeptLineBytes && Numbers.TryParseInt64(line[1.._lineLength], out value);
    }

    private Step StartMultibulk()
    {
        if (!TryReadLine(out long argumentCount) || argumentCount > _limits.MaxArguments)
        {
            return Fail(ProtocolErrorKind.InvalidMultibulkLength);
        }

        if (argumentCount > MaxArguments)
        {
            return Fail(ProtocolErrorKind.UnauthenticatedMultibulkLength);
        }

        if (argumentCount <= 0)
        {
            return Step.EmptyRequest;
        }

        _remaining = (int)argumentCount;
        StartStage(Stage.BulkLine);
        return Step.Going;
    }

    private Step StartBulk()
    {
        byte first = _lineLength == 0 ? (byte)'\r' : _line[0];
        if (first != RespType.BulkString)
        {
            return Fail(ProtocolErrorKind.ExpectedBulk, first);
        }

        if (!TryReadLine(out long lengthBytes) || lengthBytes < 0 || lengthBytes > _limits.MaxBulkBytes
            || lengthBytes > int.MaxValue - 2)
        {
            return Fail(ProtocolErrorKind.InvalidBulkLength);
        }

        if (lengthBytes > MaxBulkBytes)
        {
            return Fail(ProtocolErrorKind.UnauthenticatedBulkLength);
        }

        _bulkLength = (int)lengthBytes;
        if (lengthBytes > ProtocolLimits.LargeBulkBytes)
        {
            _large = _largeBulks.Create(_bulkLength);
            _stage = Stage.LargeBody;
            return Step.Detach;
        }

        _bodyLeft = _bulkLength + 2;
        _bodyOffset = -1;
        _stage = Stage.BulkBody;
        return _scanned > MaxBufferedBytes ? Step.Detach : Step.Going;
    }

    private Step SkipBody(int spanLength, ref int i)
    {
        if (_bodyOffset < 0)
        {
            _bodyOffset = (int)_scanned;
        }

        int count = Math.Min(_bodyLeft, spanLength - i);
        i += count;
        _bodyLeft -= count;
        if (_bodyLeft > 0)
        {
            return Step.Going;
        }

        AddPending(null, _bodyOffset, _bulkLength);
        return NextArgument();
    }

    private Step FillLarge(ReadOnlySpan<byte> span, ref int i)
    {
        LargeBulk large = _large!;
        int count = Math.Min(large.LengthBytes - large.ReceivedBytes, span.Length - i);
        large.Append(span.Slice(i, count));
        _largeBytes += count;
        i += count;
        if (large.IsComplete)
        {
            _stage = Stage.LargeEnd;
            _bodyLeft = 2;
        }

        return Step.Going;
    }

    private Step SkipLargeEnd(int spanLength, ref int i)
    {
        int count = Math.Min(_bodyLeft, spanLength - i);
        i += count;
        _bodyLeft -= count;
        if (_bodyLeft > 0)
        {
            return Step.Going;
        }

        AddPending(_large, ArgumentSlot.LargeOffset, _bulkLength);
        _large = null;
        _largeCount++;
        Step step = NextArgument();
        return step == Step.Going ? Step.Detach : step;
    }

    private Step NextArgument()
    {
        _remaining--;
        if (_remaining == 0)
        {
            return Step.MultibulkDone;
        }

        StartStage(Stage.BulkLine);
        return Step.Going;
    }

    private ReadStatus Finish(Step step, ref ReadOnlySequence<byte> unread, SequencePosition end, RequestBatch batch)
    {
        bool good = true;
        if (step == Step.InlineDone)
        {
            good = AddInline(unread, batch);
        }
        else if (step == Step.MultibulkDone)
        {
            good = AddMultibulk(unread, batch);
        }

        if (!good)
        {
            ReleaseFailed();
            return ReadStatus.ProtocolError;
        }

        batch.ConsumedBytes += _scanned;
        unread = unread.Slice(end);
        ReleasePending();
        return ReadStatus.Complete;
    }

    private bool AddInline(in ReadOnlySequence<byte> unread, RequestBatch batch)
    {
        ReadOnlyMemory<byte> first = unread.First;
        if (first.Length >= _lineLength && MemoryMarshal.TryGetArray(first, out ArraySegment<byte> segment))
        {
            return AddInline(segment.Array!, segment.Offset, _lineLength, batch);
        }

        unread.Slice(0, _lineLength).CopyTo(batch.Scratch.Take(_lineLength, out ArgumentSlot line));
        return AddInline((byte[])line.Source!, line.Offset, _lineLength, batch);
    }

    private bool AddMultibulk(in ReadOnlySequence<byte> unread, RequestBatch batch)
    {
        Span<ArgumentSlot> slots = batch.ReserveSlots(_pendingCount);
        PlaceArguments(unread, slots, batch.Scratch, copyAll: false);
        _kept?.MoveTo(batch.Scratch);
        if (!AddRequest(_pendingCount, batch))
        {
            return false;
        }

        batch.AddLarge(_largeCount);
        return true;
    }

    /// <summary>Copies the arguments that are still in the receive buffer out of it.</summary>
    private void KeepPending(in ReadOnlySequence<byte> unread)
    {
        _kept ??= new Scratch();
        PlaceArguments(unread, _pending.AsSpan(0, _pendingCount), _kept, copyAll: true);
    }

    /// <summary>Turns offsets into places in arrays: the receive buffer's own where an argument lies in one piece, else a
    /// copy in <paramref name="scratch"/>. One walk over the segments.</summary>
    private void PlaceArguments(in ReadOnlySequence<byte> unread, Span<ArgumentSlot> slots, Scratch scratch, bool copyAll)
    {
        SequencePosition next = unread.Start;
        long segmentStart = 0;
        ReadOnlyMemory<byte> memory = default;
        ArraySegment<byte> array = default;
        bool isArray = false;
        for (int i = 0; i < slots.Length; i++)
        {
            ArgumentSlot slot = _pending[i];
            if (slot.Source is not null || slot.IsLarge)
            {
                slots[i] = slot;
                continue;
            }

            if (slot.Length == 0)
            {
                slots[i] = new ArgumentSlot(Array.Empty<byte>(), 0, 0);
                continue;
            }

            while (slot.Offset >= segmentStart + memory.Length)
            {
                segmentStart += memory.Length;
                unread.TryGet(ref next, out memory);
                isArray = MemoryMarshal.TryGetArray(memory, out array);
            }

            int inside = (int)(slot.Offset - segmentStart);
            if (isArray && !copyAll && inside + slot.Length <= memory.Length)
            {
                slots[i] = new ArgumentSlot(array.Array, array.Offset + inside, slot.Length);
                continue;
            }

            Span<byte> target = scratch.Take(slot.Length, out slots[i]);
            while (true)
            {
                ReadOnlySpan<byte> source = memory.Span[inside..];
                if (source.Length >= target.Length)
                {
                    source[..target.Length].CopyTo(target);
                    break;
                }

                source.CopyTo(target);
                target = target[source.Length..];
                segmentStart += memory.Length;
                unread.TryGet(ref next, out memory);
                isArray = MemoryMarshal.TryGetArray(memory, out array);
                inside = 0;
            }
        }
    }
}
