using KvServer.Resp;
using KvServer.Server.Hosting;
using KvServer.Server.Persistence;
using KvServer.Server.Persistence.Aof;
using KvServer.Storage;
using Microsoft.Extensions.Logging;
using Ascii = System.Text.Ascii;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>DEBUG: what tests and operators use to look beneath the commands.</summary>
/// <remarks>One command with words of its own instead of subcommands, because the reference server declares it so.
/// Guarded by enable-debug-command.</remarks>
internal static partial class DebugCommands
{
    private delegate void Handler(CommandContext ctx);

    private static readonly Subcommand[] Subcommands =
    [
        new("DIGEST", 2, 2, Digest),
        new("DIGEST-VALUE", 2, int.MaxValue, DigestValue),
        new("ERROR", 3, 3, Error),
        new("HTSTATS", 3, 3, HashTableStats),
        new("HTSTATS-KEY", 3, 3, HashTableStatsOfKey),
        new("LOADAOF", 2, 2, LoadAof),
        new("LOG", 3, 3, WriteLog),
        new("OBJECT", 3, 3, Object),
        new("PAUSE-CRON", 3, 3, PauseCron),
        new("POPULATE", 3, 5, Populate),
        new("PROTOCOL", 3, 3, DebugProtocol.Reply),
        new("RELOAD", 2, int.MaxValue, Reload),
        new("SDSLEN", 3, 3, StringLengths),
        new("SET-ACTIVE-EXPIRE", 3, 3, SetActiveExpire),
        new("SET-SKIP-CHECKSUM-VALIDATION", 3, 3, SetSkipChecksumValidation),
        new("SLEEP", 3, 3, Sleep),
        new("STRUCTSIZE", 2, 2, StructSize),
        new("HELP", 2, 2, Help),
    ];

    private static readonly string[] HelpLines =
    [
        "DIGEST",
        "    A signature of the whole dataset, 40 hexadecimal digits.",
        "DIGEST-VALUE <key> [<key> ...]",
        "    The signature of each key's value.",
        "ERROR <string>",
        "    Replies with an error of this text.",
        "HTSTATS <dbid>",
        "    Statistics of a database's hash tables.",
        "HTSTATS-KEY <key>",
        "    Statistics of the hash table that holds the key's value.",
        "LOADAOF",
        "    Puts the append-only file on disk, empties the dataset and loads it from there.",
        "LOG <message>",
        "    Writes a line to the server's log.",
        "OBJECT <key>",
        "    Where and how the key's value is kept.",
        "PAUSE-CRON <0|1>",
        "    Stops or restarts the periodic work.",
        "POPULATE <count> [<prefix>] [<size>]",
        "    Makes string keys named prefix:number, \"key\" being the default prefix.",
        "PROTOCOL <type>",
        "    A sample reply: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim, true, false.",
        "RELOAD [<option> ...]",
        "    Saves the dataset and loads it again. MERGE replaces keys, NOFLUSH keeps them, NOSAVE takes the file as it is.",
        "SDSLEN <key>",
        "    Lengths of a key and its string.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    0 leaves expired keys in place until they are used, 1 is normal.",
        "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
        "    1 takes snapshots and RESTORE's payloads with any checksum, 0 is normal.",
        "SLEEP <seconds>",
        "    Stops the command loop for so long; fractions are allowed.",
        "STRUCTSIZE",
        "    Sizes of the data structures.",
    ];

    [Command("DEBUG", arity: -2,
        CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Protected,
        Group = CommandGroup.Server, Since = "1.0.0", Complexity = "Depends on the subcommand.",
        Summary = "Looks beneath the commands, for tests and operators.", IsInternal = true)]
    internal static void Debug(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        foreach (Subcommand subcommand in Subcommands)
        {
            if (Ascii.EqualsIgnoreCase(args[1], subcommand.Name)
                && args.Count >= subcommand.MinArguments
                && args.Count <= subcommand.MaxArguments)
            {
                if (ctx.Server.IsLoading
                    && (Ascii.EqualsIgnoreCase(args[1], "reload"u8) || Ascii.EqualsIgnoreCase(args[1], "populate"u8)))
                {
                    // A save would replace the file by the part of it that is in, and new keys might meet its own.
                    ctx.Reply.Error(CommandError.Loading);
                    return;
                }

                subcommand.Run(ctx);
                return;
            }
        }

        ctx.Reply.Error(CommandError.SubcommandSyntax("DEBUG", args[1]));
    }

    private static void Help(CommandContext ctx) => HelpReply.Write(ctx, HelpLines);

    private static void Digest(CommandContext ctx)
    {
        DatasetDigest digest = DatasetDigest.OfKeyspace(ctx.Server.Keyspace);
        ctx.Reply.SimpleString(digest.ToHexString());
    }

    private static void DigestValue(CommandContext ctx)
    {
        ctx.Reply.Array(ctx.Args.Count - 2);
        for (int i = 2; i < ctx.Args.Count; i++)
        {
            Key key = ctx.Key(i);
            DatasetDigest digest = ctx.Database.TryFind(key, LookupFlags.NoTouch | LookupFlags.NoStats, out Entry entry)
                ? DatasetDigest.OfValue(ctx.Database, entry)
                : new DatasetDigest();
            ctx.Reply.SimpleString(digest.ToHexString());
        }
    }

