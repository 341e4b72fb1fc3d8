using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands.Options;

/// <summary>A range of a sorted set as ZRANGE and its kin take it: <c>key start stop [BYSCORE|BYLEX] [REV]
/// [LIMIT offset count] [WITHSCORES]</c>.</summary>
internal ref struct SortedSetRangeOptions
{
    /// <summary>What the ends are.</summary>
    public SortedSetRangeKind Kind;

    /// <summary>Whether members come in descending order.</summary>
    public bool IsReversed;

    /// <summary>Whether the reply has scores too.</summary>
    public bool WithScores;

    /// <summary>Members to leave out.</summary>
    public long Offset;

    /// <summary>Members to return at most; no limit when negative.</summary>
    public long Limit;

    /// <summary>The first rank, counted from the end when negative.</summary>
    public long Start;

    /// <summary>The last rank, counted from the end when negative.</summary>
    public long Stop;

    /// <summary>The scores.</summary>
    public ScoreRange Scores;

    /// <summary>The members.</summary>
    public LexRange Members;

    /// <summary>Reads a range.</summary>
    /// <param name="args">The request.</param>
    /// <param name="keyAt">Where the key stands.</param>
    /// <param name="stores">Whether the range is to be stored, which always includes the scores.</param>
    /// <param name="options">Kind and direction as the command has them (<see cref="SortedSetRangeKind.Any"/> lets the
    /// request choose both); the whole range afterwards.</param>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(
        Arguments args, int keyAt, bool stores, scoped ref SortedSetRangeOptions options, out ReadOnlySpan<byte> error)
    {
        bool isFree = options.Kind == SortedSetRangeKind.Any;
        options.Limit = -1;
        error = CommandError.Syntax;
        for (int i = keyAt + 3; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            if (!stores && Ascii.EqualsIgnoreCase(word, "WITHSCORES"u8))
            {
                options.WithScores = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "LIMIT"u8) && args.Count - i > 2)
            {
                if (!Numbers.TryParseInt64(args[i + 1], out options.Offset)
                    || !Numbers.TryParseInt64(args[i + 2], out options.Limit))
                {
                    error = CommandError.NotAnInteger;
                    return false;
                }

                i += 2;
            }
            else if (isFree && !options.IsReversed && Ascii.EqualsIgnoreCase(word, "REV"u8))
            {
                options.IsReversed = true;
            }
            else if (options.Kind == SortedSetRangeKind.Any && Ascii.EqualsIgnoreCase(word, "BYLEX"u8))
            {
                options.Kind = SortedSetRangeKind.Lex;
            }
            else if (options.Kind == SortedSetRangeKind.Any && Ascii.EqualsIgnoreCase(word, "BYSCORE"u8))
            {
                options.Kind = SortedSetRangeKind.Score;
            }
            else
            {
                return false;
            }
        }

        options.Kind = options.Kind == SortedSetRangeKind.Any ? SortedSetRangeKind.Rank : options.Kind;
        if (options.Limit != -1 && options.Kind == SortedSetRangeKind.Rank)
        {
            error = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"u8;
            return false;
        }

        if (options.WithScores && options.Kind == SortedSetRangeKind.Lex)
        {
            error = "ERR syntax error, WITHSCORES not supported in combination with BYLEX"u8;
            return false;
        }

        // Except for ranks, the end named first is the one the walk begins at.
        bool isSwapped = options.IsReversed && options.Kind != SortedSetRangeKind.Rank;
        return TryParseEnds(
            args[keyAt + (isSwapped ? 2 : 1)], args[keyAt + (isSwapped ? 1 : 2)], ref options, out error);
    }

    /// <summary>Reads the two ends of a range whose kind is known.</summary>
    public static bool TryParseEnds(
        ReadOnlySpan<byte> min, ReadOnlySpan<byte> max, scoped ref SortedSetRangeOptions options, out ReadOnlySpan<byte> error)
    {
        error = default;
        switch (options.Kind)
        {
            case SortedSetRangeKind.Score when !TryParseScores(min, max, out options.Scores):
                error = CommandError.NotAScoreRange;
                return false;
            case SortedSetRangeKind.Lex when !TryParseMembers(min, max, out options.Members):
                error = CommandError.NotALexRange;
                return false;
            case SortedSetRangeKind.Rank when !Numbers.TryParseInt64(min, out options.Start)
                || !Numbers.TryParseInt64(max, out options.Stop):
                error = CommandError.NotAnInteger;
                return false;
            default:
                return true;
        }
    }

    /// <summary>Reads a range of scores: numbers, each with a <c>(</c> before it if it is left out itself.</summary>
    public static bool TryParseScores(ReadOnlySpan<byte> min, ReadOnlySpan<byte> max, out ScoreRange range)
    {
        bool isMinExclusive = !min.IsEmpty && min[0] == (byte)'(';
        bool isMaxExclusive = !max.IsEmpty && max[0] == (byte)'(';
        range = default;
        if (!Numbers.TryParseRangeEnd(isMinExclusive ? min[1..] : min, out double minScore)
            || !Numbers.TryParseRangeEnd(isMaxExclusive ? max[1..] : max, out double maxScore))
        {
            return false;
        }

        range = new ScoreRange(minScore, maxScore, isMinExclusive, isMaxExclusive);
        return true;
    }

    /// <summary>Reads a range of members: <c>-</c>, <c>+</c>, or a member after <c>[</c> or <c>(</c>.</summary>
    public static bool TryParseMembers(ReadOnlySpan<byte> min, ReadOnlySpan<byte> max, out LexRange range)
    {
        range = default;
        if (!TryParseMember(min, out LexBound minBound) || !TryParseMember(max, out LexBound maxBound))
        {
            return false;
        }

        range = new LexRange(minBound, maxBound);
        return true;
    }

    /// <summary>The members of a set that are in the range, in ascending order.</summary>
    public readonly SortedSetSlice Locate(in SortedSetValue set)
    {
        switch (Kind)
        {
            case SortedSetRangeKind.Score:
                return set.Locate(Scores).Cut(Offset, Limit, IsReversed);
            case SortedSetRangeKind.Lex:
                return set.Locate(Members, IsReversed).Cut(Offset, Limit, IsReversed);
            default:
                break;
        }

        long count = set.Count;
        long start = Math.Max(Start < 0 ? Start + count : Start, 0);
        long stop = Math.Min(Stop < 0 ? Stop + count : Stop, count - 1);
        if (start > stop)
        {
            return set.Slice(0, 0);
        }

        long length = stop - start + 1;
        return set.Slice(IsReversed ? count - start - length : start, length);
    }

    private static bool TryParseMember(ReadOnlySpan<byte> text, out LexBound bound)
    {
        bound = default;
        if (text.IsEmpty)
        {
            return false;
        }

        // The reference server looks for the end of a C string behind the sign.
        bool isAlone = text.Length == 1 || text[1] == 0;
        switch (text[0])
        {
            case (byte)'+' when isAlone:
                bound = LexBound.AfterAll;
                return true;
            case (byte)'-' when isAlone:
                bound = LexBound.BeforeAll;
                return true;
            case (byte)'(':
                bound = LexBound.At(text[1..], isExclusive: true);
                return true;
            case (byte)'[':
                bound = LexBound.At(text[1..], isExclusive: false);
                return true;
            default:
                return false;
        }
    }
}
