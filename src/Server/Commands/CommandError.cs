using System.Globalization;
using System.Text;
using KvServer.Server.Acl;

namespace KvServer.Server.Commands;

/// <summary>Error replies that clients match on, each once, without the leading '-' and the line end.</summary>
/// <remarks>Code and wording are those of the reference server. Texts made from user bytes are sanitised by the
/// reply writer: they can never add a line.</remarks>
internal static class CommandError
{
    public static ReadOnlySpan<byte> WrongType =>
        "WRONGTYPE Operation against a key holding the wrong kind of value"u8;

    public static ReadOnlySpan<byte> Syntax => "ERR syntax error"u8;

    public static ReadOnlySpan<byte> NotAnInteger => "ERR value is not an integer or out of range"u8;

    public static ReadOnlySpan<byte> NotAFloat => "ERR value is not a valid float"u8;

    public static ReadOnlySpan<byte> MustBePositive => "ERR value is out of range, must be positive"u8;

    public static ReadOnlySpan<byte> Overflow => "ERR increment or decrement would overflow"u8;

    public static ReadOnlySpan<byte> NanOrInfinity => "ERR increment would produce NaN or Infinity"u8;

    public static ReadOnlySpan<byte> ScoreNotANumber => "ERR resulting score is not a number (NaN)"u8;

    public static ReadOnlySpan<byte> NotAScoreRange => "ERR min or max is not a float"u8;

    public static ReadOnlySpan<byte> NotALexRange => "ERR min or max not valid string range item"u8;

    public static ReadOnlySpan<byte> NoSuchKey => "ERR no such key"u8;

    public static ReadOnlySpan<byte> IndexOutOfRange => "ERR index out of range"u8;

    public static ReadOnlySpan<byte> SameObject => "ERR source and destination objects are the same"u8;

    public static ReadOnlySpan<byte> InvalidCursor => "ERR invalid cursor"u8;

    public static ReadOnlySpan<byte> DbIndexOutOfRange => "ERR DB index is out of range"u8;

    public static ReadOnlySpan<byte> BusyKey => "BUSYKEY Target key name already exists."u8;

    public static ReadOnlySpan<byte> InvalidTtl => "ERR Invalid TTL value, must be >= 0"u8;

    public static ReadOnlySpan<byte> InvalidIdleTime => "ERR Invalid IDLETIME value, must be >= 0"u8;

    public static ReadOnlySpan<byte> InvalidFrequency => "ERR Invalid FREQ value, must be >= 0 and <= 255"u8;

    public static ReadOnlySpan<byte> BadPayloadFooter => "ERR DUMP payload version or checksum are wrong"u8;

    public static ReadOnlySpan<byte> BadPayload => "ERR Bad data format"u8;

    public static ReadOnlySpan<byte> StringTooLong =>
        "ERR string exceeds maximum allowed size (proto-max-bulk-len)"u8;

    /// <summary>The memory limit is reached and nothing may be evicted.</summary>
    public static ReadOnlySpan<byte> OutOfMemory =>
        "OOM command not allowed when used memory > 'maxmemory'."u8;

    /// <summary>An allocation failed: the command changed nothing and the server lives on.</summary>
    public static ReadOnlySpan<byte> AllocationFailed => "OOM out of memory: the allocation failed"u8;

    /// <summary>A client in MONITOR may look only; the word is that for replicas, which may not either.</summary>
    public static ReadOnlySpan<byte> MonitorsOnly => "ERR Replica can't interact with the keyspace"u8;

    public static ReadOnlySpan<byte> NoAuth => "NOAUTH Authentication required."u8;

    public static ReadOnlySpan<byte> NoProto => "NOPROTO unsupported protocol version"u8;

    public static ReadOnlySpan<byte> WrongPass => "WRONGPASS invalid username-password pair or user is disabled."u8;

    public static ReadOnlySpan<byte> Loading => "LOADING Redis is loading the dataset in memory"u8;

    /// <summary>The last save failed, and stop-writes-on-bgsave-error is set.</summary>
    public static ReadOnlySpan<byte> SavingFails =>
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error."u8;

    public static ReadOnlySpan<byte> NotInMulti => "ERR Command not allowed inside a transaction"u8;

    /// <summary>EXEC after a command could not be queued.</summary>
    public static ReadOnlySpan<byte> ExecAbort => "EXECABORT Transaction discarded because of previous errors."u8;

    /// <summary>EXEC that is refused itself; the reason follows.</summary>
    public static ReadOnlySpan<byte> ExecAbortPrefix => "EXECABORT Transaction discarded because of: "u8;

    /// <summary>CLIENT UNBLOCK ERROR, to the client that was waiting.</summary>
    public static ReadOnlySpan<byte> Unblocked => "UNBLOCKED client unblocked via CLIENT UNBLOCK"u8;

    /// <summary>BGSAVE while the append-only file is being rewritten.</summary>
    public static ReadOnlySpan<byte> RewriteRuns =>
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."u8;

