using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>Connections that read and write at the same time, each with a cache that tracking keeps true.</summary>
/// <remarks>Values only grow, so an older one after a newer one is stale. When everybody pauses, what has been told has
/// arrived, and each cache holds exactly what the server has.</remarks>
public sealed class ClientCacheTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private const int ClientCount = 4;
    private const int RoundCount = 30;
    private const int StepsPerRound = 150;

    private static readonly string[] Keys = [.. Enumerable.Range(0, 12).Select(i => $"cached:{i}")];

    [Theory]
    [InlineData("", "")]
    [InlineData("NOLOOP", "")]
    [InlineData("BCAST PREFIX cached:", "")]
    [InlineData("", "5")]
    public void No_cache_serves_what_it_was_told_is_gone(string options, string tableLimit)
    {
        using RespClient control = shared.Server.Connect();
        control.Execute("FLUSHALL");
        control.Execute("CONFIG", "SET", "tracking-table-max-keys", tableLimit.Length > 0 ? tableLimit : "1000000");
        Cache[] caches = [.. Enumerable.Range(0, ClientCount).Select(i => new Cache(shared.Server.Connect(), options, seed: i + 1))];
        int kept = 0;
        for (int round = 0; round < RoundCount; round++)
        {
            Parallel.ForEach(caches, cache =>
            {
                for (int step = 0; step < StepsPerRound; step++)
                {
                    cache.Step(Keys);
                }
            });

            foreach (Cache cache in caches)
            {
                cache.Follow(); // All have answers to all they wrote, so whatever that made invalid has been sent.
                foreach ((string key, long value) in cache.Values)
                {
                    Assert.Equal(control.Execute("GET", key).AsString, value.ToString(CultureInfo.InvariantCulture));
                    kept++;
                }
            }
        }

        Assert.True(kept > RoundCount, "Little was cached.");
        control.Execute("CONFIG", "SET", "tracking-table-max-keys", "1000000");
        foreach (Cache cache in caches)
        {
            cache.Dispose();
        }
    }

    private sealed class Cache : IDisposable
    {
        private readonly RespClient _client;
        private readonly Random _random;
        private readonly Dictionary<string, long> _seen = [];

        public Cache(RespClient client, string options, int seed)
        {
            _client = client;
            _random = new Random(seed);
            client.Execute("HELLO", "3");
            Assert.Equal("OK", client.ExecuteLine($"CLIENT TRACKING ON {options}").AsString);
        }

        public Dictionary<string, long> Values { get; } = [];

        public void Step(string[] keys)
        {
            string key = keys[_random.Next(keys.Length)];
            if (_random.Next(4) == 0)
            {
                long written = Ask("INCR", key).AsInteger;
                See(key, written);
                Values.Remove(key); // It is told of that only after the reply, or with NOLOOP not at all.
            }
            else if (Values.TryGetValue(key, out long kept))
            {
                See(key, kept);
            }
            else
            {
                RespValue reply = Ask("GET", key);
                if (!reply.IsNull)
                {
                    Values[key] = reply.AsInteger;
                    See(key, reply.AsInteger);
                }
            }
        }

        public void Follow() => Assert.Equal("PONG", Ask("PING").AsString);

        public void Dispose() => _client.Dispose();

        private void See(string key, long value)
        {
            Assert.True(value >= _seen.GetValueOrDefault(key), $"{key} was {_seen.GetValueOrDefault(key)} and is {value} now.");
            _seen[key] = value;
        }

        private RespValue Ask(params string[] request)
        {
            _client.Send(request);
            while (true)
            {
                RespValue reply = _client.ReadReply();
                if (reply.Type != '>')
                {
                    return reply;
                }

                Assert.Equal("invalidate", reply.Items[0].AsString);
                foreach (RespValue key in reply.Items[1].Items)
                {
                    Values.Remove(key.AsString);
                }
            }
        }
    }
}
