using System.Diagnostics.CodeAnalysis;
using KvServer.Server.Config;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace KvServer.Server.Hosting;

/// <summary>The log: where it goes, how its lines look, how much of it there is.</summary>
internal sealed class ServerLogging
{
    private readonly LogLineFormatter _formatter = new();
    private readonly LoggingLevelSwitch _level = new();

    /// <summary>Opens the log a configuration asks for.</summary>
    /// <exception cref="StartupException">The log file can't be written.</exception>
    [SuppressMessage("Performance", "MA0045", Justification = "Start-up, before there is anything to wait for.")]
    public ServerLogging(ServerConfig config)
    {
        SetLevel(config.LogLevel);
        LoggerConfiguration builder = new LoggerConfiguration().MinimumLevel.ControlledBy(_level);
        if (config.LogFile.Length == 0)
        {
            builder.WriteTo.Console(_formatter);
        }
        else
        {
            // Fixed now: a later change of the working directory must not move the log.
            string path = Path.GetFullPath(config.LogFile, config.Dir);
            LogFileSink.Check(path);
            builder.WriteTo.Sink(new LogFileSink(path, _formatter));
        }

        Logger = builder.CreateLogger();
    }

    /// <summary>What everything is written to.</summary>
    public Logger Logger { get; }

    /// <summary>Sets the role shown in each line: C, M or S.</summary>
    public void SetRole(char role) => _formatter.Role = role;

    /// <summary>Sets how much is logged; any thread.</summary>
    public void SetLevel(LogVerbosity verbosity) => _level.MinimumLevel = verbosity switch
    {
        LogVerbosity.Debug => LogEventLevel.Verbose,
        LogVerbosity.Verbose => LogEventLevel.Debug,
        LogVerbosity.Notice => LogEventLevel.Information,
        LogVerbosity.Warning => LogEventLevel.Warning,
        _ => LogEventLevel.Fatal + 1,
    };
}
