using System.Text;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>The entrypoint and the health check of the image, run in a plain folder with stand-ins on PATH.</summary>
public sealed class EntrypointTests : IDisposable
{
    private const string DefaultConf = "/etc/kvserver/kvserver.conf";
    private readonly string _folder = TestPaths.CreateTempFolder("entrypoint");
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);

    public EntrypointTests()
    {
        foreach (string name in new[] { "kvserver", "redis-cli", "othertool" })
        {
            AddEcho(name);
        }

        AddTool("id", "#!/bin/sh\necho 999\n"); // Nobody is root here.
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
        { ["redis-server", "-"], "kvserver|-|--bind|*|-::*|--protected-mode|no" },
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
    [InlineData("include /data/other.conf", "")]
    public async Task A_file_decides_and_gets_container_defaults_for_the_rest(string text, string added)
    {
        using TempFile file = new(text + "\n", "redis.conf");
        string expected = $"kvserver|{file.Path}|{added}--port|7000\n";
        Assert.Equal(expected, await RunAsync("entrypoint.sh", file.Path, "--port", "7000"));
        Assert.Equal(expected, await RunAsync("entrypoint.sh", "redis-server", file.Path, "--port", "7000"));
    }

    [Theory]
    [InlineData("maxmemory 1gb", "--bind|*|-::*|--protected-mode|no|")]
    [InlineData("bind 127.0.0.1\nprotected-mode yes", "")]
    [InlineData("include /data/other.conf", "")]
    public async Task Standard_input_decides_like_a_file_and_reaches_the_server(string text, string added)
    {
        AddTool("kvserver", "#!/bin/sh\nprintf '%s|' kvserver \"$@\"\necho\ncat\n");
        text += "\nrequirepass \"a\\x00$HOME `b` 'c\"\n#" + new string('x', 200_000) + "\n"; // More than a pipe holds.
        foreach (string[] form in (string[][])[["-"], ["redis-server", "-"], ["kvserver", "-"]])
        {
            ToolRun run = await RunScriptAsync("entrypoint.sh", [.. form, "--port", "7000"], Encoding.ASCII.GetBytes(text));
            Assert.Equal(("", $"kvserver|-|{added}--port|7000|\n{text}"), (run.Errors, run.Output));
        }
    }

    [Fact]
    public async Task What_the_environment_says_is_no_default()
    {
        using TempFile file = new("save \"\"\n", "redis.conf");
        _environment["KVSERVER_BIND"] = "127.0.0.1";
        Assert.Equal($"kvserver|{file.Path}|--protected-mode|no\n", await RunAsync("entrypoint.sh", file.Path));
        _environment["KVSERVER_PROTECTED_MODE"] = "yes";
        Assert.Equal($"kvserver|{file.Path}\n", await RunAsync("entrypoint.sh", file.Path));
    }

    [Fact]
    public async Task Root_gives_the_volume_away_and_goes_on_as_another_user()
    {
        AddTool("id", "#!/bin/sh\necho 0\n");
        AddEcho("find");
        AddEcho("setpriv");
        string script = Path.Combine(TestPaths.RepositoryRoot, "docker", "entrypoint.sh");
        const string Find = "find|.|!|-user|kvserver|-exec|chown|-h|kvserver:kvserver|{}|+\n";
        const string Drop = "setpriv|--reuid=kvserver|--regid=kvserver|--clear-groups|--no-new-privs|";
        Assert.Equal($"{Find}{Drop}{script}|kvserver|--port|7000\n", await RunAsync("entrypoint.sh", "--port", "7000"));
        Assert.Equal($"{Find}{Drop}{script}|redis-server|--save|\n", await RunAsync("entrypoint.sh", "redis-server", "--save", ""));
        Assert.Equal("othertool|1\n", await RunAsync("entrypoint.sh", "othertool", "1"));
    }

    [Fact]
    public async Task A_volume_that_can_not_be_given_away_is_no_reason_to_stop()
    {
        AddTool("id", "#!/bin/sh\necho 0\n");
        AddTool("find", "#!/bin/sh\nexit 1\n");
        AddEcho("setpriv");
        ToolRun run = await RunScriptAsync("entrypoint.sh", []);
        Assert.StartsWith("setpriv|", run.Output, StringComparison.Ordinal);
        Assert.Contains("could not make kvserver the owner", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_check_asks_with_the_arguments_of_the_server()
    {
        AddProcess("1", "docker-init", "docker-init", "--", "entrypoint.sh");
        AddProcess("12", "kvserver", "kvserver", "--health", "--port", "1");
        AddProcess("7", "kvserver", "kvserver", "/etc/a b.conf", "--save", "", "--port", "7000");
        Assert.Equal("kvserver|--health|/etc/a b.conf|--save||--port|7000\n", await RunAsync("healthcheck.sh"));
        Assert.Equal("kvserver|--health|-p|9\n", await RunAsync("healthcheck.sh", "-p", "9"));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(134, 1)]
    public async Task The_health_check_ends_as_the_servers_own_does(int theirs, int ours)
    {
        AddTool("kvserver", $"#!/bin/sh\nexit {theirs}\n");
        AddProcess("1", "kvserver", "kvserver");
        Assert.Equal(ours, (await RunScriptAsync("healthcheck.sh", [])).ExitCode);
    }

    [Fact]
    public async Task The_health_check_without_a_server_fails()
    {
        AddProcess("1", "sh", "sh");
        ToolRun run = await RunScriptAsync("healthcheck.sh", []);
        Assert.Equal((1, "unhealthy: no server runs here\n"), (run.ExitCode, run.Output));
    }

    public void Dispose() => TestPaths.DeleteFolder(_folder);

    private async Task<string> RunAsync(string script, params string[] arguments)
    {
        ToolRun run = await RunScriptAsync(script, arguments);
        Assert.Equal("", run.Errors);
        Assert.Equal(0, run.ExitCode);
        return run.Output;
    }

    private Task<ToolRun> RunScriptAsync(string script, string[] arguments, byte[]? input = null)
    {
        _environment["PROCESSES"] = Path.Combine(_folder, "processes");
        _environment["PATH"] = _folder + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        string path = Path.Combine(TestPaths.RepositoryRoot, "docker", script);
        return ToolRun.RunAsync("/bin/sh", [path, .. arguments], input, _folder, environment: _environment);
    }

    /// <summary>A tool that prints how it was called.</summary>
    private void AddEcho(string name) =>
        AddTool(name, $"#!/bin/sh\nprintf '%s' {name}\nfor a in \"$@\"; do printf '|%s' \"$a\"; done\necho\n");

    private void AddProcess(string id, string name, params string[] words)
    {
        string folder = Path.Combine(_folder, "processes", id);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "comm"), name + "\n");
        File.WriteAllText(Path.Combine(folder, "cmdline"), string.Concat(words.Select(word => word + "\0")));
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
