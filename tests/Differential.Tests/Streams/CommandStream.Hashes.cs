using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on hashes.</content>
public sealed partial class CommandStream
{
    private void HashSet()
    {
        Add(_source.Below(5) == 0 ? "HMSET" : "HSET", _source.HashKey());
        for (int i = _source.Below(10) == 0 ? 60 : _source.Below(5); i >= 0; i--)
        {
            Add(_source.Member());
            if (_source.Below(60) != 0)
            {
                Add(_source.Value());
            }
        }
    }

    private void HashRead()
    {
        switch (_source.Below(6))
        {
            case 0: Add("HGET", _source.HashKey(), _source.Member()); break;
            case 1: Add("HMGET", _source.HashKey(), _source.Member(), _source.Member(), _source.Member()); break;
            case 2: Add("HEXISTS", _source.HashKey(), _source.Member()); break;
            case 3: Add("HSTRLEN", _source.HashKey(), _source.Member()); break;
            case 4: Add("HLEN", _source.HashKey()); break;
            default: Add("OBJECT", Bytes("ENCODING"), _source.HashKey()); break;
        }
    }

    private void HashChange()
    {
        switch (_source.Below(5))
        {
            case 0: Add("HSETNX", _source.HashKey(), _source.Member(), _source.Value()); break;
            case 1: Add("HINCRBYFLOAT", _source.HashKey(), _source.Member(), _source.Float()); break;
            case 2: Add("HINCRBY", _source.HashKey(), _source.Member(), _source.Integer()); break;
            default: Add("HDEL", _source.HashKey(), _source.Member(), _source.Member(), _source.Member()); break;
        }
    }

    private void HashWalk()
    {
        _comparison = ReplyComparison.Unordered;
        if (_source.Below(2) == 0)
        {
            Add(_source.Word("HGETALL", "HKEYS", "HVALS"));
            Add(_source.HashKey());
            return;
        }

        Add("HSCAN", _source.HashKey(), Bytes("0"));
        Add("COUNT");
        Add(_source.Word("100000", "100000", "0", "x"));
        if (_source.Below(2) == 0)
        {
            Add("MATCH");
            Add(_source.Pattern());
        }
    }

    private void HashRandom()
    {
        Add("HRANDFIELD", _source.HashKey());
        _comparison = ReplyComparison.Shape;
        switch (_source.Below(4))
        {
            case 0: Add("1000000"); Add("WITHVALUES"); _comparison = ReplyComparison.Unordered; break;
            case 1: Add(_source.Word("-7", "3", "0", "x")); break;
            case 2: Add(_source.Word("-7", "3", "0")); Add(_source.Word("WITHVALUES", "withvalues", "FOO")); break;
            default: break;
        }
    }
}
