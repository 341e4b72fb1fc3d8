using System.Globalization;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What ten clients with a password notice while others without one do their worst.</summary>
internal static class Attacks
{
    private const string Password = "a-secret";
    private const int Keys = 10_000;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(BenchmarkOptions options)
    {
        FileLimit.Raise(12_000);
        using TestCertificates certificates = new();
        Table table = new(
            "attack", "server", "requests/s", "p50 ms", "p99 ms", "max ms", "resident growth MB", "connections tried", "closed on them");
        foreach (string name in Attacker.Kinds.Where(options.Chooses))
        {
            foreach (int i in new[] { 0, 1 })
            {
                int tlsPort = FreePort.Next();
                await using Contestant server = await options.StartAsync(i, server => server
                    .With("requirepass", Password)
                    .With("tls-port", tlsPort.ToString(CultureInfo.InvariantCulture))
                    .With("tls-cert-file", certificates.ServerCertFile)
                    .With("tls-key-file", certificates.ServerKeyFile)
                    .With("tls-ca-cert-file", certificates.CaFile));
                using ConnectionLoad load = new(
                    server, Enumerable.Range(0, 10).Select(seed => new KeyRequests(Keys, setPercent: 10, seed)), Password);
                TimeSpan time = TimeSpan.FromSeconds(options.Quick ? 3 : 10);
                await load.MeasureAsync(() => Task.Delay(time)); // Warm.
                long before = server.ResidentBytes;
                long peak = before;
                using Attacker attacker = new(name, server.Server.Port, tlsPort, most: name == "connections" ? 10_000 : 1000);
                using CancellationTokenSource end = new();
                Thread thread = new(() => Attack(attacker, end.Token)) { IsBackground = true, Name = "attacker" };
                thread.Start();
                try
                {
                    LoadPhase phase = await load.MeasureAsync(async () =>
                    {
                        long endsAt = Environment.TickCount64 + (long)time.TotalMilliseconds;
                        while (Environment.TickCount64 < endsAt)
                        {
                            await Task.Delay(LookEvery);
                            peak = Math.Max(peak, server.ResidentBytes);
                        }
                    });
                    BenchmarkRun run = phase.ToRun(phase.Latencies.Keys.Single());
                    table.Add(
                        name, server.Name, run.RequestsPerSecond, run.P50Ms, run.P99Ms, run.MaxMs, (peak - before) / 1e6,
                        attacker.Tried, attacker.Closed);
                }
                catch (InvalidOperationException)
                {
                    table.Add(name, server.Name, "no answer for a minute", "", "", "", "", attacker.Tried, attacker.Closed);
                }
                finally
                {
                    end.Cancel();
                    thread.Join();
                }
            }
        }

        table.Print("10 connections with a password, 90 % GET at -P 1, beside attackers without one");
    }

    private static void Attack(Attacker attacker, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            if (!attacker.Turn())
            {
                end.WaitHandle.WaitOne(1);
            }
        }
    }
}
