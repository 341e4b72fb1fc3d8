using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Aof;

/// <summary>Transactions stand in the append-only file as the reference writes them, and come back whole.</summary>
public sealed class AofTransactionTests : IDisposable
{
    private static readonly string[] Requests =
    [
        "SET old v PX 1", "MULTI", "SET a 1", "INCR a", "EXEC", "MULTI", "GET a", "EXEC", "MULTI", "SET a 2", "GET a", "EXEC",
        "MULTI", "SET a 3", "DISCARD", "MULTI", "SET a 4", "NOSUCH", "EXEC", "MULTI", "SELECT 1", "SET b 1", "SELECT 0",
        "RPUSH l 1 2 3", "LPUSH a x", "BLPOP l 0", "BLMOVE l m LEFT RIGHT 0", "SPOP none", "SADD s x", "SPOP s 5", "PUBLISH c m",
        "FLUSHDB", "EXEC", "MULTI", "EXEC", "SET c 1", "MULTI", "SELECT 1", "EXEC", "SET d 1", "WATCH d", "SET d 2", "MULTI",
        "SET d 3", "EXEC", "MULTI", "MSET x 1 y 2", "SET z 1 EX 100000000", "GETEX z PERSIST", "INCRBYFLOAT f 1.5", "EXEC",
    ];

    private readonly string _folder = TestPaths.CreateTempFolder("aofmulti");

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    [Fact]
    public async Task The_file_holds_the_same_requests_as_the_references()
    {
        ServerPair.RequireReference();
        List<string> ours = await RunAsync(ServerOptions.ForTests(), "ours");
        List<string> reference = await RunAsync(ServerOptions.ForTests(ReferenceServer.Binary), "reference");
        Assert.Equal(string.Join('|', reference), string.Join('|', ours));
        Assert.Contains("MULTI", ours);
    }

    [Theory]
    [InlineData("always")]
    [InlineData("everysec")]
    public async Task Transactions_of_many_clients_come_back_whole(string policy)
    {
        const int ClientCount = 20;
        const int Rounds = 30;
        ServerOptions options = ServerOptions.ForTests().With("appendonly", "yes").With("appendfsync", policy).With("dir", _folder);
        await using (ServerProcess server = await ServerProcess.StartAsync(options))
        {
            await Task.WhenAll(Enumerable.Range(0, ClientCount).Select(_ => Task.Run(() =>
            {
                using RespClient client = server.Connect();
                for (int i = 0; i < Rounds; i++)
                {
                    client.Execute("MULTI");
                    client.Execute("INCR", "left");
                    client.Execute("RPUSH", "list", "x");
                    client.Execute("INCR", "right");
                    Assert.Equal(3, client.Execute("EXEC").Items.Count);
                }
            })));
        }

        await using ServerProcess again = await ServerProcess.StartAsync(options);
        using RespClient reader = again.Connect();
        Assert.Equal("600", reader.Execute("GET", "left").AsString);
        Assert.Equal("600", reader.Execute("GET", "right").AsString);
        Assert.Equal(600, reader.Execute("LLEN", "list").AsInteger);
    }

    private async Task<List<string>> RunAsync(ServerOptions options, string name)
    {
        string folder = Path.Combine(_folder, name);
        Directory.CreateDirectory(folder);
        await using (ServerProcess server = await ServerProcess.StartAsync(options.With("dir", folder).With("appendonly", "yes")))
        {
            using RespClient client = server.Connect();
            foreach (string request in Requests)
            {
                client.Send(CommandLine.Split(request));
                _ = client.ReadReply();
                while (request.StartsWith("SET old", StringComparison.Ordinal) && client.Execute("EXISTS", "old").AsInteger == 1)
                {
                    // Its time comes in a millisecond.
                }
            }
        }

        return [.. AofRequests.ReadLast(folder).Where(request => !request.Contains("old", StringComparison.Ordinal)
            && !request.StartsWith("SET z", StringComparison.Ordinal))];
    }
}
