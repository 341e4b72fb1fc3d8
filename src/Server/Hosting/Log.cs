using Microsoft.Extensions.Logging;

namespace KvServer.Server.Hosting;

/// <summary>What start-up and shutdown say in the log. Event ids 1100 to 1199.</summary>
/// <remarks>Information is logged as notice, Debug as verbose, Trace as debug.</remarks>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Warning, "KvServer is starting")]
    public static partial void Starting(ILogger log);

    [LoggerMessage(1101, LogLevel.Warning,
        "KvServer version={Version}, redis={Compatible}, bits={Bits}, pid={Pid}, just started")]
    public static partial void Version(ILogger log, string version, string compatible, int bits, int pid);

    [LoggerMessage(1102, LogLevel.Warning, "Configuration loaded")]
    public static partial void ConfigurationLoaded(ILogger log);

    [LoggerMessage(1103, LogLevel.Warning,
        "No config file specified, using the default config. To specify one use kvserver /path/to/kvserver.conf")]
    public static partial void NoConfigFile(ILogger log);

    [LoggerMessage(1104, LogLevel.Information, "Running mode=standalone, port={Port}. PID: {Pid}")]
    public static partial void Running(ILogger log, int port, int pid);

    [LoggerMessage(1105, LogLevel.Warning, "Server initialized")]
    public static partial void Initialized(ILogger log);

    [LoggerMessage(1106, LogLevel.Information, "Ready to accept connections {Kind}")]
    public static partial void Ready(ILogger log, string kind);

    [LoggerMessage(1107, LogLevel.Warning, "{Reason}")]
    public static partial void StartFailed(ILogger log, string reason);

    [LoggerMessage(1108, LogLevel.Warning, "Received {Signal} scheduling shutdown...")]
    public static partial void SignalReceived(ILogger log, string signal);

    [LoggerMessage(1109, LogLevel.Warning, "You insist... exiting now.")]
    public static partial void ExitingAtOnce(ILogger log);

    [LoggerMessage(1110, LogLevel.Warning, "User requested shutdown...")]
    public static partial void ShutdownRequested(ILogger log);

    [LoggerMessage(1111, LogLevel.Information, "Removing the pid file.")]
    public static partial void RemovingPidFile(ILogger log);

    [LoggerMessage(1112, LogLevel.Warning, "KvServer is now ready to exit, bye bye...")]
    public static partial void ByeBye(ILogger log);

    [LoggerMessage(1113, LogLevel.Warning, "Failed to write PID file: {Reason}")]
    public static partial void PidFileFailed(ILogger log, string reason);

    [LoggerMessage(1114, LogLevel.Error, "{Part} failed to stop")]
    public static partial void StopFailed(ILogger log, string part, Exception exception);

    [LoggerMessage(1115, LogLevel.Warning,
        "{Signal} received but errors trying to shut down the server, check the logs for more information")]
    public static partial void SignalRefused(ILogger log, string signal);

    [LoggerMessage(1116, LogLevel.Warning, "Unable to set oom_score_adj: {Reason}")]
    public static partial void OomScoreFailed(ILogger log, string reason);
}