    /// <summary>The append-only file cannot be written.</summary>
    /// <param name="reason">What the system says.</param>
    public static byte[] AofFails(string? reason) =>
        System.Text.Encoding.UTF8.GetBytes($"MISCONF Errors writing to the AOF file: {reason}");

    public static ReadOnlySpan<byte> Internal => "ERR internal error"u8;

    /// <summary>A call that the client's user may not make.</summary>
    public static byte[] NoPermission(AclDenial denial, string displayName) => Encoding.UTF8.GetBytes(denial switch
    {
        AclDenial.Command => $"NOPERM this user has no permissions to run the '{displayName}' command",
        AclDenial.Key => "NOPERM this user has no permissions to access one of the keys used as arguments",
        _ => "NOPERM this user has no permissions to access one of the channels used as arguments",
    });

    /// <summary>A queued call that the client's user may not make any more.</summary>
    public static byte[] NoPermissionAnyMore(AclDenial denial) => Encoding.UTF8.GetBytes(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no "
        + "longer allowed for the following reason: " + denial switch
        {
            AclDenial.Command => "no permission to execute the command or subcommand",
            AclDenial.Key => "no permission to touch the specified keys",
            _ => "no permission to access one of the channels used as arguments",
        });

    /// <summary>A text with a client's word in it; the reply writer takes line ends out.</summary>
    public static byte[] Format(string before, ReadOnlySpan<byte> word, string after = "") =>
        [.. Encoding.UTF8.GetBytes(before), .. Shorten(word, 512), .. Encoding.UTF8.GetBytes(after)];

    /// <summary>Arity: <c>wrong number of arguments for 'get' command</c>.</summary>
    public static byte[] WrongArity(string displayName) =>
        Encoding.UTF8.GetBytes($"ERR wrong number of arguments for '{displayName}' command");

    /// <summary>An operation on several sorted sets that names none of them.</summary>
    public static byte[] NoInputKeys(string displayName) =>
        Encoding.UTF8.GetBytes($"ERR at least 1 input key is needed for '{displayName}' command");

    /// <summary>A position that is none on the map, as C's <c>%f</c> shows it.</summary>
    public static byte[] InvalidPosition(Geo.GeoPosition position) => Encoding.UTF8.GetBytes(
        $"ERR invalid longitude,latitude pair {ToFixed(position.Longitude)},{ToFixed(position.Latitude)}");

    /// <summary>An expiry that is zero, negative or too far away: <c>invalid expire time in 'set' command</c>.</summary>
    public static byte[] InvalidExpire(string displayName) =>
        Encoding.UTF8.GetBytes($"ERR invalid expire time in '{displayName}' command");

    /// <summary>A command nobody knows, with the beginning of its arguments, at most 128 bytes of each part.</summary>
    public static byte[] UnknownCommand(Resp.Arguments args)
    {
        const int MaxBytes = 128;
        using MemoryStream text = new();
        text.Write("ERR unknown command '"u8);
        text.Write(Shorten(args[0], MaxBytes));
        text.Write("', with args beginning with: "u8);
        int room = MaxBytes;
        for (int i = 1; i < args.Count && room > 0; i++)
        {
            ReadOnlySpan<byte> shown = Shorten(args[i], room);
            text.Write("'"u8);
            text.Write(shown);
            text.Write("' "u8);
            room -= shown.Length + 3;
        }

        return text.ToArray();
    }

    /// <summary>A subcommand nobody knows: <c>unknown subcommand 'x'. Try CLIENT HELP.</c></summary>
    public static byte[] UnknownSubcommand(string container, ReadOnlySpan<byte> subcommand)
    {
        using MemoryStream text = new();
        text.Write("ERR unknown subcommand '"u8);
        text.Write(Shorten(subcommand, 128));
        text.Write("'. Try "u8);
        text.Write(Encoding.UTF8.GetBytes(container));
        text.Write(" HELP."u8);
        return text.ToArray();
    }

    /// <summary>A subcommand that exists, with arguments it does not take.</summary>
    public static byte[] SubcommandSyntax(string container, ReadOnlySpan<byte> subcommand) =>
        Format("ERR unknown subcommand or wrong number of arguments for '", subcommand, $"'. Try {container} HELP.");

    private static string ToFixed(double value) => double.IsInfinity(value)
        ? (value > 0 ? "inf" : "-inf")
        : value.ToString("F6", CultureInfo.InvariantCulture);

    /// <summary>User bytes as C's <c>%.*s</c> shows them: cut at a NUL and at a length.</summary>
    private static ReadOnlySpan<byte> Shorten(ReadOnlySpan<byte> bytes, int maxBytes)
    {
        int nul = bytes.IndexOf((byte)0);
        ReadOnlySpan<byte> text = nul >= 0 ? bytes[..nul] : bytes;
        return text.Length > maxBytes ? text[..maxBytes] : text;
    }
}
