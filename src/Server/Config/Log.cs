using Microsoft.Extensions.Logging;

namespace KvServer.Server.Config;

/// <summary>What configuration says in the log. Event ids 1000 to 1099.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Warning, "{Text}")]
    public static partial void Warning(ILogger log, string text);

    [LoggerMessage(1001, LogLevel.Information, "CONFIG REWRITE executed with success.")]
    public static partial void Rewritten(ILogger log);

    [LoggerMessage(1002, LogLevel.Warning, "CONFIG REWRITE failed: {Reason}")]
    public static partial void RewriteFailed(ILogger log, string reason);

    [LoggerMessage(1003, LogLevel.Warning, "Failed to restore the configuration after CONFIG SET: {Reason}")]
    public static partial void RestoreFailed(ILogger log, string reason);
}
