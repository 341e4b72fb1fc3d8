using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>Clients without the password can take neither the server's memory nor its time.</summary>
public sealed class AttackTests
{
    public static TheoryData<string> Kinds => [.. Attacker.Kinds.Skip(1)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Who_may_not_log_in_costs_little_and_others_are_served(string kind)
    {
        const int Turns = 1500;
        using TestCertificates certificates = new();
        int tlsPort = FreePort.Next();
        ServerOptions options = ServerOptions.ForTests()
            .With("requirepass", "a-secret")
            .With("tls-port", tlsPort.ToString(CultureInfo.InvariantCulture))
            .With("tls-cert-file", certificates.ServerCertFile)
            .With("tls-key-file", certificates.ServerKeyFile)
            .With("tls-ca-cert-file", certificates.CaFile);
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient client = server.Connect();
        Assert.Equal("OK", client.Execute("AUTH", "a-secret").AsString);
        long before = ProcessCounters.ResidentBytes(server.ProcessId);
        using Attacker attacker = new(kind, server.Port, tlsPort, most: 500);
        bool mustBeClosed = kind is "huge lengths" or "half TLS handshakes";
        for (int i = 0; i < Turns || (mustBeClosed && attacker.Closed == 0 && i < 200 * Turns); i++)
        {
            attacker.Turn();
            if (i % 50 == 0 || i >= Turns)
            {
                Assert.Equal("PONG", client.Execute("PING").AsString);
            }
        }

        // Far less than what was asked for: 512 MB in one request, or the replies to all those nobody reads.
        Assert.InRange(ProcessCounters.ResidentBytes(server.ProcessId) - before, long.MinValue, 150_000_000);
        Assert.Equal("PONG", client.Execute("PING").AsString);
        Assert.InRange(attacker.Tried, 500, long.MaxValue); // It has been at work,
        Assert.True(attacker.Closed > 0 || !mustBeClosed); // and was shown the door.
    }
}
