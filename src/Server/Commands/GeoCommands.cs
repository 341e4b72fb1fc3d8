using System.Buffers;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Commands.Geo;
using KvServer.Server.Commands.Options;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Positions on the globe as members of a sorted set.</summary>
/// <remarks>Semantics: redis.io/commands, group geo. A position is kept as a score (<see cref="GeoHash"/>), so every
/// command on sorted sets works on these keys too. Searches are in <see cref="GeoSearchCommands"/>.</remarks>
internal static class GeoCommands
{
    private const int ArgumentsPerMember = 3;

    // Scores of up to so many members lie on the stack.
    private const int StackMembers = 32;

    /// <summary>Adds members with their positions, or moves them; replies with how many were new.</summary>
    /// <remarks>Passed on as ZADD with the scores.</remarks>
    [Command("GEOADD", arity: -5, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Geo, Since = "3.2.0",
        Complexity = "O(log(N)) for each member, with N in the set.", Summary = "Adds members with their positions.",
        Syntax = "key [condition:NX|XX]@6.2.0 [change:CH]@6.2.0 (longitude latitude member)...",
        History = "6.2.0: The options CH, NX and XX.")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Update)]
    internal static void GeoAdd(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        SortedSetAddOptions options = ParseAddOptions(args);
        const SortedSetAddFlags Contradiction = SortedSetAddFlags.OnlyNew | SortedSetAddFlags.OnlyExisting;
        int left = args.Count - options.First;
        if (left == 0 || left % ArgumentsPerMember != 0 || (options.Flags & Contradiction) == Contradiction)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        int members = left / ArgumentsPerMember;
        double[]? rented = members > StackMembers ? ArrayPool<double>.Shared.Rent(members) : null;
        Span<double> scores = rented is null ? stackalloc double[StackMembers] : rented;
        scores = scores[..members];
        try
        {
            for (int i = 0; i < members; i++)
            {
                if (!GeoSearchOptions.TryReadPosition(
                    ctx, options.First + (i * ArgumentsPerMember), out GeoPosition position))
                {
                    return;
                }

                scores[i] = GeoHash.ScoreOf(position);
            }

            SortedSetCommands.Add(ctx, options, scores, ArgumentsPerMember);
            Propagate(ctx, options, scores);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<double>.Shared.Return(rented);
            }
        }
    }

    /// <summary>Replies with the distance between two members, or null when one of them is missing.</summary>
    [Command("GEODIST", arity: -4, CommandFlags.ReadOnly, Group = CommandGroup.Geo, Since = "3.2.0",
        Complexity = "O(1)", Summary = "Returns the distance between two members.",
        Syntax = "key member1 member2 [unit:M|KM|FT|MI]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GeoDist(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        double metresPerUnit = 1;
        if (args.Count == 5 && !GeoUnit.TryParse(args[4], out metresPerUnit))
        {
            ctx.Reply.Error(GeoUnit.Unsupported);
            return;
        }

        if (args.Count > 5)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        bool exists = SortedSetCommands.TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        if (exists && set.TryGetScore(args[2], out double from) && set.TryGetScore(args[3], out double to))
        {
            double metres = GeoDistance.Between(GeoHash.PositionOf(from), GeoHash.PositionOf(to));
            GeoReply.Distance(ctx.Reply, metres / metresPerUnit);
        }
        else if (!replied)
        {
            ctx.Reply.Null();
        }
    }

    /// <summary>Replies with the position of each member, or null.</summary>
    [Command("GEOPOS", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Geo, Since = "3.2.0",
        Complexity = "O(N) in the members named.", Summary = "Returns longitude and latitude of members.",
        Syntax = "key member...")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GeoPos(CommandContext ctx)
    {
        bool exists = SortedSetCommands.TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        if (replied)
        {
            return;
        }

        Arguments args = ctx.Args;
        ctx.Reply.Array(args.Count - 2);
        for (int i = 2; i < args.Count; i++)
        {
            if (exists && set.TryGetScore(args[i], out double score))
            {
                GeoReply.Position(ctx.Reply, GeoHash.PositionOf(score));
            }
            else
            {
                ctx.Reply.NullArray();
            }
        }
    }

    /// <summary>Replies with the position of each member as a standard geohash, or null.</summary>
    [Command("GEOHASH", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Geo, Since = "3.2.0",
        Complexity = "O(N) in the members named.", Summary = "Returns positions of members as geohash strings.",
        Syntax = "key member...")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GeoHashText(CommandContext ctx)
    {
        bool exists = SortedSetCommands.TryOpen(ctx, 1, out SortedSetValue set, out bool replied);
        if (replied)
        {
            return;
        }

        Arguments args = ctx.Args;
        Span<byte> text = stackalloc byte[GeoHash.TextLength];
        ctx.Reply.Array(args.Count - 2);
        for (int i = 2; i < args.Count; i++)
        {
            if (exists && set.TryGetScore(args[i], out double score))
            {
                GeoHash.WriteText(GeoHash.PositionOf(score), text);
                ctx.Reply.BulkString(text);
            }
            else
            {
                ctx.Reply.Null();
            }
        }
    }

    private static SortedSetAddOptions ParseAddOptions(Arguments args)
    {
        SortedSetAddFlags flags = SortedSetAddFlags.None;
        bool countsChanges = false;
        int at = 2;
        for (; at < args.Count; at++)
        {
            ReadOnlySpan<byte> word = args[at];
            if (Ascii.EqualsIgnoreCase(word, "NX"u8))
            {
                flags |= SortedSetAddFlags.OnlyNew;
            }
            else if (Ascii.EqualsIgnoreCase(word, "XX"u8))
            {
                flags |= SortedSetAddFlags.OnlyExisting;
            }
            else if (Ascii.EqualsIgnoreCase(word, "CH"u8))
            {
                countsChanges = true;
            }
            else
            {
                break;
            }
        }

        return new SortedSetAddOptions(flags, countsChanges, at);
    }

    private static void Propagate(CommandContext ctx, SortedSetAddOptions options, ReadOnlySpan<double> scores)
    {
        if (ctx.Changes == 0 || ctx.BeginPropagation(options.First + (scores.Length * 2)) is not { } log)
        {
            return;
        }

        Arguments args = ctx.Args;
        log.Argument("ZADD"u8);
        for (int i = 1; i < options.First; i++)
        {
            log.Argument(args[i]);
        }

        for (int i = 0; i < scores.Length; i++)
        {
            log.Argument((long)scores[i]);
            log.Argument(args[options.First + (i * ArgumentsPerMember) + 2]);
        }
    }
}
