using System.Globalization;
using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on streams and their consumer groups, in between all the others; <see cref="StreamCommandStream"/> knows
/// more of them.</content>
/// <remarks>Ids are always given, never the time of the server. Exact trimming by id is left out, because it may leave nodes
/// without entries in the reference (DIFFERENCES.md, stream-tree); so is XSETID to an id behind deleted entries, for which
/// the reference writes a base file of commands that it refuses itself (dump-payloads).</remarks>
public sealed partial class CommandStream
{
    // What lies between the two servers' answers when they tell how long ago something was.
    private const long IdleTolerance = 60_000;

    private int _lastMs;

    private void StreamAdd()
    {
        Add("XADD", _source.StreamKey());
        if (_source.Below(10) == 0)
        {
            Add("NOMKSTREAM");
        }

        if (_source.Below(8) == 0)
        {
            TrimWords();
        }

        _lastMs += _source.Below(3);
        Add(_source.Below(20) switch
        {
            < 13 => Invariant($"{_lastMs}-*"),
            < 19 => Invariant($"{_lastMs}-{_source.Below(4)}"),
            _ => _source.Word("0-0", "x", "", "1-x", "18446744073709551615-18446744073709551616", "-", "1-1-1"),
        });
        for (int fields = _source.Below(8) == 0 ? _source.Below(5) : 1; fields >= 0; fields--)
        {
            Add(fields < 2 ? _source.Word("f", "g") : _source.Member());
            Add(_source.Value());
        }

        if (_source.Below(30) == 0)
        {
            _arguments.RemoveAt(_arguments.Count - 1);
        }
    }

    private void StreamChange()
    {
        switch (_source.Below(7))
        {
            case 0 or 1:
                Add("XTRIM", _source.StreamKey());
                TrimWords();
                break;
            case 2 or 3:
                Add("XDEL", _source.StreamKey());
                Ids(3);
                break;
            case 4:
                Add("XSETID", _source.StreamKey(), Invariant($"{++_lastMs}-9"));
                Words("", "", "ENTRIESADDED 2000 MAXDELETEDID 3-3", "ENTRIESADDED 2000 MAXDELETEDID 0-0", "ENTRIESADDED 0", "ENTRIESADDED x", "MAXDELETEDID 3-3", "FOO");
                break;
            default: StreamLimits(); break;
        }
    }

    private void TrimWords()
    {
        if (_source.Below(2) == 0)
        {
            Add("MINID", Bytes("~"), StreamId());
        }
        else
        {
            Add("MAXLEN");
            Words("", "~", "~", "=");
            Add(_source.Below(8) == 0 ? _source.Integer() : _source.Word("5", "20", "50", "100", "150"));
        }

        Words("", "", "", "", "", "LIMIT 1", "LIMIT 50", "LIMIT x");
    }

    private void StreamRead()
    {
        switch (_source.Below(6))
        {
            case 0 or 1:
                Add(_source.Word("XRANGE", "XREVRANGE"));
                Add(_source.StreamKey());
                Add(StreamEnd());
                Add(StreamEnd());
                Words("", "COUNT 1", "COUNT 5", "COUNT 0", "COUNT -1", "COUNT x", "FOO");
                break;
            case 2:
                Add("XREAD");
                Words("", "", "", "", "COUNT 2", "COUNT 2", "COUNT 0", "COUNT x", "BLOCK -1", "NOACK", "FOO");
                Sources("$", "0", "0-1", "0", "5", ">");
                break;
            case 3:
                Add("XLEN", _source.StreamKey());
                break;
            default:
                Add("XINFO");
                Words("STREAM", "STREAM", "GROUPS");
                Add(_source.StreamKey());
                if (_arguments[1].AsSpan().SequenceEqual("STREAM"u8))
                {
                    Words("", "FULL", "FULL COUNT 3", "FULL COUNT 0", "FULL COUNT x", "FULL COUNT");
                    CompareTimes(); // And the nodes of the tree.
                }

                break;
        }
    }

    private void StreamGroups()
    {
        switch (_source.Below(9))
        {
            case < 4:
                Add("XGROUP", Bytes("CREATE"), _source.StreamKey(), GroupName(), _source.Word("$", "0", "5-1"));
                Words("MKSTREAM", "MKSTREAM", "MKSTREAM", "", "MKSTREAM", "ENTRIESREAD 2", "ENTRIESREAD x", "MKSTREAM ENTRIESREAD 3", "FOO");
                break;
            case 4:
                Add("XGROUP", Bytes("SETID"), _source.StreamKey(), GroupName(), _source.Below(2) == 0 ? Bytes("$") : StreamId());
                Words("", "", "ENTRIESREAD 2", "ENTRIESREAD -1", "ENTRIESREAD -2", "FOO");
                break;
            case 5: Add("XGROUP", Bytes("CREATECONSUMER"), _source.StreamKey(), GroupName(), Consumer()); break;
            case 6: Add("XGROUP", Bytes("DELCONSUMER"), _source.StreamKey(), GroupName(), Consumer()); break;
            case 7 when _source.Below(6) == 0: Add("XGROUP", Bytes("DESTROY"), _source.StreamKey(), GroupName()); break;
            default:
                Add("XINFO", Bytes("CONSUMERS"), _source.StreamKey(), GroupName());
                CompareTimes();
                break;
        }
    }

