using Microsoft.Extensions.Logging;

namespace KvServer.Server.Acl;

/// <summary>What access control logs.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 2301, Level = LogLevel.Information,
        Message = "The user '{User}' is disabled: there is no 'on' in its declaration")]
    public static partial void UserIsOff(ILogger logger, string user);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Warning, Message = "The ACL file could not be saved: {Reason}")]
    public static partial void SaveFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Warning,
        Message = "'requirepass' is set, but the default user needs no password: its declaration among the users says 'nopass'")]
    public static partial void PasswordIsUnused(ILogger logger);
}
