using System.Text;
using KvServer.Server.Commands.Options;
using KvServer.Server.Tracking;

namespace KvServer.Server.Commands;

/// <summary>CLIENT TRACKING and what belongs to it: a client caches what it reads, and is told when that changes.</summary>
internal static class ClientTrackingCommands
{
    private const CommandFlags Flags = CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale;

    /// <summary>Begins or ends to tell the connection, or another one, of changes of the keys it has read.</summary>
    [Command("CLIENT|TRACKING", arity: -3, Flags, Group = CommandGroup.Connection, Since = "6.0.0",
        Complexity = "O(N log N) in the prefixes.",
        Syntax = "status:(ON|OFF) [REDIRECT client-id] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
        Summary = "Tells the connection when keys change that it has read.")]
    internal static void Track(CommandContext ctx)
    {
        if (!TrackingOptions.TryParse(ctx.Args, ctx.Server.Clients, out TrackingOptions options, out byte[] error))
        {
            ctx.Reply.Error(error);
        }
        else if (Ascii.EqualsIgnoreCase(ctx.Args[2], "off"u8))
        {
            ctx.Server.Tracking.Disable(ctx.Client);
            ctx.Reply.Ok();
        }
        else if (!Ascii.EqualsIgnoreCase(ctx.Args[2], "on"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
        else if (!MayEnable(options, ctx.Client.Tracking, out error))
        {
            ctx.Reply.Error(error);
        }
        else
        {
            TrackingMode mode = options.IsBroadcast ? TrackingMode.Broadcast
                : options.OptsIn ? TrackingMode.OptIn
                : options.OptsOut ? TrackingMode.OptOut
                : TrackingMode.Reads;
            ctx.Server.Tracking.Enable(ctx.Client, mode, options.SparesOwn, options.RedirectId, options.Prefixes);
            ctx.Reply.Ok();
        }
    }

    /// <summary>Makes an exception for what the next command reads.</summary>
    [Command("CLIENT|CACHING", arity: 3, Flags, Group = CommandGroup.Connection, Since = "6.0.0",
        Complexity = "O(1)", Syntax = "mode:(YES|NO)", Summary = "Tells whether what the next command reads is cached.")]
    internal static void Cache(CommandContext ctx)
    {
        bool yes = Ascii.EqualsIgnoreCase(ctx.Args[2], "yes"u8);
        if (ctx.Client.Tracking is not { } session)
        {
            ctx.Reply.Error(
                "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"u8);
        }
        else if (!yes && !Ascii.EqualsIgnoreCase(ctx.Args[2], "no"u8))
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
        else if (yes && session.Mode != TrackingMode.OptIn)
        {
            ctx.Reply.Error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."u8);
        }
        else if (!yes && session.Mode != TrackingMode.OptOut)
        {
            ctx.Reply.Error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."u8);
        }
        else
        {
            session.IsCachingGiven = true;
            ctx.Reply.Ok();
        }
    }

    /// <summary>Replies with the id of the client that is told in place of this one; 0 for itself, -1 without tracking.</summary>
    [Command("CLIENT|GETREDIR", arity: 2, Flags, Group = CommandGroup.Connection, Since = "6.0.0", Complexity = "O(1)",
        Summary = "Tells which connection is told of changed keys.")]
    internal static void GetRedirect(CommandContext ctx) => ctx.Reply.Integer(ctx.Client.Tracking?.RedirectId ?? -1);

    /// <summary>Replies with how the connection tracks.</summary>
    [Command("CLIENT|TRACKINGINFO", arity: 2, Flags, Group = CommandGroup.Connection, Since = "6.2.0", Complexity = "O(1)",
        Summary = "Tells how the connection tracks keys.")]
    internal static void Info(CommandContext ctx)
    {
        TrackingSession? session = ctx.Client.Tracking;
        List<string> flags = FlagsOf(session);
        ctx.Reply.Map(3);
        ctx.Reply.BulkString("flags"u8);
        ctx.Reply.Set(flags.Count);
        foreach (string flag in flags)
        {
            ctx.Reply.BulkString(Encoding.ASCII.GetBytes(flag));
        }

        ctx.Reply.BulkString("redirect"u8);
        ctx.Reply.Integer(session?.RedirectId ?? -1);
        ctx.Reply.BulkString("prefixes"u8);
        ctx.Reply.Array(session?.Prefixes.Count ?? 0);
        foreach (byte[] prefix in session?.Prefixes ?? [])
        {
            ctx.Reply.BulkString(prefix);
        }
    }

    // The checks come in the order of the reference server, which tells the first that fails.
    private static bool MayEnable(TrackingOptions options, TrackingSession? session, out byte[] error)
    {
        error = [];
        if (!options.IsBroadcast && options.Prefixes.Count > 0)
        {
            error = "ERR PREFIX option requires BCAST mode to be enabled"u8.ToArray();
        }
        else if (session is not null && options.IsBroadcast != (session.Mode == TrackingMode.Broadcast))
        {
            error = ("ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling "u8
                + "it with a different mode."u8).ToArray();
        }
        else if (options.IsBroadcast && (options.OptsIn || options.OptsOut))
        {
            error = "ERR OPTIN and OPTOUT are not compatible with BCAST"u8.ToArray();
        }
        else if (options.OptsIn && options.OptsOut)
        {
            error = "ERR You can't specify both OPTIN mode and OPTOUT mode"u8.ToArray();
        }
        else if ((options.OptsIn && session?.Mode == TrackingMode.OptOut)
            || (options.OptsOut && session?.Mode == TrackingMode.OptIn))
        {
            error = ("ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling "u8
                + "it with a different mode."u8).ToArray();
        }
        else if (PrefixOverlap.TryFind(
            options.Prefixes, session?.Prefixes ?? [], out byte[] prefix, out byte[] other, out bool isExisting))
        {
            error =
            [
                .. "ERR Prefix '"u8, .. prefix, .. isExisting ? "' overlaps with an existing prefix '"u8
                    : "' overlaps with another provided prefix '"u8, .. other,
                .. "'. Prefixes for a single client must not overlap."u8,
            ];
        }

        return error.Length == 0;
    }

    private static List<string> FlagsOf(TrackingSession? session)
    {
        if (session is null)
        {
            return ["off"];
        }

        List<string> flags = ["on"];
        Add(session.Mode == TrackingMode.Broadcast, "bcast");
        Add(session.Mode == TrackingMode.OptIn, "optin");
        Add(session is { Mode: TrackingMode.OptIn, IsCachingGiven: true }, "caching-yes");
        Add(session.Mode == TrackingMode.OptOut, "optout");
        Add(session is { Mode: TrackingMode.OptOut, IsCachingGiven: true }, "caching-no");
        Add(session.SparesOwn, "noloop");
        Add(session.IsRedirectBroken, "broken_redirect");
        return flags;

        void Add(bool applies, string flag)
        {
            if (applies)
            {
                flags.Add(flag);
            }
        }
    }
}
