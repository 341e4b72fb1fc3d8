using System.Globalization;
using System.Text;

namespace KvServer.Differential.Tests.Streams;

/// <summary>Draws commands on streams and their consumer groups from a seed; the same seed gives the same commands.</summary>
/// <remarks>Ids are always given, never the time of the server, so that both servers hold the same streams throughout.
/// Idle times lie far apart: at once, or never.</remarks>
public sealed class StreamCommandStream(int seed)
{
    // Exact trimming by id where the last entries of a node have been deleted leaves a node without entries in the reference,
    // and none here: DIFFERENCES.md, stream-tree. So what one of these commands is drawn for the other is not.
    private const string TrimmedKey = "s3";

    private readonly ArgumentSource _source = new(new Random(seed));
    private readonly List<byte[]> _arguments = [];
    private int _lastMs;

    /// <summary>Draws the next command.</summary>
    public IReadOnlyList<byte[]> Next()
    {
        _arguments.Clear();
        switch (_source.Below(26))
        {
            case < 7: AddEntry(); break;
            case 7: Trim("XTRIM", Key()); break;
            case 8: Many("XDEL", 3); break;
            case 9 or 10: Range(); break;
            case 11: Read(); break;
            case 12 or 13 or 14: ReadGroup(); break;
            case 15 or 16: Groups(); break;
            case 17: Many("XACK", 4); break;
            case 18 or 19: Claim(); break;
            case 20: AutoClaim(); break;
            case 21: Pending(); break;
            case 22 or 23: Info(); break;
            case 24: State(); break;
            default: Limits(); break;
        }

        return [.. _arguments];
    }

    private void AddEntry()
    {
        string key = Key();
        Add("XADD", key);
        if (Chance(10))
        {
            Add("NOMKSTREAM");
        }

        if (Chance(3))
        {
            TrimOptions(key);
        }

        _lastMs += _source.Below(3);
        Add(_source.Below(10) switch
        {
            < 6 => Invariant($"{_lastMs}-*"),
            < 9 => Invariant($"{_lastMs}-{_source.Below(3)}"),
            _ => Id() is "*" ? "7" : Id().Replace("*", "7", StringComparison.Ordinal),
        });
        string names = Pick("f", "f", "f", "f g", "g f", "1 22", "f f", "");
        foreach (string name in names.Split(' '))
        {
            Add(name);
            Add(_source.Below(4) == 0 ? Encoding.Latin1.GetString(_source.Value()) : Pick("v", "1", "-5", "", new string('x', 90)));
        }

        if (Chance(30))
        {
            _arguments.RemoveAt(_arguments.Count - 1);
        }
    }

    private void Trim(string name, string key)
    {
        Add(name, key);
        TrimOptions(key);
        if (Chance(20))
        {
            Add("FOO");
        }
    }

    private void TrimOptions(string key)
    {
        string strategy = Pick("MAXLEN", "MINID", "maxlen");
        Add(strategy);
        if (strategy == "MINID" && key != TrimmedKey)
        {
            Add("~");
        }
        else if (!Chance(3))
        {
            Add(Pick("~", "~", "="));
        }

        Add(strategy == "MINID" && !Chance(10) ? Id()
            : Pick("0", "5", _source.Below(150).ToString(CultureInfo.InvariantCulture), Number()));
        if (Chance(3))
        {
            Add("LIMIT", Pick("0", "1", "5", "10", "50", "-1", "x", "200"));
        }

        if (Chance(40))
        {
            Add("MAXLEN", "3");
        }
    }

    private void Many(string name, int most)
    {
        string key = Key();
        Add(name, name == "XDEL" && key == TrimmedKey ? "s1" : key);
        if (name == "XACK")
        {
            Add(Group());
        }

        for (int i = _source.Below(most); i >= 0; i--)
        {
            Add(Id());
        }
    }

    private void Range()
    {
        Add(Pick("XRANGE", "XREVRANGE"), Key(), End(), End());
        if (Chance(2))
        {
            Add("COUNT", Number());
        }

        if (Chance(20))
        {
            Add(Pick("COUNT", "FOO"));
        }
    }

    private void Read()
    {
        Add("XREAD");
        Words(Pick("", "COUNT 2", "COUNT 0", "COUNT x", "BLOCK 1", "BLOCK -1", "NOACK", "GROUP g c", "FOO"));
        Streams(Id);
    }

    private void ReadGroup()
    {
        Add("XREADGROUP", "GROUP", Group(), Consumer());
        Words(Pick("COUNT 1", "COUNT 3", "COUNT 10", "", "NOACK", "COUNT 2 NOACK", "BLOCK 1", "COUNT", "FOO"));
        Streams(() => _source.Below(3) > 0 ? ">" : Id());
    }

    private void Streams(Func<string> id)
    {
        Add("STREAMS");
        int count = 1 + (Chance(4) ? 1 + _source.Below(2) : 0);
        for (int i = 0; i < count; i++)
        {
            Add(Key());
        }

        for (int i = Chance(40) ? 1 : 0; i < count; i++)
        {
            Add(id());
        }
    }

