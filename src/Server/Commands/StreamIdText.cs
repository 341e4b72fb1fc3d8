using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Ids of streams as clients write them.</summary>
/// <remarks>Numbers are read as the reference reads them, with C's <c>strtoull</c>: white space and signs may precede
/// them, and a number with a minus sign counts back from 2 to the 64.</remarks>
internal static class StreamIdText
{
    private const int MaxBytes = 127;

    /// <summary>An id that is none.</summary>
    public static ReadOnlySpan<byte> Invalid => "ERR Invalid stream ID specified as stream command argument"u8;

    /// <summary>Reads an id.</summary>
    /// <param name="text">Both numbers, or the first one only.</param>
    /// <param name="missingSequence">What the second number is when it is missing.</param>
    /// <param name="id">The id.</param>
    /// <param name="isStrict">False to take <c>-</c> and <c>+</c> for the smallest and the largest id.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, ulong missingSequence, out StreamId id, bool isStrict = true) =>
        TryParse(text, missingSequence, isStrict, takesStar: false, out id, out _);

    /// <summary>Reads the id of an entry to be added, whose second number may be left to the server: <c>5-*</c>.</summary>
    /// <param name="text">The argument.</param>
    /// <param name="id">The id.</param>
    /// <param name="hasSequence">Whether the second number is given.</param>
    public static bool TryParseNew(ReadOnlySpan<byte> text, out StreamId id, out bool hasSequence) =>
        TryParse(text, 0, isStrict: true, takesStar: true, out id, out hasSequence);

    /// <summary>Reads an id whose missing second number is 0, or replies that it is none.</summary>
    public static bool TryRead(CommandContext ctx, int argIndex, out StreamId id, bool isStrict = true)
    {
        bool isId = TryParse(ctx.Args[argIndex], 0, out id, isStrict);
        if (!isId)
        {
            ctx.Reply.Error(Invalid);
        }

        return isId;
    }

    /// <summary>Reads ids one after another, or replies that one of them is none.</summary>
    public static bool TryReadAll(CommandContext ctx, int firstArg, scoped Span<StreamId> ids)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            if (!TryRead(ctx, firstArg + i, out ids[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads where a range begins, <c>(</c> for behind an id, or replies with what is wrong with it.</summary>
    public static bool TryReadStart(CommandContext ctx, int argIndex, out StreamId id)
    {
        if (!TryReadEnd(ctx, argIndex, 0, out id, out bool isExclusive))
        {
            return false;
        }

        if (isExclusive && !id.TryGetNext(out id))
        {
            ctx.Reply.Error("ERR invalid start ID for the interval"u8);
            return false;
        }

        return true;
    }

    /// <summary>Reads where a range ends, <c>(</c> for before an id, or replies with what is wrong with it.</summary>
    public static bool TryReadStop(CommandContext ctx, int argIndex, out StreamId id)
    {
        if (!TryReadEnd(ctx, argIndex, ulong.MaxValue, out id, out bool isExclusive))
        {
            return false;
        }

        if (isExclusive && !id.TryGetPrevious(out id))
        {
            ctx.Reply.Error("ERR invalid end ID for the interval"u8);
            return false;
        }

        return true;
    }

    private static bool TryReadEnd(
        CommandContext ctx, int argIndex, ulong missingSequence, out StreamId id, out bool isExclusive)
    {
        ReadOnlySpan<byte> text = ctx.Args[argIndex];
        isExclusive = text.Length > 1 && text[0] == '(';
        bool isId = TryParse(isExclusive ? text[1..] : text, missingSequence, out id, isStrict: isExclusive);
        if (!isId)
        {
            ctx.Reply.Error(Invalid);
        }

        return isId;
    }

    private static bool TryParse(
        ReadOnlySpan<byte> text, ulong missingSequence, bool isStrict, bool takesStar, out StreamId id, out bool hasSequence)
    {
        id = default;
        hasSequence = true;
        if (text.Length > MaxBytes)
        {
            return false;
        }

        int nul = text.IndexOf((byte)0);
        text = nul >= 0 ? text[..nul] : text;
        if (text.Length == 1 && text[0] is (byte)'-' or (byte)'+')
        {
            id = text[0] == '-' ? StreamId.Min : StreamId.Max;
            return !isStrict;
        }

        int dash = text.IndexOf((byte)'-');
        ulong sequence = missingSequence;
        if (!TryParseNumber(dash >= 0 ? text[..dash] : text, out ulong ms))
        {
            return false;
        }

        if (takesStar && dash >= 0 && text[(dash + 1)..] is [(byte)'*'])
        {
            hasSequence = false;
            sequence = 0;
        }
        else if (dash >= 0 && !TryParseNumber(text[(dash + 1)..], out sequence))
        {
            return false;
        }

        id = new StreamId(ms, sequence);
        return true;
    }

    private static bool TryParseNumber(ReadOnlySpan<byte> text, out ulong number)
    {
        if (Numbers.TryParseInt64(text, out long integer))
        {
            number = (ulong)integer;
            return integer >= 0;
        }

        text = text.TrimStart(" \t\n\v\f\r"u8);
        bool isNegative = text is [(byte)'-', ..];
        text = text is [(byte)'-' or (byte)'+', ..] ? text[1..] : text;
        number = 0;
        foreach (byte digit in text)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            UInt128 next = ((UInt128)number * 10) + (uint)(digit - '0');
            if (next > ulong.MaxValue)
            {
                return false;
            }

            number = (ulong)next;
        }

        number = isNegative ? unchecked(0 - number) : number;
        return !text.IsEmpty;
    }
}