    private static void Error(CommandContext ctx) => ctx.Reply.Error(ctx.Args[2]);

    private static void HashTableStats(CommandContext ctx)
    {
        if (!Numbers.TryParseInt64(ctx.Args[2], out long index))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        if (index < 0 || index >= ctx.Server.Keyspace.DatabaseCount)
        {
            ctx.Reply.Error("ERR Out of range database"u8);
            return;
        }

        Database database = ctx.Server.Keyspace[(int)index];
        ctx.Reply.Verbatim(System.Text.Encoding.ASCII.GetBytes(database.DescribeTables()), "txt"u8);
    }

    private static void HashTableStatsOfKey(CommandContext ctx)
    {
        if (!TryFindForDebug(ctx, out Entry entry))
        {
            return;
        }

        string? text = ctx.Database.DescribeTablesOf(entry);
        if (text is null)
        {
            ctx.Reply.Error("ERR The value stored at the specified key is not represented using an hash table"u8);
            return;
        }

        ctx.Reply.Verbatim(System.Text.Encoding.ASCII.GetBytes(text), "txt"u8);
    }

    private static void WriteLog(CommandContext ctx)
    {
        Log.FromClient(ctx.Server.Log, System.Text.Encoding.Latin1.GetString(ctx.Args[2]));
        ctx.Reply.Ok();
    }

    private static void Object(CommandContext ctx)
    {
        if (!TryFindForDebug(ctx, out Entry entry))
        {
            return;
        }

        string encoding = System.Text.Encoding.ASCII.GetString(entry.EncodingName);
        long idle = ctx.Database.IdleTimeMs(entry) / 1000;
        ctx.Reply.SimpleString(System.Text.Encoding.ASCII.GetBytes(
            $"Value at:0x{entry.Address:x} refcount:1 encoding:{encoding} "
            + $"serializedlength:{SerializedLength.Of(ctx.Database, entry)} lru:{entry.AccessClock} "
            + $"lru_seconds_idle:{idle}"));
    }

    private static void PauseCron(CommandContext ctx)
    {
        ctx.Server.CronPaused = ReadSwitch(ctx.Args[2]);
        ctx.Reply.Ok();
    }

    private static void SetActiveExpire(CommandContext ctx)
    {
        ctx.Server.Keyspace.ActiveExpireEnabled = ReadSwitch(ctx.Args[2]);
        ctx.Reply.Ok();
    }

    private static void SetSkipChecksumValidation(CommandContext ctx)
    {
        ctx.Server.IgnoresChecksums = ReadSwitch(ctx.Args[2]);
        ctx.Reply.Ok();
    }

    private static void Populate(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (!TryReadPositive(ctx, 2, out long count))
        {
            return;
        }

        long sizeBytes = 0;
        if (args.Count == 5 && !TryReadPositive(ctx, 4, out sizeBytes))
        {
            return;
        }

        string prefix = args.Count > 3 ? System.Text.Encoding.Latin1.GetString(args[3]) : "key";
        sizeBytes = Math.Min(sizeBytes, ctx.Server.Config.ProtoMaxBulkLenBytes);
        for (long i = 0; i < count; i++)
        {
            byte[] name = System.Text.Encoding.Latin1.GetBytes($"{prefix}:{i}");
            Key key = ctx.Server.Keyspace.KeyOf(name);
            if (ctx.Database.TryFind(key, LookupFlags.NoTouch | LookupFlags.NoStats, out _))
            {
                continue;
            }

            byte[] value = System.Text.Encoding.ASCII.GetBytes($"value:{i}");
            if (sizeBytes > 0)
            {
                Array.Resize(ref value, (int)sizeBytes);
            }

            ctx.Database.SetString(key, value);
            ctx.KeyChanged(key, KeyEvent.Populate, changes: 0);
        }

        ctx.Reply.Ok();
    }

    private static void Reload(CommandContext ctx)
    {
        bool flushes = true;
        bool saves = true;
        bool merges = false;
        for (int i = 2; i < ctx.Args.Count; i++)
        {
            if (Ascii.EqualsIgnoreCase(ctx.Args[i], "noflush"u8))
            {
                flushes = false;
            }
            else if (Ascii.EqualsIgnoreCase(ctx.Args[i], "nosave"u8))
            {
                saves = false;
            }
            else if (Ascii.EqualsIgnoreCase(ctx.Args[i], "merge"u8))
            {
                merges = true;
            }
            else
            {
                ctx.Reply.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."u8);
                return;
            }
        }

        ServerState server = ctx.Server;
        server.Snapshots.GiveUp();
        if (saves && !server.Snapshots.TrySaveNow())
        {
            ctx.Reply.Error("ERR"u8);
            return;
        }

        if (flushes)
        {
            server.Transactions.Watched.AllRemoved();
            server.Keyspace.FlushAll(inBackground: false);
            server.Tracking.Flushed();
        }

        Keyspace.KeyHandler? added = server.Keyspace.Added;
        server.Keyspace.Added = null; // What the file brings was there before.
        try
        {
            using DatasetLoader? loader = DatasetLoader.TryOpen(server, merges || !flushes);
            if (loader is not null)
            {
                loader.LoadAll();
                ctx.Reply.Ok();
                return;
            }
        }
        catch (StartupException e)
        {
            Log.ReloadFailed(server.Log, e.InnerException?.Message ?? e.Message);
            ctx.Reply.Error(ReloadError);
            return;
        }
        finally
        {
            server.Keyspace.Added = added;
        }

        Log.ReloadFailed(server.Log, "there is no file");
        ctx.Reply.Error(ReloadError);
    }

