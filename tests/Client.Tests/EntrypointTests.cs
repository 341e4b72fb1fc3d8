using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>The entrypoint and the health check of the image, run in a plain folder with stand-ins on PATH.</summary>
public sealed class EntrypointTests : IDisposable
{
    private const string DefaultConf = "/etc/kvserver/kvserver.conf";
    private readonly string _folder = TestPaths.CreateTempFolder("entrypoint");

    public EntrypointTests()
    {
        foreach (string name in new[] { "kvserver", "redis-cli", "othertool" })
        {
            AddTool(name, $"#!/bin/sh\nprintf '%s' {name}\nfor a in \"$@\"; do printf '|%s' \"$a\"; done\necho\n");
        }
    }

    public static TheoryData<string[], string> Forms => new()
    {
        { [], $"kvserver|{DefaultConf}" },
        { ["--port", "7000"], $"kvserver|{DefaultConf}|--port|7000" },
        { ["kvserver"], $"kvserver|{DefaultConf}" },
        { ["redis-server", "--save", ""], $"kvserver|{DefaultConf}|--save|" },
        { ["redis-server", "port", "7000"], $"kvserver|{DefaultConf}|port|7000" },
        { ["/nonexistent/redis.conf"], "kvserver|/nonexistent/redis.conf" },
        { ["--version"], "kvserver|--version" },
        { ["redis-server", "--version"], "kvserver|--version" },
        { ["redis-server", "-"], "kvserver|-" },
        { ["redis-cli", "-h", "x", "a b"], "redis-cli|-h|x|a b" },
        { ["othertool", "1"], "othertool|1" },
        { ["sh", "-c", "echo from the shell"], "from the shell" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Each_form_of_docker_run_starts_what_it_names(string[] arguments, string expected) =>
        Assert.Equal(expected + "\n", await RunAsync("entrypoint.sh", arguments));

    [Theory]
    [InlineData("maxmemory 1gb", "--bind|*|-::*|--protected-mode|no|")]
    [InlineData("bind 127.0.0.1", "--protected-mode|no|")]
    [InlineData("  Protected-Mode yes", "--bind|*|-::*|")]
    [InlineData("bind 127.0.0.1\nprotected-mode yes", "")]
    [InlineData("# bind 127.0.0.1\n#protected-mode yes", "--bind|*|-::*|--protected-mode|no|")]
    public async Task A_file_decides_and_gets_container_defaults_for_the_rest(string text, string added)
    {
        using TempFile file = new(text + "\n", "redis.conf");
        string expected = $"kvserver|{file.Path}|{added}--port|7000\n";
        Assert.Equal(expected, await RunAsync("entrypoint.sh", file.Path, "--port", "7000"));
        Assert.Equal(expected, await RunAsync("entrypoint.sh", "redis-server", file.Path, "--port", "7000"));
    }

    [Theory]
    [InlineData("PONG", 0)]
    [InlineData("NOAUTH Authentication required.", 0)]
    [InlineData("LOADING Redis is loading the dataset in memory", 0)]
    [InlineData("Could not connect to Redis at 127.0.0.1:6379: Connection refused", 1)]
    [InlineData("", 1)]
    public async Task The_health_check_takes_a_password_for_a_sign_of_life(string reply, int exitCode)
    {
        AddTool("redis-cli", $"#!/bin/sh\necho '{reply}'\n");
        ToolRun run = await RunScriptAsync("healthcheck.sh");
        Assert.Equal(exitCode, run.ExitCode);
    }

    [Fact]
    public async Task The_health_check_finds_a_server_on_another_port()
    {
        Require.Tool("redis-cli");
        File.Delete(Path.Combine(_folder, "redis-cli"));
        await using ServerProcess server =
            await ServerProcess.StartAsync(ServerOptions.ForTests().With("requirepass", "secret"));
        ToolRun run = await RunScriptAsync("healthcheck.sh");
        Assert.Equal(0, run.ExitCode);
    }

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    private async Task<string> RunAsync(string script, params string[] arguments)
    {
        ToolRun run = await RunScriptAsync(script, arguments);
        Assert.Equal("", run.Errors);
        Assert.Equal(0, run.ExitCode);
        return run.Output;
    }

    private Task<ToolRun> RunScriptAsync(string script, params string[] arguments)
    {
        Dictionary<string, string> environment = new(StringComparer.Ordinal)
        {
            ["PATH"] = _folder + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH"),
        };
        string path = Path.Combine(TestPaths.RepositoryRoot, "docker", script);
        return ToolRun.RunAsync("/bin/sh", [path, .. arguments], folder: _folder, environment: environment);
    }

    private void AddTool(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
