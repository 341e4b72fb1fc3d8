using System.Net;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Net;

/// <summary>What the network layer logs. Event ids 3000 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Warning,
        Message = "Could not create server TCP listening socket {Address}:{Port}: {Reason}")]
    internal static partial void ListenFailed(ILogger logger, string address, int port, string reason);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Warning, Message = "Accepting client connection: {Reason}")]
    internal static partial void AcceptFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Debug, Message = "Closing idle client {ClientId}")]
    internal static partial void IdleClient(ILogger logger, long clientId);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Warning,
        Message = "Client {Client} closed for overcoming of output buffer limits.")]
    internal static partial void OutputBufferLimit(ILogger logger, string client);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Warning,
        Message = "Closing client that reached max query buffer length: {Client}")]
    internal static partial void QueryBufferLimit(ILogger logger, string client);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Warning,
        Message = "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to "
            + "KvServer. This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise "
            + "your KvServer instance. Connection aborted.")]
    internal static partial void PossibleAttack(ILogger logger);

    [LoggerMessage(EventId = 3000, Level = LogLevel.Warning,
        Message = "You requested maxclients of {Requested}. Current maximum open files is {OpenFiles}. maxclients has "
            + "been reduced to {Possible} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.")]
    internal static partial void MaxClientsReduced(ILogger logger, long requested, long openFiles, long possible);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Critical, Message = "The server cannot go on")]
    internal static partial void Failed(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Critical, Message = "Connection of {Remote} failed")]
    internal static partial void ConnectionFailed(ILogger logger, EndPoint? remote, Exception fault);

    [LoggerMessage(EventId = 3009, Level = LogLevel.Warning,
        Message = "Client {ClientId} closed: there is no memory for its replies, {PendingBytes} bytes of which wait unread")]
    internal static partial void OutputOutOfMemory(ILogger logger, long clientId, long pendingBytes);

    [LoggerMessage(EventId = 3010, Level = LogLevel.Warning,
        Message = "Connection of {Remote} closed: there is no memory for its request")]
    internal static partial void InputOutOfMemory(ILogger logger, EndPoint? remote);

    [LoggerMessage(EventId = 3011, Level = LogLevel.Warning, Message = "{Reason}")]
    internal static partial void TlsFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 3012, Level = LogLevel.Information, Message = "TLS files have changed and were read again")]
    internal static partial void TlsReloaded(ILogger logger);

    [LoggerMessage(EventId = 3013, Level = LogLevel.Warning,
        Message = "TLS files have changed and cannot be used, the former ones stay: {Reason}")]
    internal static partial void TlsReloadFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 3014, Level = LogLevel.Warning, Message = "The TLS {Which} {What}: {When}")]
    internal static partial void CertificateExpires(ILogger logger, string which, string what, string when);

    [LoggerMessage(EventId = 3015, Level = LogLevel.Warning,
        Message = "Error accepting a client connection: {Reason} (addr={Remote})")]
    internal static partial void HandshakeFailed(ILogger logger, string reason, EndPoint? remote);
}
