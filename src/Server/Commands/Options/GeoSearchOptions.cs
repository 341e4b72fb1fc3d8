using System.Text;
using KvServer.Resp;
using KvServer.Server.Commands.Geo;
using KvServer.Storage;

namespace KvServer.Server.Commands.Options;

/// <summary>What GEOSEARCH, GEOSEARCHSTORE and the GEORADIUS family are asked for.</summary>
internal struct GeoSearchOptions
{
    /// <summary>What members are looked for in.</summary>
    public GeoShape Shape;

    /// <summary>The order of the reply.</summary>
    public GeoOrder Order;

    /// <summary>Members to return at most; 0 for all.</summary>
    public long Count;

    /// <summary>Whether any <see cref="Count"/> members will do, not the nearest ones.</summary>
    public bool TakesAny;

    /// <summary>Whether distances are returned.</summary>
    public bool WithDistance;

    /// <summary>Whether scores are returned.</summary>
    public bool WithHash;

    /// <summary>Whether positions are returned.</summary>
    public bool WithPosition;

    /// <summary>Where the key stands that the members are to be stored under; 0 when they are returned.</summary>
    public int StoreAt;

    /// <summary>Whether they are stored with distances for scores.</summary>
    public bool StoresDistance;

    private bool _hasMember;
    private bool _hasPosition;
    private bool _hasCircle;

    private enum Outcome
    {
        NoSuchOption,
        Read,
        Failed,
    }

    /// <summary>Reads all arguments behind the source's key, or replies with what is wrong with them.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="form">Which command it is.</param>
    /// <param name="exists">Whether there is a set to search.</param>
    /// <param name="set">The set, for the positions of its members.</param>
    /// <param name="options">What was asked for. Without a set the shape may be left out.</param>
    /// <remarks>The order of checks is that of the reference server.</remarks>
    public static bool TryParse(
        CommandContext ctx, GeoSearchForm form, bool exists, scoped in SortedSetValue set, out GeoSearchOptions options)
    {
        options = default;
        if (!options.TryReadFixed(ctx, form, exists, in set, out int at))
        {
            return false;
        }

        bool isSearch = form is GeoSearchForm.Search or GeoSearchForm.SearchStore;
        while (at < ctx.Args.Count)
        {
            Outcome outcome = options.ReadCommon(ctx, ref at);
            if (outcome == Outcome.NoSuchOption)
            {
                outcome = isSearch
                    ? options.ReadSearch(ctx, form, exists, in set, ref at)
                    : options.ReadStore(ctx, ref at);
            }

            if (outcome != Outcome.Read)
            {
                if (outcome == Outcome.NoSuchOption)
                {
                    ctx.Reply.Error(CommandError.Syntax);
                }

                return false;
            }
        }

        return options.Check(ctx, form, isSearch);
    }

    /// <summary>Reads longitude and latitude, or replies with what is wrong with them.</summary>
    internal static bool TryReadPosition(CommandContext ctx, int at, out GeoPosition position)
    {
        position = default;
        if (!Numbers.TryParseDouble(ctx.Args[at], out double longitude)
            || !Numbers.TryParseDouble(ctx.Args[at + 1], out double latitude))
        {
            ctx.Reply.Error(CommandError.NotAFloat);
            return false;
        }

        position = new GeoPosition(longitude, latitude);
        if (!position.IsValid)
        {
            ctx.Reply.Error(CommandError.InvalidPosition(position));
            return false;
        }

        return true;
    }

    // What stands at a fixed place: all of the shape for the GEORADIUS family, nothing for the others.
    private bool TryReadFixed(
        CommandContext ctx, GeoSearchForm form, bool exists, scoped in SortedSetValue set, out int end)
    {
        switch (form)
        {
            case GeoSearchForm.Radius:
                end = 6;
                return TryReadPosition(ctx, 2, out Shape.Center) && TryReadCircle(ctx, 4);
            case GeoSearchForm.RadiusByMember:
                end = 5;
                return !exists || (TryReadMember(ctx, 2, in set) && TryReadCircle(ctx, 3));
            case GeoSearchForm.SearchStore:
                StoreAt = 1;
                end = 3;
                return true;
            default:
                end = 2;
                return true;
        }
    }

    private Outcome ReadCommon(CommandContext ctx, ref int at)
    {
        Arguments args = ctx.Args;
        ReadOnlySpan<byte> word = args[at];
        if (Ascii.EqualsIgnoreCase(word, "WITHDIST"u8))
        {
            WithDistance = true;
        }
        else if (Ascii.EqualsIgnoreCase(word, "WITHHASH"u8))
        {
            WithHash = true;
        }
        else if (Ascii.EqualsIgnoreCase(word, "WITHCOORD"u8))
        {
            WithPosition = true;
        }
        else if (Ascii.EqualsIgnoreCase(word, "ANY"u8))
        {
            TakesAny = true;
        }
        else if (Ascii.EqualsIgnoreCase(word, "ASC"u8))
        {
            Order = GeoOrder.Ascending;
        }
        else if (Ascii.EqualsIgnoreCase(word, "DESC"u8))
        {
            Order = GeoOrder.Descending;
        }
        else if (Ascii.EqualsIgnoreCase(word, "COUNT"u8) && at + 1 < args.Count)
        {
            if (!TryReadCount(ctx, ++at))
            {
                return Outcome.Failed;
            }
        }
        else
        {
            return Outcome.NoSuchOption;
        }

        at++;
        return Outcome.Read;
    }

