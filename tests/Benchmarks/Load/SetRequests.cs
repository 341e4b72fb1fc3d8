using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>SREM of a random member of one large set and SADD of the same, in turn, so that the set keeps its size.</summary>
internal sealed class SetRequests(string key, int members, int seed) : IRequestSource
{
    private const int Batch = 500;
    private const int Digits = 12;
    private static readonly string Member = "member:" + new string('#', Digits);

    private readonly Random _random = new(seed);
    private readonly RequestTemplate _add = new("SADD", key, Member);
    private readonly RequestTemplate _remove = new("SREM", key, Member);
    private int _removed = -1;

    public string Name => "SADD, SREM";

    /// <summary>Makes a set of the numbered members.</summary>
    /// <exception cref="InvalidOperationException">The server refused.</exception>
    public static void Fill(RespClient client, string key, int members)
    {
        for (int first = 0; first < members; first += Batch)
        {
            IEnumerable<string> batch = Enumerable.Range(first, Math.Min(Batch, members - first))
                .Select(i => Member.Replace(new string('#', Digits), i.ToString("D12", null), StringComparison.Ordinal));
            RespValue reply = client.Execute(["SADD", key, .. batch]);
            if (reply.IsError)
            {
                throw new InvalidOperationException($"SADD was refused: {reply.AsString}");
            }
        }
    }

    public ReadOnlySpan<byte> Next()
    {
        if (_removed >= 0)
        {
            int back = _removed;
            _removed = -1;
            return _add.With(back);
        }

        _removed = _random.Next(members);
        return _remove.With(_removed);
    }
}
