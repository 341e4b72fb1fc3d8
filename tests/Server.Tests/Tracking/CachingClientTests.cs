using System.Globalization;
using System.Text;

namespace KvServer.Server.Tests.Tracking;

/// <summary>Several clients keep what they read and follow what they are told: none may hold anything that is not true.</summary>
public sealed class CachingClientTests : CommandHarness
{
    private const int StepCount = 2000;

    private static readonly string[] Keys = ["a1", "a2", "a3", "b1", "b2", "ab"];

    private static readonly string[] Reads =
        ["GET KEY", "LRANGE KEY 0 -1", "HGETALL KEY", "SMEMBERS KEY", "STRLEN KEY", "TYPE KEY", "EXISTS KEY", "HLEN KEY"];

    public static TheoryData<int> Seeds => [1, 2, 3, 4, 5, 6, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public void No_cache_ever_holds_what_is_not_true(int seed)
    {
        Random random = new(seed);
        TestClient truth = Connect(protocol: 3);
        CachingClient[] clients = MakeClients();
        Server.Config.TrackingTableMaxKeys = seed % 2 == 0 ? 3 : 1000;
        List<string> history = [];
        int compared = 0;
        for (int step = 0; step < StepCount; step++)
        {
            CachingClient client = clients[random.Next(clients.Length)];
            Step(random, client, history);
            Executor.EndTurn();

            // Asking for the truth may remove keys whose time has come, which has to be told, too.
            HashSet<(string Key, string Command)> places = [.. clients.SelectMany(c => c.Cache.Keys)];
            Dictionary<(string Key, string Command), string> answers = [];
            foreach ((string key, string command) in places)
            {
                string raw = truth.Raw(command.Replace("KEY", key, StringComparison.Ordinal).Split(' '));
                answers[(key, command)] = CachingClient.Describe(new ReplyDecoder(Encoding.Latin1.GetBytes(raw)).Next());
            }

            Executor.EndTurn();
            for (int i = 0; i < clients.Length; i++)
            {
                clients[i].Listen();
                foreach (((string Key, string Command) place, string kept) in clients[i].Cache)
                {
                    compared++;
                    Assert.True(
                        kept == answers[place],
                        $"Seed {seed}, client {i} has {place} as {kept}, it is {answers[place]}, after:\n"
                        + string.Join('\n', history.TakeLast(30)));
                }
            }
        }

        Assert.True(compared > StepCount, "Little was cached.");
    }

    private CachingClient[] MakeClients()
    {
        TestClient own = Connect(protocol: 3);
        TestClient spares = Connect(protocol: 3);
        TestClient optIn = Connect(protocol: 3);
        TestClient optOut = Connect(protocol: 3);
        TestClient broadcast = Connect(protocol: 3);
        TestClient prefixed = Connect(protocol: 3);
        TestClient redirects = Connect(protocol: 2);
        TestClient told = Connect(protocol: 3);
        TestClient subscriber = Connect(protocol: 2);
        TestClient redirectsToSubscriber = Connect(protocol: 2);
        subscriber.Raw("SUBSCRIBE", "__redis__:invalidate");
        return
        [
            new CachingClient(own, own, "READS", sparesOwn: false),
            new CachingClient(spares, spares, "READS", sparesOwn: true),
            new CachingClient(optIn, optIn, "OPTIN", sparesOwn: false),
            new CachingClient(optOut, optOut, "OPTOUT", sparesOwn: false),
            new CachingClient(broadcast, broadcast, "BCAST", sparesOwn: true),
            new CachingClient(prefixed, prefixed, "BCAST", sparesOwn: false, prefix: "a"),
            new CachingClient(redirects, told, "READS", sparesOwn: false),
            new CachingClient(redirectsToSubscriber, subscriber, "BCAST", sparesOwn: false),
        ];
    }

    private void Step(Random random, CachingClient client, List<string> history)
    {
        string key = Keys[random.Next(Keys.Length)];
        if (random.Next(10) < 6)
        {
            string command = Reads[random.Next(Reads.Length)];
            history.Add($"read {command} {key}");
            client.Read(key, command, makesException: random.Next(2) == 0);
            return;
        }

        if (random.Next(12) == 0)
        {
            int ms = random.Next(40);
            history.Add($"advance {ms}");
            Advance(ms);
            if (random.Next(3) == 0)
            {
                Server.RunCron(hz: 10);
            }

            return;
        }

        string other = Keys[random.Next(Keys.Length)];
        string number = random.Next(4).ToString(CultureInfo.InvariantCulture);
        string request = random.Next(32) switch
        {
            0 => $"SET {key} {number}",
            1 => $"SET {key} {number} PX 20",
            2 => $"DEL {key} {other}",
            3 => $"RENAME {key} {other}",
            4 => $"COPY {key} {other} REPLACE",
            5 => $"APPEND {key} x",
            6 => $"MSET {key} {number} {other} {number}",
            7 => $"PEXPIRE {key} 30",
            8 => $"PERSIST {key}",
            9 => $"RPUSH {key} {number} 7",
            10 => $"LMOVE {key} {other} LEFT RIGHT",
            11 => $"LPOP {key} 2",
            12 => $"HSET {key} f {number} g 1",
            13 => $"HPEXPIRE {key} 15 FIELDS 1 f",
            14 => $"HDEL {key} f g",
            15 => $"HSETEX {key} PX 10 FIELDS 1 f {number}",
            16 => $"HGETDEL {key} FIELDS 1 g",
            17 => $"SADD {key} {number}",
            18 => $"SMOVE {key} {other} {number}",
            19 => $"SPOP {key}",
            20 => $"SUNIONSTORE {key} {other}",
            21 => $"GETSET {key} {number}",
            22 => $"GETDEL {key}",
            23 => $"GETEX {key} PX 5",
            24 => $"SORT {key} STORE {other}",
            25 => $"BITOP NOT {key} {other}",
            26 => $"UNLINK {key}",
            27 => random.Next(4) == 0 ? "FLUSHALL" : $"INCR {key}",
            28 => random.Next(4) == 0 ? "FLUSHDB" : $"SETRANGE {key} 1 {number}",
            29 => $"EXPIREAT {key} 1",
            30 => $"LINSERT {key} BEFORE 7 {number}",
            _ => $"SETBIT {key} 3 1",
        };
        history.Add(request);
        string[] words = request.Split(' ');
        string[] changed = words[0].StartsWith("FLUSH", StringComparison.Ordinal) ? Keys : [key, other];
        if (random.Next(5) > 0)
        {
            client.Write(words, changed);
            return;
        }

        client.Write(["MULTI"], []);
        client.Write(words, []);
        client.Write(["GET", key], []);
        client.Write(["SET", other, number], []);
        client.Write(["EXEC"], [.. changed, key, other]);
    }
}