    private void Groups()
    {
        switch (_source.Below(8))
        {
            case < 3:
                Add("XGROUP", "CREATE", Key(), Pick("g1", "g2", Group()), Pick("$", "0", Id()));
                Words(Pick("", "", "MKSTREAM", "ENTRIESREAD 2", "ENTRIESREAD x", "MKSTREAM ENTRIESREAD 3", "FOO"));
                break;
            case 3:
                Add("XGROUP", "SETID", Key(), Group(), Pick("$", "0", Id()));
                Words(Pick("", "", "ENTRIESREAD 2", "ENTRIESREAD -1", "ENTRIESREAD -2", "FOO", "ENTRIESREAD 1 ENTRIESREAD 2"));
                break;
            case 4: Add("XGROUP", "CREATECONSUMER", Key(), Group(), Consumer()); break;
            case 5: Add("XGROUP", "DELCONSUMER", Key(), Group(), Consumer()); break;
            case 6 when Chance(4): Add("XGROUP", "DESTROY", Key(), Group()); break;
            default: Add("XGROUP", Pick("FOO", "CREATE", "SETID", "DESTROY"), Key()); break;
        }
    }

    private void Claim()
    {
        Add("XCLAIM", Key(), Group(), Consumer(), Pick("0", "0", "0", "100000", "-5", "x"));
        for (int i = _source.Below(5); i >= 0; i--)
        {
            Add(Id());
        }

        for (int i = _source.Below(4); i > 0; i--)
        {
            Words(Pick(
                "IDLE 0", "IDLE 1000000", "IDLE -5", "IDLE x", "TIME 5000", "TIME -7", "TIME x", "RETRYCOUNT 7", "RETRYCOUNT -1",
                "RETRYCOUNT x", "FORCE", "FORCE", "JUSTID", "FOO", "IDLE", "LASTID " + Id().Replace(" ", "", StringComparison.Ordinal)));
        }
    }

    private void AutoClaim()
    {
        Add("XAUTOCLAIM", Key(), Group(), Consumer(), Pick("0", "0", "100000", "x", "-1"), End());
        Words(Pick("", "COUNT 1", "COUNT 3", "JUSTID", "COUNT 0", "COUNT x", "COUNT 576460752303423488", "FOO", "COUNT"));
    }

    private void Pending()
    {
        Add("XPENDING", Key(), Group());
        if (Chance(3))
        {
            return;
        }

        Words(Pick("", "", "IDLE 0", "IDLE 100000", "IDLE x"));
        Add(End(), End(), Number());
        if (Chance(3))
        {
            Add(Consumer());
        }
    }

    private void Info()
    {
        switch (_source.Below(7))
        {
            case 0: Add("XINFO", "GROUPS", Key()); break;
            case 1: Add("XINFO", "CONSUMERS", Key(), Group()); break;
            case 2: Add("XLEN", Key()); break;
            case 3: Add("XINFO", Pick("FOO", "STREAM", "GROUPS", "CONSUMERS"), Key(), "x", "y"); break;
            default:
                Add("XINFO", "STREAM", Key());
                Words(Pick("", "FULL", "FULL COUNT 3", "FULL COUNT 0", "FULL COUNT x", "FULL COUNT"));
                break;
        }
    }

    private void State()
    {
        switch (_source.Below(10))
        {
            case < 4:
                Add("XSETID", Key(), Pick(Id(), Invariant($"{_lastMs + 1}-9")));
                Words(Pick("", "ENTRIESADDED 100", "ENTRIESADDED 0", "ENTRIESADDED x", "MAXDELETEDID 3-3", "FOO", "ENTRIESADDED"));
                break;
            case 4 when Chance(3): Add("DEL", Key()); break;
            case 5: Add("RENAMENX", "s1", "s2"); break;
            case 6: Add("SET", "string", "x"); break;
            case 7: Add("COPY", "s1", "s2"); break;
            case 8: Add("OBJECT", "ENCODING", Key()); break;
            default: Add("TYPE", Key()); break;
        }
    }

    // Nodes of fewer bytes than an entry are left to the scripts: after some sequences of such the reference ends with a
    // failed assertion (lpValidateNext in streamTrim).
    private void Limits() => Words("CONFIG SET " + Pick(
        "stream-node-max-entries 0", "stream-node-max-entries 1", "stream-node-max-entries 3", "stream-node-max-entries 100",
        "stream-node-max-bytes 0", "stream-node-max-bytes 1000", "stream-node-max-bytes 4096"));

    private string Key() => Pick("s1", "s1", "s1", "s2", "s2", TrimmedKey, "string", "none");

    private string Group() => Pick("g1", "g1", "g1", "g2", "none", "");

    private string Consumer() => Pick("c1", "c2", "c3", "c4", "");

    private string Number() => Encoding.Latin1.GetString(_source.Below(3) == 0 ? _source.Integer() : _source.Word("1", "2", "5", "10"));

    private string Id() => _source.Below(20) switch
    {
        < 9 => Invariant($"{_source.Below(_lastMs + 1)}-{_source.Below(4)}"),
        < 13 => Invariant($"{_source.Below(_lastMs + 2)}"),
        < 18 => Invariant($"{Math.Max(_lastMs - _source.Below(6), 0)}-{_source.Below(4)}"),
        _ => Pick(
            "-", "+", "0", "0-0", "x", "", "1-", "-1", "1-x", "18446744073709551615-18446744073709551615", "18446744073709551615",
            "18446744073709551616", " 5", "+5", "005", "5-*", "*", "1--007", "1- -3", "5-1-1", new string('9', 130), "$", ">",
            "1-1\0junk"),
    };

    private string End() => _source.Below(5) switch
    {
        0 => Pick("-", "+"),
        1 => "(" + Id(),
        _ => Id(),
    };

    private bool Chance(int oneIn) => _source.Below(oneIn) == 0;

    private string Pick(params string[] words) => words[_source.Below(words.Length)];

    private void Words(string line)
    {
        if (line.Length > 0)
        {
            Add(line.Split(' '));
        }
    }

    private void Add(params string[] words)
    {
        foreach (string word in words)
        {
            _arguments.Add(Encoding.Latin1.GetBytes(word));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
