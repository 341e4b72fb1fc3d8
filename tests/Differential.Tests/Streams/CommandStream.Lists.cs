namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on lists.</content>
public sealed partial class CommandStream
{
    private void Push()
    {
        Add(_source.Word("LPUSH", "RPUSH", "LPUSH", "RPUSH", "LPUSHX", "RPUSHX"));
        Add(_source.ListKey());
        for (int i = _source.Below(12); i >= 0; i--)
        {
            Add(_source.Below(6) == 0 ? _source.Value() : _source.Member());
        }
    }

    private void Pop()
    {
        if (_source.Below(4) == 0)
        {
            Add("LMPOP", _source.Word("1", "2", "2", "0", "x"), _source.ListKey(), _source.ListKey());
            Add(_source.Word("LEFT", "RIGHT", "left", "UP"));
            AddSome("COUNT", "3", "1", "-1", "x");
            return;
        }

        Add(_source.Word("LPOP", "RPOP"));
        Add(_source.ListKey());
        if (_source.Below(3) == 0)
        {
            Add(_source.Word("0", "1", "2", "5", "5", "1000000", "-1", "x", "9223372036854775808"));
        }
    }

    private void ListRanges()
    {
        string name = _source.Below(8) == 0 ? "LTRIM" : "LRANGE";
        Add(name, _source.ListKey());
        if (name == "LTRIM" && _source.Below(4) != 0)
        {
            // Mostly little, or no list would ever become long.
            Add(_source.Word("0", "1", "3"));
            Add(_source.Word("-1", "-2", "-5"));
            return;
        }

        Add(_source.Index());
        Add(_source.Index());
    }

    private void ListPlaces()
    {
        switch (_source.Below(5))
        {
            case 0: Add("LINDEX", _source.ListKey(), _source.Index()); break;
            case 1: Add("LSET", _source.ListKey(), _source.Index(), _source.Value()); break;
            case 2: Add("LREM", _source.ListKey(), _source.Word("0", "1", "-1", "2", "-2", "x"), _source.Member()); break;
            case 3: Add("LLEN", _source.ListKey()); break;
            default:
                Add("LINSERT", _source.ListKey(), _source.Word("BEFORE", "AFTER", "before", "FOO"), _source.Member(), _source.Member());
                break;
        }
    }

    private void ListSearch()
    {
        Add("LPOS", _source.ListKey(), _source.Member());
        for (int i = _source.Below(3); i > 0; i--)
        {
            Add(_source.Word("RANK", "COUNT", "MAXLEN", "FOO"));
            Add(_source.Word("0", "1", "-1", "2", "-2", "10", "x", "-9223372036854775808", "9223372036854775807"));
        }
    }

    private void ListMove()
    {
        if (_source.Below(2) == 0)
        {
            Add("RPOPLPUSH", _source.ListKey(), _source.ListKey());
            return;
        }

        Add("LMOVE", _source.ListKey(), _source.ListKey());
        Add(_source.Word("LEFT", "RIGHT", "left"));
        Add(_source.Word("LEFT", "RIGHT", "UP"));
    }

    // Lists change their nodes' sizes, and compress them, while they live.
    private void ListLimits()
    {
        Add("CONFIG", Bytes("SET"));
        switch (_source.Below(2))
        {
            case 0: Add("list-max-listpack-size"); Add(_source.Word("-2", "-1", "4", "16", "128", "0", "x")); break;
            default: Add("list-compress-depth"); Add(_source.Word("0", "1", "2", "-1")); break;
        }
    }
}