    private Outcome ReadStore(CommandContext ctx, ref int at)
    {
        bool storesDistance = Ascii.EqualsIgnoreCase(ctx.Args[at], "STOREDIST"u8);
        if (ctx.Command.Is(CommandFlags.ReadOnly)
            || at + 1 >= ctx.Args.Count
            || (!storesDistance && !Ascii.EqualsIgnoreCase(ctx.Args[at], "STORE"u8)))
        {
            return Outcome.NoSuchOption;
        }

        StoresDistance = storesDistance;
        StoreAt = at + 1;
        at += 2;
        return Outcome.Read;
    }

    private Outcome ReadSearch(
        CommandContext ctx, GeoSearchForm form, bool exists, scoped in SortedSetValue set, ref int at)
    {
        ReadOnlySpan<byte> word = ctx.Args[at];
        int left = ctx.Args.Count - at - 1;
        int used;
        bool isFine;
        if (left >= 1 && !_hasPosition && Ascii.EqualsIgnoreCase(word, "FROMMEMBER"u8))
        {
            isFine = !exists || TryReadMember(ctx, at + 1, in set);
            _hasMember = true;
            used = 1;
        }
        else if (left >= 2 && !_hasMember && Ascii.EqualsIgnoreCase(word, "FROMLONLAT"u8))
        {
            isFine = TryReadPosition(ctx, at + 1, out Shape.Center);
            _hasPosition = true;
            used = 2;
        }
        else if (left >= 2 && !Shape.IsBox && Ascii.EqualsIgnoreCase(word, "BYRADIUS"u8))
        {
            isFine = TryReadCircle(ctx, at + 1);
            _hasCircle = true;
            used = 2;
        }
        else if (left >= 3 && !_hasCircle && Ascii.EqualsIgnoreCase(word, "BYBOX"u8))
        {
            isFine = TryReadBox(ctx, at + 1);
            Shape.IsBox = true;
            used = 3;
        }
        else if (form == GeoSearchForm.SearchStore && Ascii.EqualsIgnoreCase(word, "STOREDIST"u8))
        {
            isFine = true;
            StoresDistance = true;
            used = 0;
        }
        else
        {
            return Outcome.NoSuchOption;
        }

        at += used + 1;
        return isFine ? Outcome.Read : Outcome.Failed;
    }

    private readonly bool Check(CommandContext ctx, GeoSearchForm form, bool isSearch)
    {
        if (StoreAt > 0 && (WithDistance || WithHash || WithPosition))
        {
            ctx.Reply.Error(
                form == GeoSearchForm.SearchStore ? "ERR GEOSEARCHSTORE"u8 : "ERR STORE option in GEORADIUS"u8,
                " is not compatible with WITHDIST, WITHHASH and WITHCOORD options"u8,
                default);
        }
        else if (isSearch && !_hasMember && !_hasPosition)
        {
            ctx.Reply.Error(
                "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for "u8, ctx.Args[0], default);
        }
        else if (isSearch && !_hasCircle && !Shape.IsBox)
        {
            ctx.Reply.Error("ERR exactly one of BYRADIUS and BYBOX can be specified for "u8, ctx.Args[0], default);
        }
        else if (TakesAny && Count == 0)
        {
            ctx.Reply.Error("ERR the ANY argument requires COUNT argument"u8);
        }
        else
        {
            return true;
        }

        return false;
    }

    private bool TryReadCount(CommandContext ctx, int at)
    {
        if (!Numbers.TryParseInt64(ctx.Args[at], out Count))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        if (Count <= 0)
        {
            ctx.Reply.Error("ERR COUNT must be > 0"u8);
            return false;
        }

        return true;
    }

    private bool TryReadMember(CommandContext ctx, int at, scoped in SortedSetValue set)
    {
        if (!set.TryGetScore(ctx.Args[at], out double score))
        {
            ctx.Reply.Error("ERR could not decode requested zset member"u8);
            return false;
        }

        Shape.Center = GeoHash.PositionOf(score);
        return true;
    }

    private bool TryReadCircle(CommandContext ctx, int at)
    {
        if (!Numbers.TryParseDouble(ctx.Args[at], out Shape.Radius))
        {
            ctx.Reply.Error("ERR need numeric radius"u8);
            return false;
        }

        if (Shape.Radius < 0)
        {
            ctx.Reply.Error("ERR radius cannot be negative"u8);
            return false;
        }

        return TryReadUnit(ctx, at + 1);
    }

    private bool TryReadBox(CommandContext ctx, int at)
    {
        if (!Numbers.TryParseDouble(ctx.Args[at], out Shape.Width))
        {
            ctx.Reply.Error("ERR need numeric width"u8);
            return false;
        }

        if (!Numbers.TryParseDouble(ctx.Args[at + 1], out Shape.Height))
        {
            ctx.Reply.Error("ERR need numeric height"u8);
            return false;
        }

        if (Shape.Width < 0 || Shape.Height < 0)
        {
            ctx.Reply.Error("ERR height or width cannot be negative"u8);
            return false;
        }

        return TryReadUnit(ctx, at + 2);
    }

    private bool TryReadUnit(CommandContext ctx, int at)
    {
        if (!GeoUnit.TryParse(ctx.Args[at], out Shape.MetresPerUnit))
        {
            ctx.Reply.Error(GeoUnit.Unsupported);
            return false;
        }

        return true;
    }
}
