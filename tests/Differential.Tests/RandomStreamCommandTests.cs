using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvServer.Differential.Tests.Aof;
using KvServer.Differential.Tests.Running;
using KvServer.Differential.Tests.Streams;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Sends random commands on streams to both servers: every reply is the same, XINFO STREAM FULL among them, and so is
/// every request in the append-only file.</summary>
/// <remarks>A failing seed goes into <see cref="Seeds"/> and stays there.</remarks>
public sealed partial class RandomStreamCommandTests
{
    private const int CommandCount = 6000;
    private const int BatchSize = 50;

    // Instants, and how long ago they were, differ by the time between the two servers' answers.
    private const long EarliestInstant = 1_700_000_000_000;
    private const long Patience = 60_000;

    public static TheoryData<int, int> Seeds => new()
    {
        { 1, 2 }, { 2, 3 }, { 3, 2 }, { 4, 3 }, { 5, 2 }, { Random.Shared.Next(), 2 }, { Random.Shared.Next(), 3 },
    };

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task Both_servers_answer_the_same_and_pass_on_the_same(int seed, int protocol)
    {
        ServerPair.RequireReference();
        await using ServerProcess reference = await StartAsync(ReferenceServer.Binary);
        await using ServerProcess ours = await StartAsync(null);
        using RespClient theirClient = reference.Connect();
        using RespClient ourClient = ours.Connect();
        string version = protocol.ToString(CultureInfo.InvariantCulture);
        theirClient.Execute("HELLO", version);
        ourClient.Execute("HELLO", version);
        StreamCommandStream stream = new(seed);
        List<string> history = [];
        for (int sent = 0; sent < CommandCount; sent += BatchSize)
        {
            List<IReadOnlyList<byte[]>> batch = [.. Enumerable.Range(0, BatchSize).Select(_ => stream.Next())];
            using MemoryStream request = new();
            batch.ForEach(command => CommandLine.AppendRequest(request, command));
            theirClient.SendRaw(request.ToArray());
            ourClient.SendRaw(request.ToArray());
            foreach (IReadOnlyList<byte[]> command in batch)
            {
                history.Add(CommandLine.Join(command));
                RespValue expected = theirClient.ReadReply();
                RespValue actual = ourClient.ReadReply();
                if (!AreSame(command, actual, expected))
                {
                    Assert.Fail($"Seed {seed}, command {history.Count}: {history[^1]}\nours:\n{actual}\nreference:\n{expected}\n"
                        + $"before:\n{string.Join('\n', history.TakeLast(30))}");
                }
            }
        }

        theirClient.Execute("CONFIG", "SET", "appendonly", "no");
        ourClient.Execute("CONFIG", "SET", "appendonly", "no");
        Assert.Equal(ReadFile(reference), ReadFile(ours), StringComparer.OrdinalIgnoreCase);
        await CompareAfterLoadAsync(reference.Folder, ours.Folder);
    }

    // Each server makes the same streams of the other's file.
    private static async Task CompareAfterLoadAsync(string theirFolder, string ourFolder)
    {
        await using ServerProcess reference = await StartAsync(ReferenceServer.Binary, ourFolder);
        await using ServerProcess ours = await StartAsync(null, theirFolder);
        using RespClient theirClient = reference.Connect();
        using RespClient ourClient = ours.Connect();
        Assert.Equal(theirClient.Execute("DBSIZE").AsInteger, ourClient.Execute("DBSIZE").AsInteger);
        foreach (string key in new[] { "s1", "s2", "s3", "none" })
        {
            RespValue expected = theirClient.Execute("XINFO", "STREAM", key, "FULL", "COUNT", "0");
            RespValue actual = ourClient.Execute("XINFO", "STREAM", key, "FULL", "COUNT", "0");
            Assert.True(AreSame(actual, expected, isInfo: true, hasIdleTimes: false), $"ours:\n{actual}\nreference:\n{expected}");
        }
    }

    private static bool AreSame(IReadOnlyList<byte[]> command, RespValue ours, RespValue reference)
    {
        string name = Encoding.Latin1.GetString(command[0]);
        bool isInfo = name == "XINFO" && Encoding.Latin1.GetString(command[1]) == "STREAM";
        return AreSame(ours, reference, isInfo, hasIdleTimes: name == "XPENDING" || (name == "XINFO" && !isInfo));
    }

    private static bool AreSame(RespValue ours, RespValue reference, bool isInfo, bool hasIdleTimes)
    {
        if (ours.Type != reference.Type || ours.IsNull != reference.IsNull || ours.Items.Count != reference.Items.Count)
        {
            return false;
        }

        for (int i = 0; i < ours.Items.Count; i++)
        {
            // The tree over the nodes is ours: DIFFERENCES.md, stream-tree.
            bool isTree = isInfo && i > 0 && ours.Items[i - 1].AsString == "radix-tree-nodes";
            bool isIdleTime = hasIdleTimes && ((i == 2 && ours.Items.Count == 4) || (i > 0 && ours.Items[i - 1].AsString == "idle"));
            if (isTree || (isIdleTime && ours.Items[i].Type == ':' && reference.Items[i].Type == ':'
                && Math.Abs(ours.Items[i].AsInteger - reference.Items[i].AsInteger) < Patience))
            {
                continue;
            }

            if (!AreSame(ours.Items[i], reference.Items[i], isInfo, hasIdleTimes))
            {
                return false;
            }
        }

        return ours.AsString == reference.AsString
            || (ours.Type == ':' && reference.Type == ':' && reference.AsInteger > EarliestInstant
                && Math.Abs(ours.AsInteger - reference.AsInteger) < Patience);
    }

    private static Task<ServerProcess> StartAsync(string? binary, string? folder = null)
    {
        ServerOptions options = ServerOptions.ForTests(binary).With("appendonly", "yes").With("aof-use-rdb-preamble", "no");
        return ServerProcess.StartAsync(folder is null ? options : options.With("dir", folder));
    }

    private static List<string> ReadFile(ServerProcess server) =>
        [.. AofRequests.ReadLast(server.Folder).Select(request => Instant().Replace(request, " TIME <instant>"))];

    [GeneratedRegex(" TIME 1[0-9]{12}")]
    private static partial Regex Instant();
}
