using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on keys of any type, and on databases.</content>
public sealed partial class CommandStream
{
    private void Keys()
    {
        Add(_source.Word("DEL", "UNLINK", "EXISTS", "TOUCH", "TYPE", "EXISTS", "PERSIST"));
        Add(AnyKey());
        if (_source.Below(3) == 0)
        {
            AddKeys(2);
        }
    }

    private void Rename() => Add(_source.Below(2) == 0 ? "RENAME" : "RENAMENX", AnyKey(), AnyKey());

    private void Copy()
    {
        if (_source.Below(3) == 0)
        {
            Add("MOVE", AnyKey(), _source.Word("0", "1", "1", "99", "x"));
            return;
        }

        Add("COPY", AnyKey(), AnyKey());
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
        Add(milliseconds ? "PEXPIREAT" : "EXPIREAT", AnyKey());
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
            Add(_source.Word("string", "set", "hash", "zset", "list", "stream", "foo"));
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
            default: Add("OBJECT"); Add("ENCODING"); Add(AnyKey()); break;
        }
    }

    // Streams have names of their own, so that most commands on them find one; here they take part.
    private byte[] AnyKey() => _source.Below(12) == 0 ? _source.StreamKey() : _source.Key();

    private void Databases()
    {
        switch (_source.Below(12))
        {
            case 0: Add("FLUSHDB"); break;
            case 1: Add("SWAPDB"); Add("0"); Add("1"); break;
            default: Add("SELECT"); Add(_source.Word("0", "0", "0", "1")); break;
        }
    }
}
