using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KvServer.TestSupport;

/// <summary>One running server (ours or the reference) on a free loopback port, with a folder of its own.</summary>
/// <remarks>
/// Ready means: the log said so and a PING was answered; nothing sleeps to wait for it. Disposing asks with SIGTERM,
/// kills by process id what does not end in time, and removes the folder.
/// </remarks>
public sealed class ServerProcess : IAsyncDisposable, IDisposable
{
    private const string ReadyText = "Ready to accept connections";
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly Lock _logGate = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _disposed;

    private ServerProcess(ServerOptions options, int port, string folder)
    {
        Options = options;
        Port = port;
        Folder = folder;
        _process = new Process { StartInfo = CreateStartInfo(options, port, folder), EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => AddLogLine(line.Data);
        _process.ErrorDataReceived += (_, line) => AddLogLine(line.Data);
        _process.Exited += (_, _) => _ready.TrySetResult();
    }

    /// <summary>What it was started with.</summary>
    public ServerOptions Options { get; }

    /// <summary>The loopback TCP port it listens on.</summary>
    public int Port { get; }

    /// <summary>Its <c>dir</c>, removed at the end.</summary>
    public string Folder { get; }

    /// <summary>The process id; it stays readable after the end.</summary>
    public int ProcessId { get; private set; }

    /// <summary>True when it ended, by itself or stopped.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The exit code of a server that ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>From the start of the process to the answer to the first PING.</summary>
    public TimeSpan StartDuration { get; private set; }

    /// <summary>Everything written to standard output and standard error so far.</summary>
    public string Log
    {
        get
        {
            lock (_logGate)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>Starts a server and returns when it answers.</summary>
    /// <exception cref="ServerStartException">It ended or did not answer in time; the message holds its log.</exception>
    public static async Task<ServerProcess> StartAsync(ServerOptions? options = null)
    {
        options ??= ServerOptions.ForTests();
        for (int attempt = 1; ; attempt++)
        {
            ServerProcess server = new(options, ChoosePort(options), TestPaths.CreateTempFolder("server"));
            try
            {
                await server.StartAndWaitAsync();
                return server;
            }
            catch (ServerStartException) when (attempt < 3 && server.LostPortRace)
            {
                await server.DisposeAsync();
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Opens a connection to it.</summary>
    public RespClient Connect() => new(Port);

    /// <summary>Asks the server to end with SIGTERM and waits; kills it when it does not.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        if (!_process.HasExited && !PosixSignal.Send(ProcessId, PosixSignal.Terminate))
        {
            _process.Kill();
        }

        using CancellationTokenSource timeout = new(StopTimeout);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        return _process.ExitCode;
    }

    /// <summary>Waits until the process ends by itself.</summary>
    /// <returns><see langword="false"/> when it still runs after <paramref name="timeout"/>.</returns>
    public async Task<bool> WaitForExitAsync(TimeSpan timeout)
    {
        using CancellationTokenSource source = new(timeout);
        try
        {
            await _process.WaitForExitAsync(source.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (ProcessId != 0)
        {
            await StopAsync();
        }

        _process.Dispose();
        TestPaths.DeleteFolder(Folder);
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private bool LostPortRace => Log.Contains("Failed listening on port", StringComparison.Ordinal)
        && !Options.Settings.ContainsKey("port");

    private static int ChoosePort(ServerOptions options) =>
        options.Settings.TryGetValue("port", out string? port)
            ? int.Parse(port, CultureInfo.InvariantCulture)
            : FreePort.Next();

    private static ProcessStartInfo CreateStartInfo(ServerOptions options, int port, string folder)
    {
        ProcessStartInfo start = new(options.Binary)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        if (options.CommandLine is not null)
        {
            foreach (string argument in options.CommandLine)
            {
                start.ArgumentList.Add(argument);
            }
        }
        else
        {
            AddSettings(start, options, port, folder);
        }

        CleanEnvironment(start);
        foreach ((string name, string value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private static void AddSettings(ProcessStartInfo start, ServerOptions options, int port, string folder)
    {
        AddSetting(start, "port", port.ToString(CultureInfo.InvariantCulture));
        AddSetting(start, "dir", options.Settings.GetValueOrDefault("dir", folder));
        foreach ((string name, string value) in options.Settings)
        {
            if (name is not ("port" or "dir"))
            {
                AddSetting(start, name, value);
            }
        }
    }

    /// <summary>Takes our own variables out: the server reads KVSERVER_... as options and would refuse the tests' ones.</summary>
    public static void CleanEnvironment(ProcessStartInfo start)
    {
        foreach (string name in start.Environment.Keys.Where(IsOwnVariable).ToArray())
        {
            start.Environment.Remove(name);
        }

        static bool IsOwnVariable(string name) => name.StartsWith("KVSERVER_", StringComparison.Ordinal);
    }

    private static void AddSetting(ProcessStartInfo start, string name, string value)
    {
        start.ArgumentList.Add("--" + name);
        if (value.Length == 0)
        {
            start.ArgumentList.Add("");
            return;
        }

        foreach (string word in value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            start.ArgumentList.Add(word);
        }
    }

    private async Task StartAndWaitAsync()
    {
        foreach (string file in Options.SeedFiles)
        {
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
        }

        long startedAt = Stopwatch.GetTimestamp();
        _process.Start();
        ProcessId = _process.Id;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        if (Options.StandardInput is not null)
        {
            await _process.StandardInput.WriteAsync(Options.StandardInput);
            _process.StandardInput.Close();
        }

        try
        {
            await _ready.Task.WaitAsync(Options.StartTimeout);
        }
        catch (TimeoutException e)
        {
            throw new ServerStartException($"{Options.Binary} is not ready after {Options.StartTimeout}.\n{Log}", e);
        }

        if (_process.HasExited)
        {
            await _process.WaitForExitAsync(); // Also waits for the last lines of its output.
            throw new ServerStartException($"{Options.Binary} ended with exit code {_process.ExitCode}.\n{Log}");
        }

        using (RespClient client = Connect())
        {
            client.Execute("PING");
        }

        StartDuration = Stopwatch.GetElapsedTime(startedAt);
    }

    private void AddLogLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_logGate)
        {
            _log.Append(line).Append('\n');
        }

        if (line.Contains(ReadyText, StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }
}
