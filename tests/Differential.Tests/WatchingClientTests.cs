using System.Globalization;
using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Several clients that watch keys, queue and run commands in between each other's: both servers run and refuse
/// the same transactions.</summary>
public sealed class WatchingClientTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const int ClientCount = 5;
    private const int StepCount = 3000;

    private static readonly string[] Keys = ["k1", "k2", "k3", "k4"];

    public static TheoryData<int> Seeds => [1, 2, 3, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task Both_servers_break_the_same_watches(int seed)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        RespClient[] ours = [.. Enumerable.Range(0, ClientCount).Select(_ => pair.Ours.Connect())];
        RespClient[] reference = [.. Enumerable.Range(0, ClientCount).Select(_ => pair.Reference.Connect())];
        Random random = new(seed);
        List<string> history = [];
        int run = 0;
        for (int step = 0; step < StepCount; step++)
        {
            int client = random.Next(ClientCount);
            string command = Draw(random);
            history.Add($"{client}: {command}");
            string expected = Run(reference[client], command);
            string actual = Run(ours[client], command);
            Assert.True(
                expected == actual,
                $"Seed {seed}\nours:\n{actual}\nreference:\n{expected}\nafter:\n{string.Join('\n', history.TakeLast(60))}");
            run += command == "EXEC" && expected.StartsWith("*-1", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.True(run > 10, "Few watches were broken.");
        foreach (RespClient client in (RespClient[])[.. ours, .. reference])
        {
            client.Dispose();
        }
    }

    private static string Run(RespClient client, string command)
    {
        client.Send(CommandLine.Split(command));
        return Encoding.Latin1.GetString(client.ReadReply().Raw);
    }

    private static string Draw(Random random)
    {
        string key = Pick(random, Keys);
        string other = Pick(random, Keys);
        return random.Next(34) switch
        {
            < 6 => $"WATCH {key} {other}",
            < 10 => "MULTI",
            < 15 => "EXEC",
            15 => "DISCARD",
            16 => "UNWATCH",
            17 => $"SET {key} {random.Next(10).ToString(CultureInfo.InvariantCulture)}",
            18 => $"SET {key} {random.Next(10).ToString(CultureInfo.InvariantCulture)} {Pick(random, "NX", "XX")}",
            19 => $"DEL {key}",
            20 => $"INCR {key}",
            21 => $"RENAME {key} {other}",
            22 => $"COPY {key} {other} REPLACE",
            23 => $"COPY {key} {other} DB 1 REPLACE",
            24 => $"MOVE {key} {Pick(random, "0", "1")}",
            25 => $"SELECT {Pick(random, "0", "0", "1")}",
            26 => random.Next(4) == 0 ? Pick(random, "FLUSHDB", "FLUSHALL") : $"APPEND {key} x",
            27 => $"SWAPDB {Pick(random, "0", "1")} {Pick(random, "0", "1")}",
            28 => random.Next(4) == 0 ? Pick(random, "NOSUCH", "GET", "RESET") : $"GET {key}",
            29 => $"EXPIRE {key} 1000",
            30 => $"PERSIST {key}",
            31 => $"EXPIREAT {key} 1",
            32 => $"RPUSH {key} x",
            _ => $"GETDEL {key}",
        };
    }

    private static string Pick(Random random, params string[] words) => words[random.Next(words.Length)];
}
