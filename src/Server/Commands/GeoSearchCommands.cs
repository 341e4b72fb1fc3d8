using KvServer.Resp;
using KvServer.Server.Commands.Geo;
using KvServer.Server.Commands.Options;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Searches for members by their positions: returned or stored.</summary>
/// <remarks>Semantics: redis.io/commands, group geo. A search goes through the ranges of scores of up to nine cells
/// around the middle of its shape (<see cref="GeoSearchArea"/>).</remarks>
internal static class GeoSearchCommands
{
    private const string Cost = "O(log(N)+M) with N members in the set and M in the cells that the shape touches.";
    private const string Unit = "unit:(M|KM|FT|MI)";
    private const string Shape = "from:(FROMMEMBER member|FROMLONLAT longitude latitude) "
        + "by:(by:circle:(BYRADIUS radius " + Unit + ")|box:box:(BYBOX width height " + Unit + "))";

    private const string Extras = "[WITHCOORD] [WITHDIST] [WITHHASH]";
    private const string Order = "[order:ASC|DESC]";
    private const string Count = "[count:count:(COUNT count [ANY])]";
    private const string NewerAnyCount = "[count:count:(COUNT count [ANY]@6.2.0)]";
    private const string Stores = "[STORE key] [STOREDIST key]";
    private const string AnyAdded = "6.2.0: The ANY option of COUNT.";
    private const string UnitCase = "7.0.0: Units in upper case.";
    private const string SearchInstead = "6.2.0: GEOSEARCH with BYRADIUS";

    /// <summary>Replies with the members inside a circle or a box.</summary>
    [Command("GEOSEARCH", arity: -7, CommandFlags.ReadOnly, Group = CommandGroup.Geo, Since = "6.2.0",
        Complexity = Cost, Summary = "Returns the members inside a circle or a box.",
        Syntax = "key " + Shape + " " + Order + " " + Count + " " + Extras, History = UnitCase)]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GeoSearch(CommandContext ctx) => Search(ctx, GeoSearchForm.Search);

