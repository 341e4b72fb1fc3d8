using System.Globalization;
using KvServer.Server.Config;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Net;

/// <summary>Finds the threads of a loop by their names, so these run while no other test does.</summary>
[Collection(nameof(AloneCollection))]
public sealed class EventLoopIdleTests
{
    // The kernel counts in hundredths of a second. A loop that spins for one has its share of the cores: tens of them.
    private const int MaxTicks = 5;

    [Fact]
    public async Task A_client_that_breaks_between_handshake_and_session_does_not_spin_the_loop()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs epoll");
        using TestCertificates certificates = new();
        await using NetServer server = NetServer.Start(EventLoopKind.Epoll, config =>
        {
            config.IoThreads = 2;
            config.TlsPort = FreePort.Next();
            config.TlsCertFile = certificates.ServerCertFile;
            config.TlsKeyFile = certificates.ServerKeyFile;
            config.TlsCaCertFile = certificates.CaFile;
        });
        using RawClient onFirst = server.Connect();
        Assert.Equal("+PONG", onFirst.Call("PING"));
        RawClient onSecond = RawClient.Connect(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, server.Config.TlsPort));
        await UntilAsync(() => server.State.Tls.PendingHandshakes == 1);

        // The first loop holds the command loop, so the second cannot open the session.
        using ManualResetEventSlim entered = new();
        using ManualResetEventSlim leave = new();
        server.Transport.Post(() =>
        {
            entered.Set();
            _ = leave.Wait(60_000);
        });
        Assert.True(entered.Wait(20_000, TestContext.Current.CancellationToken));
        long ticks;
        try
        {
            using TlsClient client = TlsClient.Over(onSecond, certificates, certificates.Client);
            await UntilAsync(() => server.State.Tls.PendingHandshakes == 0);
            client.Reset();
            ticks = -TicksOf("kv-loop-1");
            await Task.Delay(1000, TestContext.Current.CancellationToken);
            ticks += TicksOf("kv-loop-1");
        }
        finally
        {
            leave.Set();
        }

        Assert.InRange(ticks, 0, MaxTicks);
        Assert.True(await server.HasConnectionsAsync(1));
        Assert.Equal("+PONG", onFirst.Call("PING"));
    }

    private static async Task UntilAsync(Func<bool> isDone)
    {
        for (int i = 0; i < 2000 && !isDone(); i++)
        {
            await Task.Delay(10);
        }

        Assert.True(isDone());
    }

    private static long TicksOf(string thread)
    {
        long ticks = 0;
        int threads = 0;
        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            if (File.ReadAllText(Path.Combine(task, "comm")).TrimEnd() == thread)
            {
                string[] fields = File.ReadAllText(Path.Combine(task, "stat")).Split(' ');
                ticks += long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture);
                threads++;
            }
        }

        Assert.NotEqual(0, threads);
        return ticks;
    }
}
