using System.Globalization;
using System.Reflection;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Tests.Config;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Tests.Hosting;

public sealed class ServerHostTests : IDisposable
{
    private static readonly Action<ILogger, string, Exception?> Fine =
        LoggerMessage.Define<string>(LogLevel.Trace, new EventId(1), "fine {What}");

    private readonly ConfigFixture _fixture = new();

    private string LogPath => Path.Combine(_fixture.Folder, "log");

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task A_run_starts_parts_in_order_announces_each_endpoint_kind_once_and_stops_in_reverse()
    {
        var events = new List<string>();
        string pidFile = Path.Combine(_fixture.Folder, "pid");
        int exitCode = await RunAsync(events, "--pidfile", pidFile, "--cluster-port", "7");
        Assert.Equal(0, exitCode);
        Assert.Equal(["start a", "start b", "stop b", "stop a"], events);
        string[] lines = await File.ReadAllLinesAsync(LogPath);
        string pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Assert.All(lines, l => Assert.Matches(
            $@"^{pid}:[CM] \d\d [A-Z][a-z][a-z] \d{{4}} \d\d:\d\d:\d\d\.\d{{3}} [.*#-] .", l));
        Assert.Single(lines, l => l.EndsWith("* Ready to accept connections tcp", StringComparison.Ordinal));
        Assert.Single(lines, l => l.EndsWith("* Ready to accept connections unix", StringComparison.Ordinal));
        Assert.Single(lines, l => l.Contains("'cluster-port' is known", StringComparison.Ordinal));
        Assert.Matches($"(?s) PID: {pid}\n.*Server initialized", string.Join('\n', lines));
        Assert.EndsWith("bye bye...", lines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(pidFile));
    }

    [Fact]
    public async Task A_part_that_can_not_start_ends_the_run_with_one_line_and_code_1()
    {
        var events = new List<string>();
        int exitCode = await ServerHost.RunAsync(["--logfile", LogPath], services => services
            .AddSingleton<IServerPart>(new Part("a", events, ["tcp"], _ => { }))
            .AddSingleton<IServerPart>(new Part("b", events, [], _ => throw StartupException.ListeningFailed(7000, "tcp"))));
        Assert.Equal(1, exitCode);
        Assert.Equal(["start a", "start b", "stop b", "stop a"], events);
        string[] lines = await File.ReadAllLinesAsync(LogPath);
        Assert.EndsWith("# Failed listening on port 7000 (tcp), aborting.", lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(lines, l => l.StartsWith("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_server_is_initialized_before_its_parts_are_ready_and_ready_only_then()
    {
        string pidFile = Path.Combine(_fixture.Folder, "pid");
        string before = "";
        bool hadPidFile = false;
        int exitCode = await ServerHost.RunAsync(["--logfile", LogPath, "--pidfile", pidFile], services => services
            .AddSingleton<IServerPart>(provider => new Part("a", [], ["tcp"], _ => ShutDownOnceStarted(provider))
            {
                UntilReady = async () =>
                {
                    before = await File.ReadAllTextAsync(LogPath);
                    hadPidFile = File.Exists(pidFile);
                },
            }));
        Assert.Equal(0, exitCode);
        Assert.True(hadPidFile);
        Assert.Contains("Server initialized", before, StringComparison.Ordinal);
        Assert.DoesNotContain("Ready to accept connections", before, StringComparison.Ordinal);
        Assert.Contains("Ready to accept connections", await File.ReadAllTextAsync(LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_that_can_not_become_ready_ends_the_run_and_no_pid_file_is_left()
    {
        string pidFile = Path.Combine(_fixture.Folder, "pid");
        int exitCode = await ServerHost.RunAsync(["--logfile", LogPath, "--pidfile", pidFile], services => services
            .AddSingleton<IServerPart>(new Part("a", [], ["tcp"], _ => { })
            {
                UntilReady = () => throw new StartupException("It cannot be loaded."),
            }));
        Assert.Equal(1, exitCode);
        Assert.EndsWith("# It cannot be loaded.", (await File.ReadAllLinesAsync(LogPath))[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(pidFile));
    }

    [Fact]
    public async Task Loglevel_changes_while_running()
    {
        ConfigService? service = null;
        int exitCode = await RunAsync([], "--loglevel", "warning");
        Assert.Equal(0, exitCode);
        Assert.DoesNotContain(await File.ReadAllLinesAsync(LogPath), l => l.Contains(" * ", StringComparison.Ordinal));

        exitCode = await ServerHost.RunAsync(["--logfile", LogPath, "--loglevel", "nothing"], services =>
        {
            File.Delete(LogPath);
            services.AddSingleton<IServerPart>(provider =>
            {
                service = provider.GetRequiredService<ConfigService>();
                var log = provider.GetRequiredService<ILogger<ServerHostTests>>();
                return new Part("a", [], ["tcp"], _ =>
                {
                    Assert.Null(ConfigFixture.Set(service, "loglevel", "debug"));
                    Fine(log, "a\nb", null);
                    ShutDownOnceStarted(provider);
                });
            });
        });
        Assert.Equal(0, exitCode);
        Assert.EndsWith(". fine a?b", (await File.ReadAllLinesAsync(LogPath))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_file_that_can_not_be_written_is_one_clear_error() =>
        Assert.Equal(1, await ServerHost.RunAsync(["--logfile", "/nonexistent/log"], _ => { }));

    [Fact]
    public void Event_ids_are_unique_in_the_whole_server()
    {
        var ids = typeof(ServerHost).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(
                BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic |
                BindingFlags.DeclaredOnly))
            .Select(m => (Method: m, Attribute: m.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(m => m.Attribute is not null)
            .ToLookup(m => m.Attribute!.EventId, m => $"{m.Method.DeclaringType}.{m.Method.Name}");
        Assert.True(ids.Count > 10);
        Assert.All(ids, group => Assert.True(group.Count() == 1, string.Join(" and ", group)));
        Assert.DoesNotContain(ids, group => group.Key <= 0);
    }

    private Task<int> RunAsync(List<string> events, params string[] args) => ServerHost.RunAsync(
        ["--logfile", LogPath, .. args], services => services
            .AddSingleton<IServerPart>(new Part("a", events, ["tcp", "unix"], _ => { }))
            .AddSingleton<IServerPart>(provider => new Part("b", events, ["tcp"], _ => ShutDownOnceStarted(provider))));

    private static void ShutDownOnceStarted(IServiceProvider provider) =>
        provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(
            provider.GetRequiredService<ServerLifetime>().RequestShutdown);

    private sealed class Part(string name, List<string> events, string[] kinds, Action<Part> onStart) : IServerPart
    {
        public Func<Task> UntilReady { get; init; } = () => Task.CompletedTask;

        public IReadOnlyList<string> EndpointKinds => kinds;

        public Task WaitUntilReadyAsync(CancellationToken cancel) => UntilReady();

        public Task StartAsync(CancellationToken cancel)
        {
            events.Add("start " + name);
            onStart(this);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancel)
        {
            events.Add("stop " + name);
            return Task.CompletedTask;
        }
    }
}
