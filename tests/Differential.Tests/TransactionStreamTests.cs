using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Differential.Tests.Streams;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Sends random commands in transactions of random length, some of them after WATCH, some discarded: both servers
/// queue, refuse and run the same, while another client changes keys.</summary>
public sealed class TransactionStreamTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const int TransactionCount = 800;
    private const int MostCommands = 12;

    public static TheoryData<int> Seeds => [1, 2, 3, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task Both_servers_run_the_same_transactions(int seed)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using Side ours = new(pair.Ours);
        using Side reference = new(pair.Reference);
        Random random = new(seed);
        CommandStream stream = new(seed);
        for (int i = 0; i < TransactionCount; i++)
        {
            StreamCommand[] commands = [.. Enumerable.Range(0, random.Next(MostCommands)).Select(_ => stream.Next())];
            byte[][] watch = [.. commands.SelectMany(command => command.Arguments.Skip(1).Take(1)).Prepend("WATCH"u8.ToArray())];
            StreamCommand? meanwhile = random.Next(2) == 0 ? stream.Next() : null;
            string end = random.Next(8) == 0 ? "DISCARD" : "EXEC";
            bool watches = random.Next(2) == 0 && watch.Length > 1;
            List<RespValue> actual = ours.Run(watches ? watch : null, meanwhile, commands, end);
            List<RespValue> expected = reference.Run(watches ? watch : null, meanwhile, commands, end);
            if (FirstDifference(commands, actual, expected) is { } difference)
            {
                Assert.Fail(
                    $"Seed {seed}, transaction {i}, {difference}\nwatched: {(watches ? CommandLine.Join(watch) : "")}\n"
                    + $"meanwhile: {(meanwhile is null ? "" : CommandLine.Join(meanwhile.Arguments))}\n"
                    + string.Join('\n', commands.Select(command => Shorten(CommandLine.Join(command.Arguments)))));
            }
        }

        Assert.Equal(RandomStreamTests.Digest(reference.Other), RandomStreamTests.Digest(ours.Other));
    }

    private static string? FirstDifference(StreamCommand[] commands, List<RespValue> ours, List<RespValue> reference)
    {
        for (int i = 0; i < reference.Count - 1; i++)
        {
            if (!ReplyComparer.AreEqual(ours[i], reference[i], ReplyComparison.Exact))
            {
                return $"command {i}:\nours: {Shorten(ours[i].ToString())}\nreference: {Shorten(reference[i].ToString())}";
            }
        }

        RespValue run = reference[^1];
        if (run.Raw[0] != (byte)'*' || run.Items.Count != commands.Length || ours[^1].Raw[0] != (byte)'*'
            || ours[^1].Items.Count != commands.Length)
        {
            return ReplyComparer.AreEqual(ours[^1], run, ReplyComparison.Exact)
                ? null
                : $"end:\nours: {Shorten(ours[^1].ToString())}\nreference: {Shorten(run.ToString())}";
        }

        for (int i = 0; i < commands.Length; i++)
        {
            if (!RandomStreamTests.AreEqual(commands[i], ours[^1].Items[i], run.Items[i]))
            {
                return $"result {i}, {Shorten(CommandLine.Join(commands[i].Arguments))}:\n"
                    + $"ours: {Shorten(ours[^1].Items[i].ToString())}\nreference: {Shorten(run.Items[i].ToString())}";
            }
        }

        return null;
    }

    private static string Shorten(string line) => line.Length > 400 ? line[..400] + "..." : line;

    /// <summary>One server with the client that has transactions, and one that interferes.</summary>
    private sealed class Side(ServerProcess server) : IDisposable
    {
        private readonly RespClient _client = server.Connect();

        public RespClient Other { get; } = server.Connect();

        /// <summary>Runs a transaction; the last reply is that to its end.</summary>
        public List<RespValue> Run(byte[][]? watch, StreamCommand? meanwhile, StreamCommand[] commands, string end)
        {
            if (watch is not null)
            {
                _client.Send(watch);
                _ = _client.ReadReply();
            }

            if (meanwhile is not null)
            {
                Other.Send([.. meanwhile.Arguments]);
                _ = Other.ReadReply();
            }

            using MemoryStream request = new();
            CommandLine.AppendRequest(request, ["MULTI"u8.ToArray()]);
            foreach (StreamCommand command in commands)
            {
                CommandLine.AppendRequest(request, command.Arguments);
            }

            CommandLine.AppendRequest(request, [Encoding.ASCII.GetBytes(end)]);
            _client.SendRaw(request.ToArray());
            return [.. Enumerable.Range(0, commands.Length + 2).Select(_ => _client.ReadReply())];
        }

        public void Dispose()
        {
            _client.Dispose();
            Other.Dispose();
        }
    }
}
