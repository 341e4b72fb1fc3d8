using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Several clients subscribe, publish, ask and run transactions in random pipelines, in both protocols: each of
/// them gets the same bytes from both servers, in the same order.</summary>
public sealed class PubSubClientTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const int ClientCount = 6;
    private const int StepCount = 400;
    private const int MaxPipeline = 12;

    private static readonly string[] Channels = ["a", "ab", "b"];
    private static readonly string[] Patterns = ["a*", "?", "[^b]"];

    public static TheoryData<int> Seeds => [1, 2, 3, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task All_clients_get_the_same_messages_and_replies_in_the_same_order(int seed)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using Side ours = new(pair.Ours);
        using Side reference = new(pair.Reference);
        Random random = new(seed);
        List<string> history = [];
        for (int step = 0; step < StepCount; step++)
        {
            int client = random.Next(ClientCount);
            string[] pipeline = [.. Enumerable.Range(0, random.Next(1, MaxPipeline)).Select(_ => Draw(random, client))];
            history.Add($"{client}: {string.Join(" ; ", pipeline.Select(command => command[..Math.Min(command.Length, 24)]))}");

            string expected = reference.Run(client, pipeline);
            string actual = ours.Run(client, pipeline);

            Assert.True(
                expected == actual,
                $"Seed {seed}\nours:\n{actual}\nreference:\n{expected}\nafter:\n{string.Join('\n', history.TakeLast(40))}");
        }
    }

    // Mostly PUBLISH, often several to one channel. Nothing that shows a hash table's order, so one pattern for a client.
    private static string Draw(Random random, int client)
    {
        string channel = Channels[random.Next(Channels.Length)];
        string pattern = Patterns[client % Patterns.Length];
        string text = random.Next(1000) + new string('m', 1 << random.Next(14));
        return random.Next(26) switch
        {
            0 => $"SUBSCRIBE {channel}",
            1 => $"UNSUBSCRIBE {channel}",
            2 => $"PSUBSCRIBE {pattern}",
            3 or 4 => $"PUNSUBSCRIBE {pattern}",
            5 => $"SSUBSCRIBE {channel}",
            6 => $"SUNSUBSCRIBE {channel}",
            7 or 8 => $"SPUBLISH {channel} {text}",
            9 => "MULTI",
            10 or 11 => "EXEC",
            12 => "INCR n",
            13 => $"SET k {text}",
            14 => "GET k",
            15 => $"PUBSUB NUMSUB {channel}",
            16 => $"PUBSUB SHARDNUMSUB {channel}",
            17 => "PING",
            18 => "RESET",
            _ => $"PUBLISH a {text}",
        };
    }

    /// <summary>One server with its clients, the odd ones of which speak RESP3.</summary>
    private sealed class Side : IDisposable
    {
        private const string Marker = "END-OF-STEP";

        private readonly RespClient[] _clients;

        public Side(ServerProcess server)
        {
            _clients = [.. Enumerable.Range(0, ClientCount).Select(_ => server.Connect())];
            for (int i = 1; i < ClientCount; i += 2)
            {
                _clients[i].Execute("HELLO", "3");
            }
        }

        /// <summary>Sends commands at once and tells what everybody got until all have answered a last PING.</summary>
        public string Run(int client, string[] pipeline)
        {
            string commands = string.Concat(pipeline.Select(command => command + "\r\n"));
            StringBuilder replies = new();

            // EXEC, that the PING is not queued; outside of MULTI it is an error for both.
            _clients[client].SendRaw($"{commands}EXEC\r\nPING {Marker}\r\n");
            ReadUpToMarker(client, replies);
            for (int i = 0; i < ClientCount; i++)
            {
                if (i != client)
                {
                    _clients[i].SendRaw($"PING {Marker}\r\n");
                    ReadUpToMarker(i, replies);
                }
            }

            return replies.ToString();
        }

        public void Dispose() => Array.ForEach(_clients, client => client.Dispose());

        // Replies are taken apart by their bytes alone: inside EXEC, messages and confirmations of several channels make
        // more elements than the array says.
        private void ReadUpToMarker(int client, StringBuilder replies)
        {
            RespValue reply;
            replies.Append(client).Append(": ");
            do
            {
                reply = _clients[client].ReadReply();
                replies.Append(Encoding.Latin1.GetString(reply.Raw));
            }
            while (!Encoding.Latin1.GetString(reply.Raw).Contains(Marker, StringComparison.Ordinal));

            replies.Append('\n');
        }
    }
}