    /// <summary>Stores the members inside a circle or a box and replies with their number.</summary>
    [Command("GEOSEARCHSTORE", arity: -8, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Geo,
        Since = "6.2.0", Complexity = Cost, Summary = "Stores the members inside a circle or a box.",
        Syntax = "destination source:key " + Shape + " " + Order + " " + Count + " [STOREDIST]", History = UnitCase)]
    [Keys(first: 1, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GeoSearchStore(CommandContext ctx) => Search(ctx, GeoSearchForm.SearchStore);

    /// <summary>Replies with the members around a position, or stores them.</summary>
    [Command("GEORADIUS", arity: -6, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Geo,
        Since = "3.2.0", Complexity = Cost, Summary = "Returns or stores the members around a position.",
        Syntax = "key longitude latitude radius " + Unit + " " + Extras + " " + NewerAnyCount + " " + Order + " " + Stores,
        History = AnyAdded + "; " + UnitCase, Deprecated = SearchInstead)]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    [Keys(first: 0, KeyAccess.Overwrite | KeyAccess.Update, Keyword = "STORE", StartFrom = 6)]
    [Keys(first: 0, KeyAccess.Overwrite | KeyAccess.Update, Keyword = "STOREDIST", StartFrom = 6)]
    internal static void GeoRadius(CommandContext ctx) => Search(ctx, GeoSearchForm.Radius);

    /// <summary>GEORADIUS that stores nothing.</summary>
    [Command("GEORADIUS_RO", arity: -6, CommandFlags.ReadOnly, Group = CommandGroup.Geo, Since = "3.2.10",
        Complexity = Cost, Summary = "Returns the members around a position.",
        Syntax = "key longitude latitude radius " + Unit + " " + Extras + " " + NewerAnyCount + " " + Order,
        History = AnyAdded, Deprecated = SearchInstead)]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GeoRadiusReadOnly(CommandContext ctx) => Search(ctx, GeoSearchForm.Radius);

    /// <summary>Replies with the members around one of them, or stores them.</summary>
    [Command("GEORADIUSBYMEMBER", arity: -5, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Geo,
        Since = "3.2.0", Complexity = Cost, Summary = "Returns or stores the members around one of them.",
        Syntax = "key member radius " + Unit + " " + Extras + " " + Count + " " + Order + " " + Stores,
        History = UnitCase, Deprecated = SearchInstead)]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    [Keys(first: 0, KeyAccess.Overwrite | KeyAccess.Update, Keyword = "STORE", StartFrom = 5)]
    [Keys(first: 0, KeyAccess.Overwrite | KeyAccess.Update, Keyword = "STOREDIST", StartFrom = 5)]
    internal static void GeoRadiusByMember(CommandContext ctx) => Search(ctx, GeoSearchForm.RadiusByMember);

    /// <summary>GEORADIUSBYMEMBER that stores nothing.</summary>
    [Command("GEORADIUSBYMEMBER_RO", arity: -5, CommandFlags.ReadOnly, Group = CommandGroup.Geo, Since = "3.2.10",
        Complexity = Cost, Summary = "Returns the members around one of them.",
        Syntax = "key member radius " + Unit + " " + Extras + " " + Count + " " + Order, Deprecated = SearchInstead)]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GeoRadiusByMemberReadOnly(CommandContext ctx) => Search(ctx, GeoSearchForm.RadiusByMember);

    private static void Search(CommandContext ctx, GeoSearchForm form)
    {
        int keyAt = form == GeoSearchForm.SearchStore ? 2 : 1;
        bool exists = SortedSetCommands.TryOpen(ctx, keyAt, out SortedSetValue set, out bool replied);
        if (replied || !GeoSearchOptions.TryParse(ctx, form, exists, in set, out GeoSearchOptions options))
        {
            return;
        }

        GeoMatches matches = new();
        try
        {
            if (exists)
            {
                matches.Search(in set, in options.Shape, options.TakesAny ? options.Count : 0);
            }

            int wanted = options.Count == 0 ? matches.Count : (int)Math.Min(options.Count, matches.Count);

            // A number of members means the nearest ones, unless any will do.
            bool isUnordered = options.Order == GeoOrder.None && (options.Count == 0 || options.TakesAny);
            matches.Sort(isUnordered ? GeoOrder.None : options.Order == GeoOrder.None ? GeoOrder.Ascending : options.Order, wanted);
            if (options.StoreAt > 0)
            {
                Store(ctx, form, in set, in options, matches.Found[..wanted]);
            }
            else
            {
                Reply(ctx.Reply, in set, in options, matches.Found[..wanted]);
            }
        }
        finally
        {
            matches.Dispose();
        }
    }

    private static void Reply(
        ReplyWriter reply, in SortedSetValue set, in GeoSearchOptions options, ReadOnlySpan<GeoMatch> matches)
    {
        int extras = (options.WithDistance ? 1 : 0) + (options.WithHash ? 1 : 0) + (options.WithPosition ? 1 : 0);
        reply.Array(matches.Length);
        foreach (GeoMatch match in matches)
        {
            SortedSetMember member = set.At(match.Place);
            if (extras > 0)
            {
                reply.Array(extras + 1);
            }

            SetCommands.Write(reply, member.Member);
            if (options.WithDistance)
            {
                GeoReply.Distance(reply, match.Distance / options.Shape.MetresPerUnit);
            }

            if (options.WithHash)
            {
                reply.Integer((long)member.Score);
            }

            if (options.WithPosition)
            {
                GeoReply.Position(reply, GeoHash.PositionOf(member.Score));
            }
        }
    }

    private static void Store(
        CommandContext ctx, GeoSearchForm form, in SortedSetValue set, in GeoSearchOptions options, ReadOnlySpan<GeoMatch> matches)
    {
        SortedSetBuilder builder = new(ctx.Server.Keyspace, SortedSetCommands.LimitsOf(ctx), matches.Length);
        SortedSetValue result = default;
        try
        {
            foreach (GeoMatch match in matches)
            {
                SortedSetMember member = set.At(match.Place);
                builder.TryAdd(
                    member.Member, options.StoresDistance ? match.Distance / options.Shape.MetresPerUnit : member.Score);
            }

            result = builder.Finish();
            KeyEvent keyEvent = form == GeoSearchForm.SearchStore ? KeyEvent.GeoSearchStore : KeyEvent.GeoRadiusStore;
            SortedSetRangeCommands.Store(ctx, ref result, keyEvent, options.StoreAt, matches.Length);
        }
        finally
        {
            result.Dispose();
            builder.Dispose();
        }
    }
}
