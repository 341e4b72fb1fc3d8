using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Differential.Tests.Streams;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Sends streams of random commands to both servers: every reply and the data in the end are the same.</summary>
/// <remarks>A failing seed goes into <see cref="Seeds"/> and stays there.</remarks>
public sealed class RandomStreamTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const int CommandCount = 12_000;
    private const int BatchSize = 50;

    public static TheoryData<int> Seeds => [1, 2, 3, 4, 5, 6, 1110681099, Random.Shared.Next(), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task Both_servers_answer_a_random_stream_the_same(int seed)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using RespClient ours = pair.Ours.Connect();
        using RespClient reference = pair.Reference.Connect();
        CommandStream stream = new(seed);
        List<StreamCommand> history = [];
        for (int sent = 0; sent < CommandCount; sent += BatchSize)
        {
            List<StreamCommand> batch = [.. Enumerable.Range(0, BatchSize).Select(_ => stream.Next())];
            using MemoryStream request = new();
            batch.ForEach(command => CommandLine.AppendRequest(request, command.Arguments));
            ours.SendRaw(request.ToArray());
            reference.SendRaw(request.ToArray());
            foreach (StreamCommand command in batch)
            {
                history.Add(command);
                RespValue expected = reference.ReadReply();
                RespValue actual = ours.ReadReply();
                if (!AreEqual(command, actual, expected))
                {
                    Assert.Fail(Describe(seed, history, actual, expected));
                }
            }
        }

        Assert.Equal(Digest(reference), Digest(ours));
    }

    /// <summary>Returns the digest of all data, after SCAN has met the keys whose time has come.</summary>
    internal static string Digest(RespClient client)
    {
        foreach (string db in new[] { "0", "1" })
        {
            client.Execute("SELECT", db);
            client.Execute("SCAN", "0", "COUNT", "100000");
        }

        return client.Execute("DEBUG", "DIGEST").AsString;
    }

    internal static bool AreEqual(StreamCommand command, RespValue ours, RespValue reference) =>
        ReplyComparer.AreEqual(ours, reference, command.Comparison, command.Tolerance)
        || IsOtherEncoding(command, ours, reference)
        || CommandStream.IsStaleError(command, ours, reference);

    /// <summary>Small sets of strings and small lists are a listpack here (DIFFERENCES.md, set-listpack and
    /// list-listpack).</summary>
    private static bool IsOtherEncoding(StreamCommand command, RespValue ours, RespValue reference) =>
        command.Arguments[0].AsSpan().SequenceEqual("OBJECT"u8)
        && ours.AsString == "listpack"
        && reference.AsString is "hashtable" or "intset" or "quicklist";

    private static string Describe(int seed, List<StreamCommand> history, RespValue ours, RespValue reference)
    {
        StringBuilder text = new();
        text.Append($"Seed {seed}, command {history.Count}: {Shorten(Write(history[^1]))}\n");
        text.Append($"ours:\n{Shorten(ours.ToString())}\nreference:\n{Shorten(reference.ToString())}\nbefore:\n");
        StreamCommand last = history[^1];
        List<string> related = [.. history
            .Where(command => command.Arguments.Skip(1).Any(a => last.Arguments.Skip(1).Any(b => a.AsSpan().SequenceEqual(b))))
            .Select(command => "  " + Shorten(Write(command)))];
        return text.AppendJoin('\n', related.TakeLast(40)).ToString();

        static string Write(StreamCommand command) => CommandLine.Join(command.Arguments);
        static string Shorten(string line) => line.Length > 1000 ? line[..1000] + "..." : line;
    }
}
