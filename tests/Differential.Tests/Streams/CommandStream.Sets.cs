using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on sets.</content>
public sealed partial class CommandStream
{
    private void Sets()
    {
        string name = _source.Below(7) switch
        {
            < 3 => "SADD",
            3 => "SREM",
            4 => "SISMEMBER",
            5 => "SMISMEMBER",
            _ => "SMEMBERS",
        };
        Add(name, _source.Key());
        if (name == "SMEMBERS")
        {
            _comparison = ReplyComparison.Unordered;
            return;
        }

        Add(_source.Member());
        for (int i = name == "SISMEMBER" ? 0 : _source.Below(5); i > 0; i--)
        {
            Add(_source.Member());
        }
    }

    private void MoveMember() => Add("SMOVE", _source.Key(), _source.Key(), _source.Member());

    private void Algebra()
    {
        Add(_source.Word("SINTER", "SUNION", "SDIFF"));
        AddKeys(3);
        _comparison = ReplyComparison.Unordered;
    }

    private void AlgebraStore()
    {
        Add(_source.Word("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"));
        Add(_source.Key());
        AddKeys(3);
    }

    private void SetCard()
    {
        if (_source.Below(2) == 0)
        {
            Add("SCARD", _source.Key());
            return;
        }

        Add("SINTERCARD", _source.Word("1", "2", "2", "0", "x"), _source.Key());
        AddKeys(2);
        if (_source.Below(3) == 0)
        {
            Add("LIMIT");
            Add(_source.Word("0", "1", "3", "-1", "x"));
        }
    }

    private void SetScan()
    {
        Add("SSCAN", _source.Key(), Bytes("0"));
        Add("COUNT");
        Add(_source.Word("100000", "100000", "0", "x"));
        if (_source.Below(2) == 0)
        {
            Add("MATCH");
            Add(_source.Pattern());
        }

        _comparison = ReplyComparison.Unordered;
    }

    private void SetRandom()
    {
        _comparison = ReplyComparison.Unordered;
        switch (_source.Below(4))
        {
            case 0: Add("SPOP", _source.Key(), Bytes("1000000")); break;
            case 1: Add("SRANDMEMBER", _source.Key(), Bytes("1000000")); break;
            case 2: Add("SRANDMEMBER", _source.Key(), _source.Word("-7", "3", "0", "x")); Shape(); break;
            default: Add("SRANDMEMBER", _source.Key()); Shape(); break;
        }

        void Shape() => _comparison = ReplyComparison.Shape;
    }
}
