namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on strings, their bits among them, and on HyperLogLogs.</content>
public sealed partial class CommandStream
{
    private void Set() => Add("SET", _source.Key(), _source.Value());

    private void SetWithOptions()
    {
        Add("SET", _source.Key(), _source.Value());
        for (int i = _source.Below(3); i >= 0; i--)
        {
            switch (_source.Below(6))
            {
                case 0: Add("EX"); Add(_source.Word("1000000", "0", "-1", "abc", "9223372036854775807")); break;
                case 1: Add("PXAT"); Add(FarFuture()); break;
                case 2: Add("EXAT"); Add(_source.Word("33177117420", "1", "0", "-5")); break;
                default: Add(_source.Word("NX", "XX", "GET", "KEEPTTL", "nx", "get", "FOO")); break;
            }
        }
    }

    private void Strings()
    {
        switch (_source.Below(9))
        {
            case 0: Add("GETSET", _source.Key(), _source.Value()); break;
            case 1: Add("GETDEL", _source.Key()); break;
            case 2: Add("SETNX", _source.Key(), _source.Value()); break;
            case 3: Add("APPEND", _source.Key(), _source.Value()); break;
            case 4: Add("STRLEN", _source.Key()); break;
            case 5: Add("SETEX", _source.Key(), _source.Word("1000000", "0", "-1", "x"), _source.Value()); break;
            case 6: Add("PSETEX", _source.Key(), _source.Word("100000000", "0", "1.5"), _source.Value()); break;
            default: Add("GET", _source.Key()); break;
        }
    }

    private void Counters()
    {
        switch (_source.Below(6))
        {
            case 0: Add("INCR", _source.Key()); break;
            case 1: Add("DECR", _source.Key()); break;
            case 2: Add("INCRBYFLOAT", _source.Key(), _source.Float()); break;
            case 3: Add("DECRBY", _source.Key(), _source.Integer()); break;
            default: Add("INCRBY", _source.Key(), _source.Integer()); break;
        }
    }

    private void Ranges()
    {
        if (_source.Below(3) == 0)
        {
            Add("SETRANGE", _source.Key(), _source.Offset(), _source.Value());
        }
        else
        {
            Add(_source.Below(4) == 0 ? "SUBSTR" : "GETRANGE", _source.Key(), _source.Index(), _source.Index());
        }
    }

    private void Multiple()
    {
        string name = _source.Below(3) switch { 0 => "MSET", 1 => "MSETNX", _ => "MGET" };
        Add(name);
        for (int i = _source.Below(4); i >= 0; i--)
        {
            Add(_source.Key());
            if (name != "MGET" && _source.Below(30) != 0)
            {
                Add(_source.Value());
            }
        }
    }

    private void GetEx()
    {
        Add("GETEX", _source.Key());
        switch (_source.Below(5))
        {
            case 0: Add("PERSIST"); break;
            case 1: Add("PXAT"); Add(FarFuture()); break;
            case 2: Add("EXAT"); Add(_source.Word("1", "33177117420", "0")); break;
            case 3: Add(_source.Word("EX", "FOO", "KEEPTTL")); break;
            default: break;
        }
    }

    private void Lcs()
    {
        // Keys of its own: values of 30 KB against each other would need a table of 4 GB.
        if (_source.Below(2) == 0)
        {
            Add("SET", _source.Word("lcs1", "lcs2"), _source.Similar());
            return;
        }

        Add("LCS", _source.Word("lcs1", "lcs2", "none"), _source.Word("lcs1", "lcs2"));
        AddSome("LEN", "IDX", "WITHMATCHLEN", "FOO");
    }

    private void Bits()
    {
        if (_source.Below(2) == 0)
        {
            Add("SETBIT", _source.Key(), _source.Offset(), _source.Word("0", "1", "1", "2", "x"));
        }
        else
        {
            Add("GETBIT", _source.Key(), _source.Offset());
        }
    }

    private void BitRanges()
    {
        if (_source.Below(2) == 0)
        {
            Add("BITCOUNT", _source.Key());
        }
        else
        {
            Add("BITPOS", _source.Key(), _source.Word("0", "1", "1", "2"));
        }

        for (int i = _source.Below(3); i > 0; i--)
        {
            Add(_source.Index());
        }

        AddSome("BIT", "BYTE");
    }

    private void BitOp()
    {
        Add("BITOP", _source.Word("AND", "OR", "XOR", "NOT", "and", "FOO"), _source.Key());
        AddKeys(3);
    }

    private void BitField()
    {
        Add(_source.Below(5) == 0 ? "BITFIELD_RO" : "BITFIELD", _source.Key());
        for (int i = _source.Below(4); i > 0; i--)
        {
            switch (_source.Below(4))
            {
                case 0: Add("OVERFLOW"); Add(_source.Word("WRAP", "SAT", "FAIL", "fail")); break;
                case 1: Add("GET"); AddField(); break;
                case 2: Add("SET"); AddField(); Add(_source.Integer()); break;
                default: Add("INCRBY"); AddField(); Add(_source.Integer()); break;
            }
        }
    }

    private void AddField()
    {
        Add(_source.Word("u1", "u2", "u8", "i8", "i5", "u16", "i32", "u63", "i64", "u64", "i1", "x8", "i65"));
        Add(_source.Below(3) == 0 ? _source.Word("#0", "#1", "#7", "#x", "#-1") : _source.Offset());
    }

    private void Sketches()
    {
        // Keys of their own: others would be damaged by SETBIT and the like (DIFFERENCES.md, hyperloglog-corrupt).
        byte[] sketch = _source.Word("p1", "p2", "p3");
        switch (_source.Below(7))
        {
            case 0: Add("PFCOUNT", sketch); AddSketches(); break;
            case 1: Add("PFMERGE", sketch); AddSketches(); break;
            case 2: Add("PFDEBUG", _source.Word("DECODE", "ENCODING", "TODENSE", "FOO"), sketch); break;
            case 3: Add("GET", sketch); break;
            case 4: Add("DEL", sketch); break;
            default:
                Add("PFADD", sketch);
                for (int i = _source.Below(5); i > 0; i--)
                {
                    Add(_source.Member());
                }

                break;
        }

        void AddSketches()
        {
            for (int i = _source.Below(3); i > 0; i--)
            {
                Add(_source.Below(8) == 0 ? _source.Key() : _source.Word("p1", "p2", "p3", "none"));
            }
        }
    }
}
