using System.Net;
using System.Net.Sockets;
using KvServer.Server.Hosting;

namespace KvServer.Server.Tests.Net;

/// <content>Addresses that are listened on.</content>
public abstract partial class TransportTests
{
    [Fact]
    public async Task A_unix_socket_replaces_a_stale_one_and_has_its_permission()
    {
        string path = Path.Combine(Path.GetTempPath(), $"kv-{Guid.NewGuid():N}.sock");
        using (Socket stale = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            stale.Bind(new UnixDomainSocketEndPoint(path));
        }

        await File.WriteAllTextAsync(path + ".x", ""); // The folder is left as it was, but for the socket.
        await using (NetServer server = Start(config =>
        {
            config.Port = 0;
            config.UnixSocket = path;
            config.UnixSocketPerm = 0x1C0; // 700
        }))
        {
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            }

            using RawClient client = RawClient.Connect(new UnixDomainSocketEndPoint(path));
            Assert.Equal("+PONG", client.Call("PING"));
            Assert.Equal(["unix"], server.Transport.Listeners.All.Select(static listener => listener.Kind));
        }

        Assert.False(File.Exists(path));
        File.Delete(path + ".x");
    }

    [Fact]
    public async Task A_port_in_use_is_said_in_one_line()
    {
        await using NetServer server = Start();
        StartupException fault = Assert.Throws<StartupException>(
            () => NetServer.Start(Kind, config => config.Port = server.Config.Port));
        Assert.Equal($"Failed listening on port {server.Config.Port} (tcp), aborting.", fault.Message);
    }

    [Fact]
    public async Task An_address_this_machine_lacks_is_forgiven_only_when_optional()
    {
        await using NetServer server = Start(static config => config.Bind = ["127.0.0.1", "-203.0.113.7"]);
        using RawClient client = server.Connect();
        Assert.Equal("+PONG", client.Call("PING"));
        Assert.Throws<StartupException>(
            () => NetServer.Start(Kind, static config => config.Bind = ["127.0.0.1", "203.0.113.7"]));
    }

    [Fact]
    public async Task Several_addresses_are_served()
    {
        await using NetServer server = Start(static config => config.Bind = ["127.0.0.1", "127.0.0.2", "-::1"]);
        using RawClient first = server.Connect();
        using RawClient second = RawClient.Connect(new IPEndPoint(IPAddress.Parse("127.0.0.2"), server.Config.Port));
        Assert.Equal("+PONG", first.Call("PING"));
        Assert.Equal("+PONG", second.Call("PING"));
        Assert.All(server.Transport.Listeners.All, static listener => Assert.Equal("tcp", listener.Kind));
    }

    [Fact]
    public async Task Listening_elsewhere_keeps_the_connections_and_a_failure_can_be_taken_back()
    {
        await using NetServer server = Start();
        using RawClient client = server.Connect();
        Assert.Equal("+PONG", client.Call("PING"));
        int former = server.Config.Port;
        server.Config.Port = FreePort.Next();
        Assert.True(ListenAgain(server));
        using (RawClient second = server.Connect())
        {
            Assert.Equal("+PONG", second.Call("PING"));
        }

        Assert.Throws<SocketException>(() => RawClient.Connect(new IPEndPoint(IPAddress.Loopback, former)));
        server.Config.Bind = ["203.0.113.7"];
        Assert.False(ListenAgain(server));
        server.Config.Bind = ["127.0.0.1"];
        Assert.True(ListenAgain(server));
        using RawClient third = server.Connect();
        Assert.Equal("+PONG", third.Call("PING"));
        Assert.Equal("+PONG", client.Call("PING"));
    }

    private static bool ListenAgain(NetServer server)
    {
        TaskCompletionSource<bool> listens = new();
        server.Services.CommandLoop.Post(() => listens.SetResult(server.Transport.TryListenAgain()));
        return listens.Task.GetAwaiter().GetResult();
    }
}
