using Microsoft.Extensions.Logging;

namespace KvServer.Server.Persistence;

/// <summary>What saving and loading say in the log. Event ids 4000 to 4099.</summary>
internal static partial class Log
{
    [LoggerMessage(4000, LogLevel.Information, "{Changes} changes in {Seconds} seconds. Saving...")]
    public static partial void SavePointReached(ILogger log, int changes, long seconds);

    [LoggerMessage(4001, LogLevel.Information, "Background saving started")]
    public static partial void SaveStarted(ILogger log);

    [LoggerMessage(4002, LogLevel.Information, "DB saved on disk: {Keys} keys, {Bytes} bytes in {Milliseconds} ms")]
    public static partial void Saved(ILogger log, long keys, long bytes, long milliseconds);

    [LoggerMessage(4003, LogLevel.Information, "Background saving terminated with success")]
    public static partial void BackgroundSaveDone(ILogger log);

    [LoggerMessage(4004, LogLevel.Warning, "Failed saving the DB to '{Path}': {Reason}")]
    public static partial void SaveFailed(ILogger log, string path, string reason);

    [LoggerMessage(4005, LogLevel.Warning, "Background saving error")]
    public static partial void BackgroundSaveFailed(ILogger log);

    [LoggerMessage(4006, LogLevel.Warning, "A background save is running. It is given up.")]
    public static partial void SaveGivenUp(ILogger log);

    [LoggerMessage(4007, LogLevel.Information,
        "Saving: {Keys} of {Total} keys handed over after {Seconds} s, {QueuedBytes} bytes queued")]
    public static partial void SaveProgress(ILogger log, long keys, long total, long seconds, long queuedBytes);

    [LoggerMessage(4008, LogLevel.Information, "Saving the final RDB snapshot before exiting.")]
    public static partial void SavingAtExit(ILogger log);

    [LoggerMessage(4009, LogLevel.Warning, "Error trying to save the DB, can't exit.")]
    public static partial void CannotExit(ILogger log);

    [LoggerMessage(4010, LogLevel.Warning, "Error trying to save the DB, but exiting as told.")]
    public static partial void ExitsUnsaved(ILogger log);

    [LoggerMessage(4011, LogLevel.Information, "Loading '{Path}', {Bytes} bytes")]
    public static partial void Loading(ILogger log, string path, long bytes);

    [LoggerMessage(4012, LogLevel.Information,
        "Loading: {Percent} % after {Seconds} s, {Keys} keys")]
    public static partial void LoadProgress(ILogger log, int percent, long seconds, long keys);

    [LoggerMessage(4013, LogLevel.Information, "Done loading RDB, keys loaded: {Keys}, keys expired: {Expired}.")]
    public static partial void Loaded(ILogger log, long keys, long expired);

    [LoggerMessage(4014, LogLevel.Information, "DB loaded from disk: {Milliseconds} ms")]
    public static partial void LoadedIn(ILogger log, long milliseconds);

    [LoggerMessage(4015, LogLevel.Warning, "{Warning}")]
    public static partial void LoadWarning(ILogger log, string warning);

    [LoggerMessage(4016, LogLevel.Information,
        "DB loaded from append only file: {Keys} keys of the base, {Commands} commands")]
    public static partial void AofLoaded(ILogger log, long keys, long commands);

    [LoggerMessage(4017, LogLevel.Warning,
        "AOF {Path} is cut to {Offset} bytes, {LostBytes} bytes are dropped: {Reason}")]
    public static partial void AofTruncated(ILogger log, string path, long offset, long lostBytes, string reason);

    [LoggerMessage(4018, LogLevel.Warning,
        "A command in the append only file, {Command}, replies with an error of kind {Code}: was the file changed?")]
    public static partial void AofReplyIsError(ILogger log, string command, string code);

    [LoggerMessage(4019, LogLevel.Information, "Moved the old append only file {Path} into {Folder}")]
    public static partial void AofUpgraded(ILogger log, string path, string folder);

    [LoggerMessage(4020, LogLevel.Information, "Background append only file rewriting started")]
    public static partial void AofRewriteStarted(ILogger log);

    [LoggerMessage(4021, LogLevel.Information, "Background AOF rewrite finished successfully")]
    public static partial void AofRewritten(ILogger log);

    [LoggerMessage(4022, LogLevel.Warning, "Background AOF rewrite failed: {Reason}")]
    public static partial void AofRewriteFailed(ILogger log, string reason);

    [LoggerMessage(4023, LogLevel.Warning, "Can't turn to a new append only file: {Reason}")]
    public static partial void AofSwitchFailed(ILogger log, string reason);

    [LoggerMessage(4024, LogLevel.Information, "Starting automatic rewriting of AOF on {Percent}% growth")]
    public static partial void AofGrown(ILogger log, long percent);

    [LoggerMessage(4025, LogLevel.Warning, "Error writing to the AOF file: {Reason}. Writes are refused until it works again.")]
    public static partial void AofWriteFailed(ILogger log, string reason);

    [LoggerMessage(4026, LogLevel.Information, "AOF write error looks solved, the server can write again.")]
    public static partial void AofWritesAgain(ILogger log);

    [LoggerMessage(4027, LogLevel.Warning, "The append only file is not on disk to its end: {Reason}")]
    public static partial void AofNotForced(ILogger log, string reason);

    [LoggerMessage(4028, LogLevel.Warning,
        "The disk is too slow for the append only file: {Bytes} bytes wait for it, and commands that write wait, too")]
    public static partial void AofBehind(ILogger log, long bytes);

    [LoggerMessage(4029, LogLevel.Warning, "Writing initial AOF, can't exit.")]
    public static partial void FirstAofMissing(ILogger log);
}