    private static void LoadAof(CommandContext ctx)
    {
        ServerState server = ctx.Server;
        if (server.Aof.State == AofState.Off)
        {
            ctx.Reply.Error("ERR The append only file is off, there is nothing to load"u8);
            return;
        }

        if (server.Aof.IsRewriting)
        {
            ctx.Reply.Error("ERR Background append only file rewriting in progress"u8); // Its files are not settled yet.
            return;
        }

        if (server.Aof.Flush() is { } reason)
        {
            Log.ReloadFailed(server.Log, reason);
            ctx.Reply.Error("ERR Error trying to load the AOF files, check server logs."u8);
            return;
        }

        server.Restrict(Restrictions.Loading, true);
        try
        {
            using DatasetLoader? loader = server.Aof.OpenLoader();
            server.Transactions.Watched.AllRemoved();
            server.Keyspace.FlushAll(inBackground: false);
            server.Tracking.Flushed();
            loader?.LoadAll();
            ctx.Reply.Ok();
        }
        catch (StartupException e)
        {
            Log.ReloadFailed(server.Log, e.Message);
            ctx.Reply.Error("ERR Error trying to load the AOF files, check server logs."u8);
        }
        finally
        {
            server.Restrict(Restrictions.Loading, false);
        }
    }

    private static ReadOnlySpan<byte> ReloadError => "ERR Error trying to load the RDB dump"u8;

    private static void StringLengths(CommandContext ctx)
    {
        if (!TryFindForDebug(ctx, out Entry entry))
        {
            return;
        }

        if (entry.Type != ValueType.String || entry.Encoding == ValueEncoding.Integer)
        {
            ctx.Reply.Error("ERR Not an sds encoded string."u8);
            return;
        }

        // Keys and strings carry no spare room of their own: what is free behind them belongs to the entry's block.
        ctx.Reply.SimpleString(System.Text.Encoding.ASCII.GetBytes(
            $"key_sds_len:{ctx.Args[2].Length}, key_sds_avail:0, key_zmalloc: {entry.MemoryUsage(0)}, "
            + $"val_sds_len:{entry.StringLength}, val_sds_avail:0, val_zmalloc: {entry.StringLength}"));
    }

    private static void Sleep(CommandContext ctx)
    {
        // As in C's strtod, what is not a number sleeps for no time at all.
        if (Numbers.TryParseDouble(ctx.Args[2], out double seconds) && seconds > 0)
        {
            ServerState.StopTheLoop(TimeSpan.FromSeconds(Math.Min(seconds, 86400)));
        }

        ctx.Reply.Ok();
    }

    private static void StructSize(CommandContext ctx) =>
        ctx.Reply.SimpleString(System.Text.Encoding.ASCII.GetBytes(
            $"bits:64 entry_header:{Entry.HeaderBytes} bucket:8"));

    private static bool TryFindForDebug(CommandContext ctx, out Entry entry)
    {
        if (ctx.Database.TryFind(ctx.Key(2), LookupFlags.NoTouch | LookupFlags.NoStats, out entry))
        {
            return true;
        }

        ctx.Reply.Error(CommandError.NoSuchKey);
        return false;
    }

    private static bool TryReadPositive(CommandContext ctx, int argIndex, out long value)
    {
        if (Numbers.TryParseInt64(ctx.Args[argIndex], out value) && value >= 0)
        {
            return true;
        }

        ctx.Reply.Error(CommandError.MustBePositive);
        return false;
    }

    /// <summary>C's atoi as a switch: anything that does not begin with a number other than 0 is off.</summary>
    private static bool ReadSwitch(ReadOnlySpan<byte> text) =>
        Numbers.TryParseInt64(text, out long value) && value != 0;

    private sealed record Subcommand(string Name, int MinArguments, int MaxArguments, Handler Run);

    private static partial class Log
    {
        [LoggerMessage(EventId = 2101, Level = LogLevel.Warning, Message = "DEBUG LOG: {Text}")]
        public static partial void FromClient(ILogger logger, string text);

        [LoggerMessage(EventId = 2102, Level = LogLevel.Warning, Message = "DEBUG RELOAD: {Reason}")]
        public static partial void ReloadFailed(ILogger logger, string reason);
    }
}
