using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Aof;

/// <summary>A folder of a server with an append-only file, and what its tests ask again and again.</summary>
public abstract class AppendOnlyFolder : IDisposable
{
    /// <summary>How long anything may take, at most.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Where the servers keep their files.</summary>
    protected string Root { get; } = TestPaths.CreateTempFolder("aof");

    public void Dispose()
    {
        TestPaths.DeleteFolder(Root);
        GC.SuppressFinalize(this);
    }

    protected Task<ServerProcess> StartAsync(bool ours, params (string Name, string Value)[] settings)
    {
        ServerOptions options = ServerOptions.ForTests(ours ? null : ReferenceServer.Binary)
            .With("dir", Root).With("appendonly", "yes");
        foreach ((string name, string value) in settings)
        {
            options.With(name, value);
        }

        return ServerProcess.StartAsync(options);
    }

    protected async Task<string> FailToStartAsync(params (string Name, string Value)[] settings)
    {
        ServerStartException failure = await Assert.ThrowsAsync<ServerStartException>(() => StartAsync(ours: true, settings));
        return failure.Message;
    }

    // As a crash does: nothing is written any more.
    protected static async Task KillAsync(ServerProcess server)
    {
        PosixSignal.Send(server.ProcessId, 9);
        Assert.True(await server.WaitForExitAsync(Patience));
    }

    protected static string Digest(RespClient client)
    {
        foreach (string db in new[] { "0", "1" })
        {
            client.Execute("SELECT", db);
            client.Execute("SCAN", "0", "COUNT", "100000");
        }

        return client.Execute("DEBUG", "DIGEST").AsString;
    }

    protected static string Info(RespClient client, string field)
    {
        string info = client.Execute("INFO", "persistence").AsString;
        int start = info.IndexOf(field + ":", StringComparison.Ordinal) + field.Length + 1;
        return info[start..info.IndexOf('\r', start)];
    }

    protected static void Wait(Func<bool> condition) => WaitFor(condition, static holds => holds);

    // Each turn is a request to the server that is waited for.
    protected static T WaitFor<T>(Func<T> ask, Func<T, bool> isEnough)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        T answer = ask();
        while (!isEnough(answer))
        {
            Assert.True(Environment.TickCount64 < end, "It does not happen.");
            answer = ask();
        }

        return answer;
    }
}
