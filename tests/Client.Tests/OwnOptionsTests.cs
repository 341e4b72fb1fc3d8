using System.Globalization;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>Ways to give options that redis-server does not have, or only some of its versions.</summary>
public sealed class OwnOptionsTests
{
    [Fact]
    public async Task Options_change_while_the_folder_of_the_server_is_gone()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(ServerOptions.ForTests());
        using RespClient client = server.Connect();
        Directory.Delete(server.Folder, recursive: true);
        Assert.Equal("OK", client.Execute("CONFIG", "SET", "bind-source-addr", "127.0.0.1", "hz", "20").AsString);
        Assert.Equal(["hz", "20"], client.Execute("CONFIG", "GET", "hz").AsStrings);
    }

    [Fact]
    public async Task An_option_without_dashes_starts_it()
    {
        Assert.SkipWhen(TestPaths.IsStandIn, "redis-server takes the first word for a file");
        ServerOptions options = Options(out string port);
        options.CommandLine = ["port", port];
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient client = server.Connect();
        Assert.Equal(port, client.Execute("CONFIG", "GET", "port")["port"]!.AsString);
    }

    [Fact]
    public async Task Environment_variables_come_between_file_and_options()
    {
        Assert.SkipWhen(TestPaths.IsStandIn, "redis-server reads no environment variables");
        using TempFile file = new("port 1\ndatabases 2\nmaxmemory 1gb\ntimeout 7\n");
        ServerOptions options = Options(out string port);
        options.CommandLine = [file.Path, "--databases", "4"];
        options.Environment["KVSERVER_PORT"] = port;
        options.Environment["KVSERVER_DATABASES"] = "3";
        options.Environment["KVSERVER_MAXMEMORY"] = "2gb";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using RespClient client = server.Connect();
        Assert.Equal("4", client.Execute("CONFIG", "GET", "databases")["databases"]!.AsString);
        Assert.Equal("2147483648", client.Execute("CONFIG", "GET", "maxmemory")["maxmemory"]!.AsString);
        Assert.Equal("7", client.Execute("CONFIG", "GET", "timeout")["timeout"]!.AsString);
    }

    [Fact]
    public async Task Daemonize_is_refused_with_a_reason()
    {
        Assert.SkipWhen(TestPaths.IsStandIn, "redis-server goes to the background");
        ToolRun run = await ToolRun.RunAsync(TestPaths.ServerBinary, ["--daemonize", "yes"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("daemonize", run.Errors, StringComparison.Ordinal);
    }

    private static ServerOptions Options(out string port)
    {
        port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        return new ServerOptions().With("port", port);
    }
}
