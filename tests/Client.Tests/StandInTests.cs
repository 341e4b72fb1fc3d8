using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>The server starts, logs and stops the way scripts written for redis-server expect.</summary>
public sealed class StandInTests
{
    private static readonly string Binary = TestPaths.ServerBinary;

    [Fact]
    public async Task A_configuration_file_and_options_start_it()
    {
        using TempFile file = new("# a comment\nport 1\nsave \"\"\ndatabases 3\nmaxmemory 1gb\n");
        await using ServerProcess server = await StartAsync(port => [file.Path, "--port", port]);
        using RespClient client = server.Connect();
        Assert.Equal("3", client.Execute("CONFIG", "GET", "databases")["databases"]!.AsString);
        Assert.Equal("1073741824", client.Execute("CONFIG", "GET", "maxmemory")["maxmemory"]!.AsString);
        string info = client.Execute("INFO", "server").AsString;
        Assert.Contains($"config_file:{file.Path}\r\n", info, StringComparison.Ordinal);
        Assert.Contains($"process_id:{server.ProcessId}\r\n", info, StringComparison.Ordinal);
        Assert.Contains($"tcp_port:{server.Port}\r\n", info, StringComparison.Ordinal);
        Assert.Matches("run_id:[0-9a-f]{40}\r\n", info);
        Assert.Matches("executable:/", info);
    }

    [Fact]
    public async Task An_option_and_its_value_may_be_one_argument()
    {
        await using ServerProcess server = await StartAsync(port => ["--port " + port, "--save \"\"", "--databases 5"]);
        using RespClient client = server.Connect();
        Assert.Equal("5", client.Execute("CONFIG", "GET", "databases")["databases"]!.AsString);
    }

    [Fact]
    public async Task Options_from_standard_input_start_it()
    {
        ServerOptions options = Options(out string port);
        options.CommandLine = ["-"];
        options.StandardInput = $"port {port}\nsave \"\"\ndatabases 6\n";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient client = server.Connect();
        Assert.Equal("6", client.Execute("CONFIG", "GET", "databases")["databases"]!.AsString);
    }

    [Fact]
    public async Task The_log_says_that_it_is_ready_and_its_process_id()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        if (!TestPaths.IsStandIn)
        {
            Assert.Contains("Ready to accept connections tcp", server.Log, StringComparison.Ordinal);
            Assert.Contains($" PID: {server.ProcessId}", server.Log, StringComparison.Ordinal);
        }

        Assert.Contains($"{server.ProcessId}:M ", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sigterm_ends_it_with_code_0_and_a_goodbye()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        using RespClient client = server.Connect();
        client.Execute("SET", "k", "v");
        Assert.Equal(0, await server.StopAsync());
        Assert.Contains("bye bye", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sigint_ends_it_with_code_0()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        PosixSignal.Send(server.ProcessId, PosixSignal.Interrupt);
        Assert.True(await server.WaitForExitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task Shutdown_ends_it_with_code_0()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        using RespClient client = server.Connect();
        client.Send("SHUTDOWN", "NOSAVE");
        Assert.Throws<EndOfStreamException>(client.ReadReply);
        Assert.True(await server.WaitForExitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task A_port_in_use_is_said_and_ends_it_with_code_1()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        string port = server.Port.ToString(CultureInfo.InvariantCulture);
        ToolRun run = await ToolRun.RunAsync(Binary, ["--port", port, "--save", ""]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Failed listening on port", run.All, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Theory]
    [InlineData("--nosuchoption", "1")]
    [InlineData("--port", "notanumber")]
    [InlineData("--maxmemory", "12xb")]
    [InlineData("--databases", "0")]
    public async Task A_wrong_option_ends_it_with_code_1_and_is_named(string name, string value)
    {
        ToolRun run = await ToolRun.RunAsync(Binary, [name, value]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(name[2..], run.All, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Fact]
    public async Task A_wrong_line_of_a_file_ends_it_with_code_1_and_its_number()
    {
        using TempFile file = new("port 1\n\nnosuchoption yes\n");
        ToolRun run = await ToolRun.RunAsync(Binary, [file.Path]);
        Assert.Equal(1, run.ExitCode);
        Assert.Matches("(line|:) ?3", run.Errors);
        Assert.Contains("nosuchoption", run.Errors, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Fact]
    public async Task A_missing_file_ends_it_with_code_1()
    {
        ToolRun run = await ToolRun.RunAsync(Binary, ["/nonexistent/kv.conf"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("/nonexistent/kv.conf", run.All, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("-v")]
    public async Task The_version_line_has_the_known_form(string option)
    {
        ToolRun run = await ToolRun.RunAsync(Binary, [option]);
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"v=\d+\.\d+\.\d+ sha=\S+ malloc=\S+ bits=64 build=[0-9a-f]+\n$", run.Output);
    }

    [Fact]
    public async Task Help_is_printed()
    {
        ToolRun run = await ToolRun.RunAsync(Binary, ["--help"]);
        Assert.Contains("--port", run.All, StringComparison.Ordinal);
    }

    private static Task<ServerProcess> StartAsync(Func<string, IReadOnlyList<string>> commandLine)
    {
        ServerOptions options = Options(out string port);
        options.CommandLine = commandLine(port);
        return ServerProcess.StartAsync(options);
    }

    private static ServerOptions Options(out string port)
    {
        port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        return new ServerOptions().With("port", port);
    }

    private static void AssertNoStackTrace(ToolRun run) =>
        Assert.DoesNotContain("   at ", run.All, StringComparison.Ordinal);
}
