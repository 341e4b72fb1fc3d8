using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Follows the transactions of a file that is read, to tell up to where it is good: a transaction that lacks
/// its EXEC is as good as cut off in the middle of a request.</summary>
internal sealed class AofTransactions
{
    private readonly AofReader _reader;
    private bool _isOpen;
    private long _multiOffset;
    private long _multiLine;
    private long _line;

    /// <summary>Follows a reader that has not read yet.</summary>
    /// <param name="reader">Reads the file.</param>
    /// <param name="line">Number of the file's first line.</param>
    public AofTransactions(AofReader reader, long line)
    {
        _reader = reader;
        _line = line;
    }

    /// <summary>What is wrong with a transaction; empty when nothing is.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Where that is.</summary>
    public long ErrorOffset { get; private set; }

    /// <summary>Up to where the file is good: what it can be cut to.</summary>
    public long GoodOffset => _isOpen ? _multiOffset : Error.Length > 0 ? ErrorOffset : _reader.EndOffset;

    /// <summary>The line that begins there.</summary>
    public long GoodLine => _isOpen ? _multiLine : _line;

    /// <summary>Looks at the requests just read.</summary>
    /// <remarks>O(requests). Stops at the first error.</remarks>
    public void Follow(RequestBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Arguments arguments = batch.ArgumentsOf(i);
            ReadOnlySpan<byte> name = arguments[0];
            if (Ascii.EqualsIgnoreCase(name, "multi"u8))
            {
                if (_isOpen)
                {
                    Fail("Unexpected MULTI", i);
                    return;
                }

                _isOpen = true;
                _multiOffset = _reader.OffsetOf(i);
                _multiLine = _line;
            }
            else if (Ascii.EqualsIgnoreCase(name, "exec"u8))
            {
                if (!_isOpen)
                {
                    Fail("Unexpected EXEC", i);
                    return;
                }

                _isOpen = false;
            }

            _line += 1 + (2 * arguments.Count);
        }
    }

    /// <summary>Notes that the file ended.</summary>
    public void End()
    {
        if (_isOpen && Error.Length == 0 && _reader.Ending == AofEnding.Clean)
        {
            Error = "Reached EOF before reading EXEC for MULTI";
            ErrorOffset = _multiOffset;
        }
    }

    private void Fail(string error, int requestIndex)
    {
        Error = error;
        ErrorOffset = _reader.OffsetOf(requestIndex);
    }
}