    private void StreamDelivery()
    {
        switch (_source.Below(6))
        {
            case < 4:
                Add("XREADGROUP", Bytes("GROUP"), GroupName(), Consumer());
                Words("COUNT 1", "COUNT 3", "COUNT 10", "COUNT 3", "COUNT 5", "", "NOACK", "COUNT 2 NOACK", "COUNT", "FOO");
                Sources(">", ">", ">", ">", ">", ">", "$", "0");
                break;
            default:
                Add("XACK", _source.StreamKey(), GroupName());
                Ids(4);
                break;
        }
    }

    private void StreamPending()
    {
        switch (_source.Below(4))
        {
            case 0:
                Add("XPENDING", _source.StreamKey(), GroupName());
                if (_source.Below(3) > 0)
                {
                    Words("", "", "IDLE 0", "IDLE 100000000", "IDLE x");
                    Add(StreamEnd());
                    Add(StreamEnd());
                    Words("5", "100", "0", "x", "10 c1", "10 c2");
                    CompareTimes();
                }

                break;
            case 1:
                Add("XAUTOCLAIM", _source.StreamKey(), GroupName(), Consumer(), _source.Word("0", "0", "0", "100000000", "x", "-1"), StreamEnd());
                Words("", "", "COUNT 1", "COUNT 3", "COUNT 3", "JUSTID", "JUSTID COUNT 2", "COUNT 0", "COUNT x", "FOO", "COUNT");
                break;
            default:
                Add("XCLAIM", _source.StreamKey(), GroupName(), Consumer(), _source.Word("0", "0", "0", "0", "0", "0", "100000000", "-5", "x"));
                Ids(5);
                for (int i = _source.Below(3); i > 0; i--)
                {
                    Words(
                        "IDLE 0", "IDLE 1000000", "TIME 5000", "RETRYCOUNT 7", "RETRYCOUNT 2", "FORCE", "FORCE", "FORCE", "JUSTID", "JUSTID",
                        "LASTID 3-1", "LASTID 50-1", "IDLE x", "RETRYCOUNT -1", "FOO");
                }

                break;
        }
    }

    // Nodes of entries change their sizes while streams live, but are never smaller than an entry: then the reference may end
    // with a failed assertion.
    private void StreamLimits()
    {
        Add("CONFIG", Bytes("SET"));
        Words(
            "stream-node-max-entries 0", "stream-node-max-entries 1", "stream-node-max-entries 3", "stream-node-max-entries 100",
            "stream-node-max-bytes 0", "stream-node-max-bytes 40000");
    }

    private void Sources(params string[] ids)
    {
        Add("STREAMS");
        int count = 1 + (_source.Below(4) == 0 ? 1 : 0);
        for (int i = 0; i < count; i++)
        {
            Add(_source.StreamKey());
        }

        for (int i = _source.Below(40) == 0 ? 1 : 0; i < count; i++)
        {
            Add(_source.Below(8) == 0 ? StreamId() : _source.Word(ids));
        }
    }

    private void Ids(int most)
    {
        for (int i = _source.Below(most); i >= 0; i--)
        {
            Add(StreamId());
        }
    }

    private byte[] StreamId() => _source.Below(20) switch
    {
        < 5 => Invariant($"{_source.Below(_lastMs + 1)}-{_source.Below(3)}"),
        < 18 => Invariant($"{Math.Max(_lastMs - _source.Below(30), 0)}-{_source.Below(3)}"),
        _ => _source.Word("0", "0-0", "x", "", "1-", "18446744073709551615", "18446744073709551616", "005", "$", ">", "-", "+"),
    };

    private byte[] StreamEnd() => _source.Below(5) switch
    {
        0 or 1 => _source.Word("-", "+"),
        2 => [(byte)'(', .. StreamId()],
        _ => StreamId(),
    };

    private byte[] GroupName() => _source.Word("g1", "g1", "g1", "g1", "g1", "g1", "g1", "g2", "g2", "g2", "none", "");

    private byte[] Consumer() => _source.Word("c1", "c2", "c3", "");

    // Words of one of several lines.
    private void Words(params string[] lines)
    {
        string line = lines[_source.Below(lines.Length)];
        foreach (string word in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            Add(word);
        }
    }

    private void CompareTimes()
    {
        _comparison = ReplyComparison.Approximate;
        _tolerance = IdleTolerance;
    }

    private static byte[] Invariant(FormattableString text) => Bytes(text.ToString(CultureInfo.InvariantCulture));
}
