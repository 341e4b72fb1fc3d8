using System.Globalization;
using System.Text;
using KvServer.Server.Persistence.Aof;

namespace KvServer.Fuzz;

/// <summary>Reads an append-only file in the plainest way, to compare <see cref="AofReader"/> with.</summary>
internal sealed class NaiveAof
{
    private const int LongestAnnotation = 1024;

    private readonly byte[] _bytes;
    private int _at;

    private NaiveAof(byte[] bytes, int offset)
    {
        _bytes = bytes;
        _at = offset;
    }

    /// <summary>The requests with the offsets they begin at.</summary>
    public List<(long Offset, byte[][] Arguments)> Requests { get; } = [];

    /// <summary>How the file ends.</summary>
    public AofEnding Ending { get; private set; }

    /// <summary>Where reading ended.</summary>
    public long EndingOffset { get; private set; }

    /// <summary>Where the last whole request or annotation ends.</summary>
    public long EndOffset { get; private set; }

    /// <summary>The last timestamp.</summary>
    public long Timestamp { get; private set; }

    /// <summary>Reads a file from an offset on.</summary>
    public static NaiveAof Read(byte[] bytes, int offset = 0)
    {
        NaiveAof file = new(bytes, offset) { EndOffset = offset };
        while (file.Ending == AofEnding.None)
        {
            file.ReadItem();
        }

        return file;
    }

    private void ReadItem()
    {
        int start = _at;
        if (_at == _bytes.Length)
        {
            End(AofEnding.Clean, _at);
            return;
        }

        bool isWhole = _bytes[_at] switch
        {
            (byte)'*' => ReadRequest(start),
            (byte)'#' => ReadAnnotation(start),
            _ => Wrong(start, _at),
        };
        if (isWhole)
        {
            EndOffset = _at;
        }
    }

    private bool ReadRequest(int start)
    {
        _at++;
        if (!ReadNumber(start, out int count))
        {
            return false;
        }

        if (count == 0)
        {
            return Wrong(start, start);
        }

        List<byte[]> arguments = [];
        for (int i = 0; i < count; i++)
        {
            if (_at == _bytes.Length)
            {
                return Cut(start);
            }

            if (_bytes[_at] != '$')
            {
                return Wrong(start, _at);
            }

            _at++;
            if (!ReadNumber(start, out int length))
            {
                return false;
            }

            if ((long)_at + length + 2 > _bytes.Length)
            {
                return Cut(start); // Whatever stands there.
            }

            arguments.Add(_bytes[_at..(_at + length)]);
            _at += length;
            if (!ReadLineEnd(start))
            {
                return false;
            }
        }

        Requests.Add((start, [.. arguments]));
        return true;
    }

    private bool ReadNumber(int start, out int number)
    {
        long value = 0;
        number = 0;
        int first = _at;
        for (; _at < _bytes.Length && _bytes[_at] is >= (byte)'0' and <= (byte)'9'; _at++)
        {
            if (value == 0 && _at > first)
            {
                return Wrong(start, _at);
            }

            value = (value * 10) + _bytes[_at] - '0';
            if (value > int.MaxValue - 2)
            {
                return Wrong(start, _at);
            }
        }

        if (_at < _bytes.Length && _at == first)
        {
            return Wrong(start, _at);
        }

        number = (int)value;
        return ReadLineEnd(start);
    }

    private bool ReadLineEnd(int start)
    {
        foreach (byte expected in "\r\n"u8)
        {
            if (_at == _bytes.Length)
            {
                return Cut(start);
            }

            if (_bytes[_at] != expected)
            {
                return Wrong(start, _at);
            }

            _at++;
        }

        return true;
    }

    private bool ReadAnnotation(int start)
    {
        for (; _at < _bytes.Length; _at++)
        {
            if (_at - start == LongestAnnotation)
            {
                return Wrong(start, start);
            }

            if (_bytes[_at] == 0)
            {
                return Wrong(start, _at);
            }

            if (_bytes[_at] == '\n')
            {
                string line = Encoding.Latin1.GetString(_bytes, start, _at - start);
                if (line.StartsWith("#TS:", StringComparison.Ordinal) && line.EndsWith('\r')
                    && long.TryParse(line.AsSpan()[4..^1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long timestamp))
                {
                    Timestamp = timestamp;
                }

                _at++;
                return true;
            }
        }

        return _at - start == LongestAnnotation ? Wrong(start, start) : Cut(start);
    }

    private bool Cut(int start)
    {
        End(AofEnding.Truncated, start);
        return false;
    }

    private bool Wrong(int start, int at)
    {
        bool areZeros = !_bytes.AsSpan(at).ContainsAnyExcept((byte)0);
        End(areZeros ? AofEnding.Truncated : AofEnding.Corrupt, areZeros ? start : at);
        return false;
    }

    private void End(AofEnding ending, long offset)
    {
        Ending = ending;
        EndingOffset = offset;
    }
}
