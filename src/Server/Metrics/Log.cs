using Microsoft.Extensions.Logging;

namespace KvServer.Server.Metrics;

/// <summary>What the HTTP side logs. Event ids 5000 to 5099.</summary>
internal static partial class Log
{
    [LoggerMessage(5000, LogLevel.Information, "Health and metrics on http://{Address}")]
    public static partial void Listening(ILogger log, string address);

    [LoggerMessage(5001, LogLevel.Error, "A request for {Path} failed")]
    public static partial void RequestFailed(ILogger log, string path, Exception exception);
}
