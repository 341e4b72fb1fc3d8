using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on sorted sets.</content>
public sealed partial class CommandStream
{
    // Ranges of members mean something only while all scores are the same, so they have a key of their own.
    private const string LexKey = "lex";

    private void SortedAdd()
    {
        if (_source.Below(5) == 0)
        {
            Add("ZINCRBY", _source.Key(), _source.Float(), _source.Member());
            return;
        }

        Add("ZADD", _source.Key());
        if (_source.Below(3) == 0)
        {
            AddSome("NX", "XX", "GT", "LT", "CH", "INCR", "nx", "ch", "FOO");
        }

        for (int i = _source.Below(8) == 0 ? 30 : _source.Below(4); i >= 0; i--)
        {
            Add(_source.Below(3) == 0 ? _source.Float() : _source.Word("1", "2", "3", "-4", "5.5", "1000"));
            Add(_source.Member());
        }
    }

    private void SortedMember()
    {
        Add(_source.Word("ZSCORE", "ZMSCORE", "ZRANK", "ZREVRANK", "ZREM", "ZREM", "ZCARD"));
        Add(_source.Key());
        if (!_arguments[0].AsSpan().SequenceEqual("ZCARD"u8))
        {
            Add(_source.Member());
        }

        if (_arguments[0].AsSpan().SequenceEqual("ZREM"u8) || _arguments[0].AsSpan().SequenceEqual("ZMSCORE"u8))
        {
            Add(_source.Member());
        }
    }

    private void SortedRange()
    {
        switch (_source.Below(8))
        {
            case 0:
                Add("ZRANGE", _source.Key(), _source.Index(), _source.Index());
                AddRangeOptions("REV", "WITHSCORES");
                break;
            case 1:
                Add("ZRANGE", _source.Key(), ScoreEnd(), ScoreEnd());
                Add("BYSCORE");
                AddRangeOptions("REV", "WITHSCORES", "LIMIT");
                break;
            case 2:
                Add(_source.Below(2) == 0 ? "ZRANGEBYSCORE" : "ZREVRANGEBYSCORE", _source.Key(), ScoreEnd(), ScoreEnd());
                AddRangeOptions("WITHSCORES", "LIMIT");
                break;
            case 3:
                Add("ZREVRANGE", _source.Key(), _source.Index(), _source.Index());
                AddRangeOptions("WITHSCORES");
                break;
            case 4:
                Add("ZCOUNT", _source.Key(), ScoreEnd(), ScoreEnd());
                break;
            case 5:
                Add("ZRANGESTORE", _source.Key(), _source.Key(), _source.Index(), _source.Index());
                AddRangeOptions("REV");
                break;
            case 6:
                Add("ZREMRANGEBYRANK", _source.Key(), _source.Index(), _source.Word("0", "3", "-30", "x"));
                break;
            default:
                Add("ZREMRANGEBYSCORE", _source.Key(), _source.Word("1", "(1", "1000", "-inf"), ScoreEnd());
                break;
        }
    }

    private void SortedLex()
    {
        switch (_source.Below(7))
        {
            case 0 or 1:
                Add("ZADD", Bytes(LexKey));
                for (int i = _source.Below(10); i >= 0; i--)
                {
                    Add("0", _source.Member());
                }

                break;
            case 2:
                Add("ZRANGE", Bytes(LexKey), LexEnd(), LexEnd());
                Add("BYLEX");
                AddRangeOptions("REV", "LIMIT");
                break;
            case 3:
                Add(_source.Below(2) == 0 ? "ZRANGEBYLEX" : "ZREVRANGEBYLEX", Bytes(LexKey), LexEnd(), LexEnd());
                AddRangeOptions("LIMIT");
                break;
            case 4:
                Add("ZREMRANGEBYLEX", Bytes(LexKey), LexEnd(), LexEnd());
                break;
            default:
                Add("ZLEXCOUNT", Bytes(LexKey), LexEnd(), LexEnd());
                break;
        }
    }

