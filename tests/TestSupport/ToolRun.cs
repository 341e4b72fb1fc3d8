using System.Diagnostics;

namespace KvServer.TestSupport;

/// <summary>A command line tool that ran to its end.</summary>
public sealed record ToolRun(int ExitCode, string Output, string Errors)
{
    /// <summary>Standard output and standard error together.</summary>
    public string All => Output + Errors;

    /// <summary>Runs a tool and waits for its end.</summary>
    /// <param name="file">A name on PATH or a full path.</param>
    /// <param name="arguments">One element per argument, without quoting.</param>
    /// <param name="input">Bytes for its standard input, which is then closed.</param>
    /// <param name="folder">Its working directory.</param>
    /// <param name="environment">Variables to set on top of ours.</param>
    /// <param name="timeoutSeconds">How long it may take.</param>
    /// <exception cref="TimeoutException">It did not end in time and was killed; the message holds its output.</exception>
    public static async Task<ToolRun> RunAsync(
        string file,
        IEnumerable<string> arguments,
        byte[]? input = null,
        string? folder = null,
        IReadOnlyDictionary<string, string>? environment = null,
        int timeoutSeconds = 60)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = folder ?? "",
        };
        ServerProcess.CleanEnvironment(start);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await WriteInputAsync(process, input);
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(timeoutSeconds));
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill();
            throw new TimeoutException(
                $"{file} {string.Join(' ', arguments)} did not end in {timeoutSeconds} s.\n{await output}{await errors}", e);
        }

        return new ToolRun(process.ExitCode, await output, await errors);
    }

    private static async Task WriteInputAsync(Process process, byte[]? input)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input ?? []);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The tool ended without reading everything; its exit code tells.
        }
    }
}
