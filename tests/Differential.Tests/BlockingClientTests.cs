using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Several clients that wait for lists and sorted sets while another one writes: both servers serve the same
/// clients, at the same moments, with the same replies.</summary>
public sealed partial class BlockingClientTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const int ClientCount = 6;
    private const int StepCount = 400;
    private const int PatienceMs = 10_000;

    private static readonly string[] Keys = ["k1", "k2", "k3"];

    // Never holds anything but a sorted set: see DIFFERENCES.md, waiting-clients, about values of another type.
    private const string SortedKey = "z";

    public static TheoryData<int> Seeds => [1, 2, 3, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task Both_servers_serve_the_clients_that_wait_the_same(int seed)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using Side ours = new(pair.Ours);
        using Side reference = new(pair.Reference);
        Random random = new(seed);
        List<string> history = [];
        for (int step = 0; step < StepCount; step++)
        {
            int[] free = [.. Enumerable.Range(0, ClientCount).Where(i => !ours.IsWaiting(i))];
            bool waits = free.Length > 0 && random.Next(2) == 0;
            int client = waits ? free[random.Next(free.Length)] : ClientCount;
            string command = waits ? DrawWait(random) : DrawWrite(random);
            history.Add($"{client}: {command}");

            string expected = reference.Run(client, command);
            string actual = ours.Run(client, command);

            Assert.True(
                expected == actual,
                $"Seed {seed}\nours:\n{actual}\nreference:\n{expected}\nafter:\n{string.Join('\n', history.TakeLast(40))}");
        }

        Assert.Equal(reference.Run(ClientCount, "DEBUG DIGEST"), ours.Run(ClientCount, "DEBUG DIGEST"));
    }

    private static string DrawWait(Random random)
    {
        string key = Draw(random, Keys);
        string keys = random.Next(2) == 0 ? key : key + " " + Draw(random, Keys);
        string count = Draw(random, "", " COUNT 2", " COUNT 10");
        return random.Next(9) switch
        {
            0 => $"BLPOP {keys} 0",
            1 => $"BRPOP {keys} 0",
            2 => $"BLMOVE {key} {Draw(random, Keys)} {Draw(random, "LEFT", "RIGHT")} LEFT 0",
            3 => $"BLMPOP 0 2 {key} {Draw(random, Keys)} {Draw(random, "LEFT", "RIGHT")}{count}",
            4 or 5 => $"BZPOPMIN {keys} {SortedKey} 0",
            6 => $"BZPOPMAX {keys} 0",
            _ => $"BZMPOP 0 2 {key} {Draw(random, [.. Keys, SortedKey])} {Draw(random, "MIN", "MAX")}{count}",
        };
    }

    // Of the keys that one transaction changes, the one that was changed first serves whoever waits for several.
    private static string DrawWrite(Random random) => random.Next(4) > 0
        ? DrawSingleWrite(random)
        : $"MULTI ; {DrawSingleWrite(random)} ; {DrawSingleWrite(random)} ; {DrawSingleWrite(random)} ; EXEC";

    private static string DrawSingleWrite(Random random)
    {
        string key = Draw(random, Keys);
        string other = Draw(random, [.. Keys, "elsewhere"]);
        string values = string.Join(' ', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Number(random)));
        return random.Next(12) switch
        {
            0 or 1 => $"RPUSH {key} {values}",
            2 => $"LPUSH {other} {values}",
            3 or 4 or 5 => $"ZADD {key} {string.Join(' ', values.Split(' ').Select(value => $"{value} m{value}"))}",
            6 => $"ZADD {other} INCR 1.5 m{Number(random)}",
            7 => $"RENAME {other} {key}",
            8 => $"COPY {other} {key} REPLACE",
            9 => $"ZUNIONSTORE {SortedKey} 1 {other}",
            10 => $"SET {key} v",
            _ => $"DEL {key} {Draw(random, Keys)}",
        };
    }

    private static string Draw(Random random, params string[] words) => words[random.Next(words.Length)];

    private static string Number(Random random) => random.Next(20).ToString(CultureInfo.InvariantCulture);

    /// <summary>One server with its clients, the last of which never waits.</summary>
    private sealed partial class Side(ServerProcess server) : IDisposable
    {
        private readonly RespClient[] _clients = [.. Enumerable.Range(0, ClientCount + 1).Select(_ => server.Connect())];
        private readonly RespClient _observer = server.Connect();
        private readonly bool[] _isWaiting = new bool[ClientCount + 1];

        public bool IsWaiting(int client) => _isWaiting[client];

        /// <summary>Sends a command, or those of a transaction, and tells who got which reply because of it.</summary>
        public string Run(int client, string command)
        {
            int waitingBefore = _isWaiting.Count(waits => waits);
            string[] commands = command.Split(" ; ");
            foreach (string queued in commands[..^1])
            {
                _clients[client].ExecuteLine(queued);
            }

            _clients[client].Send(CommandLine.Split(commands[^1]));
            _isWaiting[client] = true;
            long end = Environment.TickCount64 + PatienceMs;
            while (!_clients[client].HasPendingBytes && CountBlocked() != waitingBefore + 1)
            {
                Assert.True(Environment.TickCount64 < end, $"No reply to {command}, and nobody waits.");
            }

            // Whoever was served has its reply by the time a later command is answered.
            int blocked = CountBlocked();
            StringBuilder replies = new();
            for (int i = 0; i < _clients.Length; i++)
            {
                if (_isWaiting[i] && _clients[i].HasPendingBytes)
                {
                    RespValue reply = _clients[i].ReadReply();
                    replies.Append(CultureInfo.InvariantCulture, $"{i}: {Encoding.Latin1.GetString(reply.Raw)}\n");
                    _isWaiting[i] = false;
                }
            }

            return replies.Append(CultureInfo.InvariantCulture, $"{blocked} wait").ToString();
        }

        public void Dispose()
        {
            foreach (RespClient client in _clients)
            {
                client.Dispose();
            }

            _observer.Dispose();
        }

        private int CountBlocked() => int.Parse(
            Blocked().Match(_observer.Execute("INFO", "clients").AsString).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

        [GeneratedRegex("blocked_clients:([0-9]+)")]
        private static partial Regex Blocked();
    }
}
