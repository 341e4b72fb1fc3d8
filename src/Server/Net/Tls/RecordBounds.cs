using System.Buffers.Binary;

namespace KvServer.Server.Net.Tls;

/// <summary>Follows where the records of TLS begin and end in a stream of bytes. A mutable struct: never copy it.</summary>
/// <remarks>What the bytes mean is not looked at. In a stream that is not TLS the bounds mean nothing, and SslStream
/// refuses it.</remarks>
internal struct RecordBounds
{
    // Type, version (2) and length (2).
    private const int HeaderBytes = 5;

    private int _headerBytes; // Of the header that is not whole yet.
    private int _lengthHigh;
    private int _rest;

    /// <summary>How many records have come to their end since this was set to 0.</summary>
    public int Count { get; set; }

    /// <summary>Whether no record has begun and not ended.</summary>
    public readonly bool IsAtEnd => _headerBytes == 0 && _rest == 0;

    /// <summary>Takes the bytes that come next. O(records).</summary>
    public void Follow(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_rest == 0)
            {
                bytes = bytes[TakeHeader(bytes)..];
                if (_headerBytes < HeaderBytes)
                {
                    return;
                }
            }

            int taken = Math.Min(_rest, bytes.Length);
            _rest -= taken;
            bytes = bytes[taken..];
            if (_rest == 0)
            {
                _headerBytes = 0;
                Count++;
            }
        }
    }

    private int TakeHeader(ReadOnlySpan<byte> bytes)
    {
        if (_headerBytes == 0 && bytes.Length >= HeaderBytes)
        {
            _headerBytes = HeaderBytes;
            _rest = BinaryPrimitives.ReadUInt16BigEndian(bytes[(HeaderBytes - sizeof(ushort))..]);
            return HeaderBytes;
        }

        int taken = 0;
        while (taken < bytes.Length && _headerBytes < HeaderBytes)
        {
            byte next = bytes[taken++];
            _headerBytes++;
            if (_headerBytes == HeaderBytes - 1)
            {
                _lengthHigh = next;
            }
            else if (_headerBytes == HeaderBytes)
            {
                _rest = (_lengthHigh << 8) | next;
            }
        }

        return taken;
    }
}
