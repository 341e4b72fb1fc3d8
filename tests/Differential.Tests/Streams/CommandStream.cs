using System.Text;
using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <summary>Draws commands on strings, bitmaps, sets, sorted sets, hashes, lists, streams and keys from a seed; the same seed
/// gives the same stream.</summary>
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
            StreamAdd, StreamAdd, StreamAdd, StreamAdd, StreamAdd, StreamAdd, StreamChange, StreamRead, StreamRead, StreamGroups,
            StreamGroups, StreamGroups, StreamDelivery, StreamDelivery, StreamDelivery, StreamPending, StreamPending, StreamPending,
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

    /// <summary>A command with arguments missing, too many, or of a name nobody knows.</summary>
    private void Broken()
    {
        Add(_source.Word(
            "GET", "SET", "SADD", "INCR", "HSET", "HGET", "HINCRBY", "LPUSH", "LMOVE", "LPOS", "ZADD", "ZRANGE", "ZUNION",
            "ZMPOP", "BZMPOP", "GEOADD", "GEORADIUS", "GEOSEARCH",
            "XADD", "XDEL", "XREAD", "XREADGROUP", "XGROUP", "XCLAIM",
            "NOSUCH", "EXPIRE", "BITOP", "SINTER", "getx", "OBJECT", "LCS"));
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
