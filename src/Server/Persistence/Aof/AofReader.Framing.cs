using System.Diagnostics;
using KvServer.Resp;

namespace KvServer.Server.Persistence.Aof;

/// <content>Frames one request.</content>
internal sealed partial class AofReader
{
    // Lengths are 32-bit integers in the store.
    private const int MaxBulkBytes = int.MaxValue - 2;

    private enum Found
    {
        Whole,
        Cut,
        Wrong,
    }

    /// <summary>Frames the request at the position.</summary>
    /// <returns>False when it is not whole in the buffer, or reading ends here; its arguments are then dropped.</returns>
    private bool FrameRequest(RequestBatch batch)
    {
        int at = _position + 1;
        switch (ReadLength(ref at, out int argumentCount))
        {
            case Found.Cut:
                return false;
            case Found.Wrong:
                Fail(at, "Expected the number of arguments and \\r\\n");
                return false;
            default:
                break;
        }

        if (argumentCount == 0)
        {
            Fail(_position, "A request without arguments");
            return false;
        }

        // Once a bulk has been read past the buffer, the request cannot be framed anew: what is cut after it is
        // read on here.
        bool isPinned = false;
        for (int i = 0; i < argumentCount; i++)
        {
            while (true)
            {
                Found found = FrameArgument(batch, ref at, ref isPinned);
                if (found == Found.Whole)
                {
                    break;
                }

                if (found == Found.Wrong || !isPinned)
                {
                    return false;
                }

                if (!Extend(ref at))
                {
                    EndInside();
                    return false;
                }
            }
        }

        long endOffset = OffsetAt(at);
        _offsets[_requestCount++] = _itemOffset;
        batch.EndRequest(endOffset - _itemOffset);
        _position = at;
        EndOffset = endOffset;
        return true;
    }

    /// <summary>Frames the argument at <paramref name="at"/> and moves that behind it.</summary>
    /// <returns>Cut when more bytes are needed; wrong when reading has ended.</returns>
    private Found FrameArgument(RequestBatch batch, ref int at, ref bool isPinned)
    {
        int body = at;
        if (body == _end)
        {
            return Found.Cut;
        }

        byte first = _buffer[body];
        if (first != RespType.BulkString)
        {
            Fail(body, $"Expected prefix '$', got: '{ReportText.Printable([first])}'");
            return Found.Wrong;
        }

        body++;
        Found line = ReadLength(ref body, out int lengthBytes);
        if (line == Found.Wrong)
        {
            Fail(body, "Expected the length of an argument and \\r\\n");
        }

        if (line != Found.Whole)
        {
            return line;
        }

        if (lengthBytes > _end - body + _unread - 2)
        {
            // Said before memory is spent on it.
            _unread = 0;
            EndInside();
            return Found.Wrong;
        }

        if (lengthBytes > ProtocolLimits.LargeBulkBytes)
        {
            return FrameLarge(batch, lengthBytes, body, ref at, ref isPinned);
        }

        int bodyEnd = body + lengthBytes;
        Found end = CheckLineEnd(bodyEnd);
        if (end == Found.Whole)
        {
            batch.AddArgument(_buffer, body, lengthBytes);
            at = bodyEnd + 2;
        }

        return end;
    }

    private Found FrameLarge(RequestBatch batch, int lengthBytes, int body, ref int at, ref bool isPinned)
    {
        int buffered = _end - body;
        bool liesInBuffer = buffered - 2 >= lengthBytes;
        if (liesInBuffer && CheckLineEnd(body + lengthBytes) != Found.Whole)
        {
            return Found.Wrong;
        }

        if (!liesInBuffer && !isPinned && (_position > 0 || _end < _buffer.Length))
        {
            return Found.Cut; // There may be room for it once the request lies at the buffer's start.
        }

        LargeBulk bulk = _largeBulks.Create(lengthBytes);
        try
        {
            bulk.Append(_buffer.AsSpan(body, Math.Min(buffered, lengthBytes)));
            if (liesInBuffer)
            {
                at = body + lengthBytes + 2;
                batch.AdoptArgument(bulk);
                return Found.Whole;
            }

            isPinned = true;
            if (!ReadLarge(bulk, body))
            {
                bulk.Dispose();
                EndInside();
                return Found.Wrong;
            }
        }
        catch
        {
            bulk.Dispose(); // No memory, or no disk.
            throw;
        }

        batch.AdoptArgument(bulk);
        at = body;
        while (_end - at < 2)
        {
            if (!Extend(ref at))
            {
                EndInside();
                return Found.Wrong;
            }
        }

        Found end = CheckLineEnd(at);
        at += 2;
        return end;
    }

    /// <summary>Reads the rest of a bulk straight into its block, and takes what the buffer holds of it out.</summary>
    private bool ReadLarge(LargeBulk bulk, int body)
    {
        int surplus = _end - body - bulk.ReceivedBytes;
        Debug.Assert(surplus is >= 0 and < 2, "At most the end of the line lies in the buffer.");
        while (!bulk.IsComplete)
        {
            int count = ReadStream(bulk.GetFreeSpan());
            if (count == 0)
            {
                return false;
            }

            bulk.Advance(count);
        }

        _buffer.AsSpan(_end - surplus, surplus).CopyTo(_buffer.AsSpan(body));
        _end = body + surplus;
        _bufferOffset += bulk.LengthBytes;
        return true;
    }

    /// <summary>Reads on behind what is in the buffer. Where that is full, what lies before <paramref name="at"/>, which
    /// the batch refers to, stays behind in the old one.</summary>
    private bool Extend(ref int at)
    {
        if (_end == _buffer.Length)
        {
            int left = _end - at;
            byte[] next = new byte[(int)Math.Min(Math.Max(_bufferBytes, 2L * left), Array.MaxLength)];
            _buffer.AsSpan(at, left).CopyTo(next);
            _buffer = next;
            _bufferOffset += at;
            _end = left;
            _position = 0;
            at = 0;
        }

        return Fill();
    }

    private Found CheckLineEnd(int at)
    {
        if (at < _end && _buffer[at] != '\r')
        {
            Fail(at, "Expected \\r\\n");
            return Found.Wrong;
        }

        if (at + 1 >= _end)
        {
            return Found.Cut;
        }

        if (_buffer[at + 1] != '\n')
        {
            Fail(at + 1, "Expected \\r\\n");
            return Found.Wrong;
        }

        return Found.Whole;
    }

    /// <summary>Reads digits and the end of their line: no sign, no leading zeros, at most
    /// <see cref="MaxBulkBytes"/>.</summary>
    /// <param name="at">Where the digits begin; then what is behind the line, or the byte that is wrong.</param>
    /// <param name="value">The number.</param>
    private Found ReadLength(ref int at, out int value)
    {
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(0, _end);
        int start = at;
        long number = 0;
        value = 0;
        for (; (uint)at < (uint)bytes.Length; at++)
        {
            uint digit = (uint)(bytes[at] - '0');
            if (digit <= 9)
            {
                bool isLeadingZero = number == 0 && at > start;
                number = (number * 10) + digit;
                if (isLeadingZero || number > MaxBulkBytes)
                {
                    return Found.Wrong;
                }

                continue;
            }

            if (bytes[at] != '\r' || at == start)
            {
                return Found.Wrong;
            }

            if (at + 1 == bytes.Length)
            {
                return Found.Cut;
            }

            at++;
            if (bytes[at] != '\n')
            {
                return Found.Wrong;
            }

            at++;
            value = (int)number;
            return Found.Whole;
        }

        return Found.Cut;
    }
}
