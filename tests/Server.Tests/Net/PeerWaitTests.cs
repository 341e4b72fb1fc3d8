using KvServer.Server.Net.Tls;

namespace KvServer.Server.Tests.Net;

/// <summary>What a handshake is held responsible for.</summary>
public sealed class PeerWaitTests
{
    [Fact]
    public void Only_waiting_for_the_client_counts()
    {
        PeerWait wait = new();
        Assert.True(wait.HasWaited(0));
        Assert.False(wait.HasWaited(60_000));
        wait.End();
        Assert.False(wait.HasWaited(0));
        wait.Begin();
        Assert.True(wait.HasWaited(0));
    }
}
