using System.Net;
using System.Text;
using KvServer.Server.Config;
using KvServer.Server.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvServer.Server.Tests.Net;

public sealed class NetServicesTests : IDisposable
{
    private readonly ServerConfig _config = new();
    private readonly TestExecutor _executor;

    public NetServicesTests() => _executor = new TestExecutor(_config);

    public void Dispose() => _executor.Dispose();

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("10.0.0.7", false)]
    [InlineData("2001:db8::1", false)]
    public void Protected_mode_lets_in_loopback_alone(string address, bool admitted)
    {
        using NetServices services = Create();
        string refusal = Admit(services, new IPEndPoint(IPAddress.Parse(address), 1234));
        Assert.Equal(admitted, refusal.Length == 0);
        Assert.Equal(admitted ? 1 : 0, services.ConnectionCount);
        if (!admitted)
        {
            Assert.StartsWith("-DENIED Redis is running in protected mode because", refusal, StringComparison.Ordinal);
            Assert.EndsWith("from the outside.\r\n", refusal, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_failure_that_cannot_be_logged_still_ends_the_server()
    {
        using NetServices services = new(_config, _executor.Executor, new FullLogger());
        int raised = 0;
        services.Failed += () => raised++;
        Assert.Throws<OutOfMemoryException>(() => services.Fail(new InvalidOperationException()));
        services.Fail(new InvalidOperationException());
        Assert.Equal(1, raised);
    }

    [Fact]
    public void A_password_or_protected_mode_off_lets_everybody_in()
    {
        using NetServices services = Create();
        IPEndPoint remote = new(IPAddress.Parse("10.0.0.7"), 1234);
        _executor.Server.Acl.SetRequiredPassword([1]);
        Assert.Equal("", Admit(services, remote));
        _executor.Server.Acl.SetRequiredPassword([]);
        Assert.NotEqual("", Admit(services, remote));
        _config.ProtectedMode = false;
        Assert.Equal("", Admit(services, remote));
    }

    [Fact]
    public void A_unix_socket_is_never_refused_by_protected_mode()
    {
        using NetServices services = Create();
        Assert.Equal("", Admit(services, null));
    }

    private static string Admit(NetServices services, EndPoint? remote) =>
        Encoding.Latin1.GetString(services.Admit(remote));

    private NetServices Create() => new(_config, _executor.Executor, NullLogger.Instance);

    private sealed class FullLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        [System.Diagnostics.CodeAnalysis.SuppressMessage(
            "Usage", "CA2201:Do not raise reserved exception types", Justification = "It stands in for the runtime.")]
        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new OutOfMemoryException();
    }
}
