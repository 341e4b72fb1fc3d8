using System.Diagnostics;
using System.Globalization;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>redis-cli in its various modes.</summary>
public sealed class RedisCliTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Fact]
    public async Task Commands_on_the_command_line_print_their_replies()
    {
        Assert.Equal("OK\n", await CliAsync("SET", "cli:k", "v"));
        Assert.Equal("v\n", await CliAsync("GET", "cli:k"));
        Assert.Equal("\n", await CliAsync("GET", "cli:missing"));
        Assert.Equal("(nil)\n", await CliAsync("--no-raw", "GET", "cli:missing"));
        Assert.Equal("(integer) 2\n", await CliAsync("--no-raw", "SADD", "cli:s", "a", "b"));
        Assert.Contains("unknown command", await CliAsync("NOSUCH"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resp3_shows_maps_and_sets()
    {
        await CliAsync("SADD", "cli:resp3", "member");
        Assert.Equal("1~ \"member\"\n", await CliAsync("-3", "--no-raw", "SMEMBERS", "cli:resp3"));
        Assert.Contains("1# \"databases\"", await CliAsync("-3", "--no-raw", "CONFIG", "GET", "databases"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_argument_can_come_from_standard_input()
    {
        byte[] value = Encoding.UTF8.GetBytes(new string('z', 100_000));
        Assert.Equal("OK\n", await CliAsync(value, "-x", "SET", "cli:stdin"));
        Assert.Equal("100000\n", await CliAsync("STRLEN", "cli:stdin"));
    }

    [Fact]
    public async Task A_session_runs_several_commands()
    {
        string output = await CliAsync("SELECT 4\nSET cli:session 1\nINCR cli:session\nDBSIZE\n"u8.ToArray());
        Assert.Equal("OK\nOK\n2\n1\n", output);
    }

    [Fact]
    public async Task Pipe_mode_loads_many_requests()
    {
        using MemoryStream requests = new();
        for (int i = 0; i < 20_000; i++)
        {
            string number = i.ToString(CultureInfo.InvariantCulture);
            byte[][] command = [[.. "SET"u8], Encoding.ASCII.GetBytes("cli:pipe:" + number), Encoding.ASCII.GetBytes(number)];
            CommandLine.AppendRequest(requests, command);
        }

        string output = await CliAsync(requests.ToArray(), "-n", "5", "--pipe");
        Assert.Contains("errors: 0, replies: 20000", output, StringComparison.Ordinal);
        Assert.Equal("20000\n", await CliAsync("-n", "5", "DBSIZE"));
        string scanned = await CliAsync("-n", "5", "--scan", "--pattern", "cli:pipe:*");
        Assert.Equal(20_000, scanned.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Big_keys_and_memory_keys_are_found()
    {
        await CliAsync(Encoding.UTF8.GetBytes(new string('b', 50_000)), "-x", "-n", "6", "SET", "cli:big");
        await CliAsync("-n", "6", "SADD", "cli:bigset", "1", "2", "3");
        string big = await CliAsync("-n", "6", "--bigkeys");
        Assert.Contains("Biggest string found '\"cli:big\"' has 50000 bytes", big, StringComparison.Ordinal);
        Assert.Contains("'\"cli:bigset\"' has 3 members", big, StringComparison.Ordinal);
        string memory = await CliAsync("-n", "6", "--memkeys");
        Assert.Contains("Biggest string found '\"cli:big\"'", memory, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hot_keys_are_found_under_a_policy_that_counts_accesses()
    {
        string refusal = await CliAsync("-n", "7", "OBJECT", "FREQ", "cli:none");
        Assert.Equal("\n", refusal);
        await CliAsync("-n", "7", "SET", "cli:hot", "v");
        Assert.Contains(
            "ERR An LFU maxmemory policy is not selected", await CliAsync("-n", "7", "OBJECT", "FREQ", "cli:hot"), StringComparison.Ordinal);
        string[] arguments = ["-p", shared.Port, "-n", "7", "--hotkeys"];
        ToolRun refused = await ToolRun.RunAsync(Require.Tool("redis-cli"), arguments);
        Assert.Contains("ERR An LFU maxmemory policy is not selected", refused.Output + refused.Errors, StringComparison.Ordinal);

        await CliAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu");
        try
        {
            await CliAsync("-n", "7", "SET", "cli:cold", "v");
            await CliAsync("-n", "7", "-r", "300", "GET", "cli:hot");
            string hot = await CliAsync("-n", "7", "--hotkeys");
            Assert.Matches("hot key found with counter: [1-9]\\d*\tkeyname: \"?cli:hot\"?", hot);
            Assert.Contains("Sampled", hot, StringComparison.Ordinal);
        }
        finally
        {
            await CliAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        }
    }

    [Fact]
    public async Task Reports_on_keys_can_be_read()
    {
        await CliAsync("CONFIG", "RESETSTAT"); // So few calls are counted one by one.
        await CliAsync("-n", "8", "-r", "50", "GET", "cli:busy");
        string hot = await CliAsync("--no-raw", "HOTKEYS", "COUNT", "100");
        Assert.Contains("\"by-requests\"\n", hot, StringComparison.Ordinal);
        Assert.Matches("\"key\"\n +2\\) \"cli:busy\"\n +3\\) \"db\"\n +4\\) \\(integer\\) 8\n +5\\) \"requests\"\n +6\\) \\(integer\\) 50\n", hot);
        await CliAsync(Encoding.UTF8.GetBytes(new string('b', 500_000)), "-x", "-n", "8", "SET", "cli:large");
        string big = await CliAsync("-3", "--no-raw", "BIGKEYS", "TYPE", "string");
        for (int i = 0; i < 1000 && !big.Contains("cli:large", StringComparison.Ordinal); i++)
        {
            big = await CliAsync("-3", "--no-raw", "BIGKEYS", "TYPE", "string"); // Each call moves the walk on.
        }

        Assert.Matches("\"key\" => \"cli:large\"", big);
    }

    [Fact]
    public async Task Latency_history_goes_on_measuring()
    {
        ProcessStartInfo start = new(Require.Tool("redis-cli"), ["-p", shared.Port, "--latency-history", "-i", "0.1", "--raw"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start)!;
        try
        {
            for (int i = 0; i < 2; i++)
            {
                string line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) ?? "";
                Assert.Matches(@"\d", line);
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Latency_mode_measures()
    {
        // Without a terminal the tool measures for one second and prints "min max avg count".
        string[] fields = (await CliAsync("--latency", "--raw")).Split(' ');
        Assert.Equal(4, fields.Length);
    }

    [Fact]
    public async Task Stat_mode_reads_what_it_needs_from_info()
    {
        await using Tool process = Start("--stat", "-i", "0.05");
        List<string> lines = [];
        while (lines.Count < 4)
        {
            lines.Add(await process.ReadLineAsync());
        }

        // keys, memory, clients, blocked, requests, connections
        Assert.Matches(@"^\d+ +[\d.]+[BKMG] +\d+ +\d+ +\d+ .*\d", lines[3]);
    }

    [Fact]
    public async Task Latency_history_goes_on()
    {
        await using Tool process = Start("--latency-history", "-i", "0.1");
        for (int i = 1; i <= 5; i++)
        {
            Assert.Matches($@"^\d+ \d+ \d+\.\d\d {i}$", await process.ReadLineAsync()); // min, max, mean, count
        }
    }

    [Fact]
    public async Task Monitor_shows_commands_as_they_run()
    {
        await using Tool process = Start("MONITOR");
        Assert.Equal("OK", await process.ReadLineAsync());
        await CliAsync("SET", "cli:monitored", "a b");
        string line;
        do
        {
            line = await process.ReadLineAsync(); // Other tests use the same server.
        }
        while (!line.Contains("cli:monitored", StringComparison.Ordinal));

        Assert.Matches(@"^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] ""SET"" ""cli:monitored"" ""a b""$", line);
    }

    private Tool Start(params string[] arguments) => new(["-p", shared.Port, .. arguments]);

    private Task<string> CliAsync(params string[] arguments) => CliAsync([], arguments);

    private async Task<string> CliAsync(byte[] input, params string[] arguments)
    {
        string[] all = ["-p", shared.Port, .. arguments];
        ToolRun run = await ToolRun.RunAsync(Require.Tool("redis-cli"), all, input);
        Assert.Equal("", run.Errors);
        return run.Output;
    }

    /// <summary>redis-cli in a mode that does not end by itself.</summary>
    private sealed class Tool(string[] arguments) : IAsyncDisposable
    {
        private readonly Process _process = Process.Start(new ProcessStartInfo(Require.Tool("redis-cli"), arguments)
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;

        public async Task<string> ReadLineAsync() =>
            await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) ?? "";

        public async ValueTask DisposeAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
