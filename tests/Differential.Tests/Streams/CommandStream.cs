using System.Text;
using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <summary>Draws commands on strings, bitmaps, sets, sorted sets, hashes, lists and keys from a seed; the same seed gives
/// the same stream.</summary>
/// <remarks>
/// Commands whose effect is a matter of chance (SPOP of some members) or of the time (short times to live) are left
/// out or drawn in a form whose effect is certain, so that both servers hold the same data throughout.
/// </remarks>
public sealed partial class CommandStream
{
    private const long FarFutureMs = 33_177_117_420_000;

    private readonly ArgumentSource _source;
    private readonly List<Action> _shapes;
    private readonly List<byte[]> _arguments = [];
    private ReplyComparison _comparison;
    private long _tolerance;

    /// <summary>Starts a stream.</summary>
    public CommandStream(int seed)
    {
        _source = new ArgumentSource(new Random(seed));
        _shapes =
        [
            Set, Set, SetWithOptions, SetWithOptions, Strings, Strings, Counters, Counters, Ranges, Multiple, GetEx, Lcs,
            Bits, Bits, BitRanges, BitOp, BitField, Sketches, Sets, Sets, Sets, MoveMember, Algebra, Algebra, AlgebraStore,
            SetCard, SetScan, SetRandom, HashSet, HashSet, HashSet, HashRead, HashRead, HashChange, HashChange, HashWalk,
            HashRandom, Keys, Keys, Rename, Copy, Expire, Expire, Ttl, Scan, Inspect, Databases, Broken,
            Push, Push, Push, Pop, Pop, ListRanges, ListRanges, ListPlaces, ListPlaces, ListSearch, ListMove, ListLimits,
            SortedAdd, SortedAdd, SortedAdd, SortedMember, SortedMember, SortedRange, SortedRange, SortedLex, SortedPop,
            SortedBlockingPop, SortedAlgebra, SortedScan, SortedRandom, Sort, Sort, SortedSource,
            GeoAdd, GeoAdd, GeoRead, GeoRadius, GeoSearch,
        ];
    }

    /// <summary>Draws the next command.</summary>
    public StreamCommand Next()
    {
        _arguments.Clear();
        _comparison = ReplyComparison.Exact;
        _tolerance = 0;
        _shapes[_source.Below(_shapes.Count)]();
        return new StreamCommand([.. _arguments], _comparison, _tolerance);
    }

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

    private void Keys()
    {
        Add(_source.Word("DEL", "UNLINK", "EXISTS", "TOUCH", "TYPE", "EXISTS", "PERSIST"));
        Add(_source.Key());
        if (_source.Below(3) == 0)
        {
            AddKeys(2);
        }
    }

    private void Rename() => Add(_source.Below(2) == 0 ? "RENAME" : "RENAMENX", _source.Key(), _source.Key());

    private void Copy()
    {
        if (_source.Below(3) == 0)
        {
            Add("MOVE", _source.Key(), _source.Word("0", "1", "1", "99", "x"));
            return;
        }

        Add("COPY", _source.Key(), _source.Key());
        if (_source.Below(3) == 0)
        {
            Add("DB");
            Add(_source.Word("0", "1", "99", "-1", "x"));
        }

        AddSome("REPLACE", "REPLACE", "FOO");
    }

    private void Expire()
    {
        bool milliseconds = _source.Below(2) == 0;
        Add(milliseconds ? "PEXPIREAT" : "EXPIREAT", _source.Key());
        Add(_source.Below(8) == 0
            ? _source.Word("0", "-1", "1", "abc", "9223372036854775807", "")
            : milliseconds ? FarFuture() : _source.Word("33177117420", "33177117421", "33177117400"));
        AddSome("NX", "XX", "GT", "LT", "gt", "FOO");
    }

    private void Ttl()
    {
        switch (_source.Below(4))
        {
            case 0: Add("EXPIRETIME", _source.Key()); Approximate(30); break;
            case 1: Add("PEXPIRETIME", _source.Key()); Approximate(30_000); break;
            case 2: Add("TTL", _source.Key()); Approximate(30); break;
            default: Add("PTTL", _source.Key()); Approximate(30_000); break;
        }

        void Approximate(long tolerance)
        {
            _comparison = ReplyComparison.Approximate;
            _tolerance = tolerance;
        }
    }

    private void Scan()
    {
        _comparison = ReplyComparison.Unordered;
        if (_source.Below(2) == 0)
        {
            Add("KEYS", _source.Pattern());
            return;
        }

        Add("SCAN");
        Add("0");
        Add("COUNT");
        Add("100000");
        if (_source.Below(2) == 0)
        {
            Add("TYPE");
            Add(_source.Word("string", "set", "hash", "zset", "list", "foo"));
        }

        if (_source.Below(2) == 0)
        {
            Add("MATCH");
            Add(_source.Pattern());
        }
    }

    private void Inspect()
    {
        // Neither DBSIZE nor DEBUG DIGEST-VALUE: both see keys whose time has come until somebody meets them, and each
        // server does that in its own time.
        switch (_source.Below(3))
        {
            case 0: Add("EXISTS"); Add(_source.Key()); Add(_source.Key()); break;
            case 1: Add("RANDOMKEY"); _comparison = ReplyComparison.Shape; break;
            default: Add("OBJECT"); Add("ENCODING"); Add(_source.Key()); break;
        }
    }

    private void Databases()
    {
        switch (_source.Below(12))
        {
            case 0: Add("FLUSHDB"); break;
            case 1: Add("SWAPDB"); Add("0"); Add("1"); break;
            default: Add("SELECT"); Add(_source.Word("0", "0", "0", "1")); break;
        }
    }

    /// <summary>A command with arguments missing, too many, or of a name nobody knows.</summary>
    private void Broken()
    {
        Add(_source.Word(
            "GET", "SET", "SADD", "INCR", "HSET", "HGET", "HINCRBY", "LPUSH", "LMOVE", "LPOS", "ZADD", "ZRANGE", "ZUNION",
            "ZMPOP", "BZMPOP", "GEOADD", "GEORADIUS", "GEOSEARCH", "NOSUCH", "EXPIRE", "BITOP", "SINTER", "getx", "OBJECT", "LCS"));
        for (int i = _source.Below(4); i > 0; i--)
        {
            Add(_source.Member());
        }

        if (_arguments[0].AsSpan().SequenceEqual("SINTER"u8))
        {
            _comparison = ReplyComparison.Unordered;
        }
    }

    private void AddKeys(int most)
    {
        for (int i = _source.Below(most); i >= 0; i--)
        {
            Add(_source.Key());
        }
    }

    private void AddSome(params string[] words)
    {
        for (int i = _source.Below(3); i > 0; i--)
        {
            Add(_source.Word(words));
        }
    }

    private byte[] FarFuture() =>
        Bytes((FarFutureMs + _source.Below(1000)).ToString(System.Globalization.CultureInfo.InvariantCulture));

    private void Add(string name, params byte[][] arguments)
    {
        Add(Bytes(name));
        foreach (byte[] argument in arguments)
        {
            Add(argument);
        }
    }

    private void Add(byte[] argument) => _arguments.Add(argument);

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
