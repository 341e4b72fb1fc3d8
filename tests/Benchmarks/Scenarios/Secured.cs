using System.Globalization;
using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What rights and encryption cost: a user with 50 rules against one with none, and TLS on both servers.</summary>
internal static class Secured
{
    private const int KeySpace = 100_000;
    private const string User = "limited";
    private const string Password = "a-secret";
    private static readonly string[] Set = ["SET", "key:__rand_int__", "xxx"];
    private static readonly string[] Get = ["GET", "key:__rand_int__"];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        if (options.Chooses("acl"))
        {
            await RunAclAsync(options);
        }

        if (options.Chooses("tls"))
        {
            await RunTlsAsync(options);
        }
    }

    private static Task RunAclAsync(BenchmarkOptions options)
    {
        const string Title = "A user with 50 rules, the pattern that fits being the last of 25";
        return new SwitchCost(Title, "no rules", "50 rules", options).RunAsync(static (server, control) =>
            control.Execute(["ACL", "SETUSER", User, "on", ">" + Password, "-@all", .. Rules()]).AsString == "OK"
                ? static isLimited => isLimited ? ["--user", User, "-a", Password] : []
                : throw new InvalidOperationException($"{server.Name} refused the rules."));
    }

    // 25 rules for commands and 25 patterns for keys, of which the last fits.
    private static IEnumerable<string> Rules() =>
    [
        "+@read", "+@string", "+@hash", "+@list", "-@dangerous",
        .. new[]
        {
            "ping", "set", "get", "del", "incr", "decr", "expire", "ttl", "hset", "hget", "lpush", "rpop", "sadd", "srem",
            "zadd", "zrem", "type", "exists", "rename", "config|get",
        }.Select(name => "+" + name),
        .. Enumerable.Range(0, 24).Select(i => string.Create(CultureInfo.InvariantCulture, $"~tenant{i}:*")),
        "~key:*",
    ];

    private static async Task RunTlsAsync(BenchmarkOptions options)
    {
        using TestCertificates certificates = new();
        int[] ports = [FreePort.Next(), FreePort.Next()];
        int next = 0;
        CommandComparison comparison = new("TLS", options, KeySpace);
        Contestant[] servers = await options.StartBothAsync(server => server
            .With("tls-port", string.Create(CultureInfo.InvariantCulture, $"{ports[next++]}"))
            .With("tls-cert-file", certificates.ServerCertFile)
            .With("tls-key-file", certificates.ServerKeyFile)
            .With("tls-ca-cert-file", certificates.CaFile)
            .With("tls-auth-clients", "no"));
        try
        {
            foreach (int pipeline in new[] { 1, 16 })
            {
                long requests = (options.Quick ? 50_000 : 200_000) * (pipeline == 1 ? 1 : 5);
                foreach ((string name, string[] command) in new[] { ("SET", Set), ("GET", Get) })
                {
                    for (int i = 0; i < 2; i++)
                    {
                        await BenchmarkRun.RunAsync(servers[i].Server, requests, pipeline, KeySpace, command, more: Login(i));
                    }

                    await comparison.AddAsync(servers, name, command, pipeline, requests, Login);
                }
            }
        }
        finally
        {
            await Contestant.StopAsync(servers);
        }

        comparison.Print("Over TLS 1.3");

        string[] Login(int i) =>
            ["-p", string.Create(CultureInfo.InvariantCulture, $"{ports[i]}"), "--tls", "--cacert", certificates.CaFile];
    }
}