    private void SortedPop()
    {
        if (_source.Below(4) == 0)
        {
            Add("ZMPOP", _source.Word("1", "2", "2", "0", "x"), _source.Key(), _source.Key());
            Add(_source.Word("MIN", "MAX", "max", "FOO"));
            if (_source.Below(2) == 0)
            {
                Add("COUNT", _source.Word("1", "2", "100", "0", "-1", "x"));
            }

            return;
        }

        Add(_source.Below(2) == 0 ? "ZPOPMIN" : "ZPOPMAX", _source.Key());
        if (_source.Below(2) == 0)
        {
            Add(_source.Word("0", "1", "2", "3", "-1", "x"));
        }
    }

    /// <summary>Pops that can wait, with a wait too short to matter: whether there is a member is known.</summary>
    private void SortedBlockingPop()
    {
        if (_source.Below(3) == 0)
        {
            Add("BZMPOP", _source.Word("0.001", "0.001", "0.001", "-1", "x"), _source.Word("1", "2", "2", "0", "x"));
            Add(_source.Key());
            Add(_source.Key());
            Add(_source.Word("MIN", "MAX", "min", "FOO"));
            if (_source.Below(2) == 0)
            {
                Add("COUNT", _source.Word("1", "2", "100", "0", "x"));
            }

            return;
        }

        Add(_source.Word("BZPOPMIN", "BZPOPMAX"));
        AddKeys(3);
        Add(_source.Word("0.001", "0.001", "0.001", "-1", "x", "inf"));
    }

    private void SortedAlgebra()
    {
        if (_source.Below(2) == 0)
        {
            Add(_source.Word("ZUNION", "ZINTER", "ZDIFF", "ZINTERCARD"));
        }
        else
        {
            Add(_source.Word("ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"));
            Add(_source.Key());
        }

        int count = _source.Below(3) + 1;
        Add(_source.Below(20) == 0 ? _source.Word("0", "-1", "x", "9") : Bytes("" + (char)('0' + count)));
        for (int i = 0; i < count; i++)
        {
            Add(_source.Key());
        }

        if (_source.Below(3) == 0)
        {
            Add("WEIGHTS");
            for (int i = _source.Below(10) == 0 ? 1 : 0; i < count; i++)
            {
                Add(_source.Word("1", "2", "-1", "0.5", "0", "inf", "-inf", "1e3", _source.Below(10) == 0 ? "x" : "3"));
            }
        }

        if (_source.Below(3) == 0)
        {
            Add("AGGREGATE", _source.Word("SUM", "MIN", "MAX", "min", "AVG"));
        }

        AddSome("WITHSCORES", "LIMIT");
    }

    private void SortedScan()
    {
        Add("ZSCAN", _source.Key(), Bytes("0"));
        Add("COUNT", _source.Word("100000", "100000", "0", "x"));
        if (_source.Below(2) == 0)
        {
            Add("MATCH", _source.Pattern());
        }

        _comparison = ReplyComparison.Unordered;
    }

    private void SortedRandom()
    {
        _comparison = ReplyComparison.Unordered;
        switch (_source.Below(3))
        {
            case 0: Add("ZRANDMEMBER", _source.Key(), Bytes("1000000"), Bytes("WITHSCORES")); break;
            case 1: Add("ZRANDMEMBER", _source.Key(), _source.Word("-7", "3", "0", "x")); Shape(); break;
            default: Add("ZRANDMEMBER", _source.Key()); Shape(); break;
        }

        void Shape() => _comparison = ReplyComparison.Shape;
    }

    private byte[] ScoreEnd()
    {
        byte[] score = _source.Below(3) == 0 ? _source.Float() : _source.Word("-inf", "+inf", "0", "1", "3", "5.5", "");
        return _source.Below(3) == 0 ? [(byte)'(', .. score] : score;
    }

    private byte[] LexEnd() => _source.Below(4) switch
    {
        0 => _source.Word("-", "+", "x", "", "[", "("),
        1 => [(byte)'(', .. _source.Member()],
        _ => [(byte)'[', .. _source.Member()],
    };

    private void AddRangeOptions(params string[] words)
    {
        foreach (string word in words)
        {
            if (_source.Below(3) == 0)
            {
                Add(word);
                if (word == "LIMIT")
                {
                    Add(_source.Word("0", "1", "5", "-1", "x"));
                    Add(_source.Word("0", "1", "10", "-1", "-5"));
                }
            }
        }
    }
}
