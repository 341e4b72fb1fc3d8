using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>An expiry as it stands among a command's options: its kind and which argument holds the number.</summary>
/// <remarks>The number is read by <see cref="Resolve(Arguments, long, out long)"/>, later than the options: some
/// commands look the key up in between and answer for that first.</remarks>
internal readonly record struct ExpiryOption(ExpiryKind Kind, int ArgIndex = 0)
{
    /// <summary>True when the option carries a number.</summary>
    public bool HasTime => Kind is >= ExpiryKind.Seconds and <= ExpiryKind.AtMilliseconds;

    /// <summary>True for EXAT and PXAT, which may name an instant that is over.</summary>
    public bool IsAbsolute => Kind is ExpiryKind.AtSeconds or ExpiryKind.AtMilliseconds;

    /// <summary>Reads the number of this option.</summary>
    /// <param name="args">The call's arguments.</param>
    /// <param name="nowMs">What relative times count from, ms since the Unix epoch.</param>
    /// <param name="atMs">The instant in ms since the Unix epoch, always over 0; 0 on a fault.</param>
    public ExpiryFault Resolve(Arguments args, long nowMs, out long atMs) =>
        Resolve(args[ArgIndex], Kind, nowMs, out atMs);

    /// <inheritdoc cref="Resolve(Arguments, long, out long)"/>
    public static ExpiryFault Resolve(ReadOnlySpan<byte> text, ExpiryKind kind, long nowMs, out long atMs)
    {
        atMs = 0;
        if (!Numbers.TryParseInt64(text, out long value))
        {
            return ExpiryFault.NotAnInteger;
        }

        if (value <= 0)
        {
            return ExpiryFault.Invalid;
        }

        if (kind is ExpiryKind.Seconds or ExpiryKind.AtSeconds)
        {
            if (value > long.MaxValue / 1000)
            {
                return ExpiryFault.Invalid;
            }

            value *= 1000;
        }

        if (kind is ExpiryKind.Seconds or ExpiryKind.Milliseconds)
        {
            if (value > long.MaxValue - nowMs)
            {
                return ExpiryFault.Invalid;
            }

            value += nowMs;
        }

        atMs = value;
        return ExpiryFault.None;
    }

    /// <summary>Reads one of EX, PX, EXAT and PXAT at <paramref name="index"/>, moving it over the number.</summary>
    /// <param name="args">The call's arguments.</param>
    /// <param name="index">The option's word; the last argument used on success.</param>
    /// <param name="option">What stands before this option; the same kind may repeat and the last one counts.</param>
    /// <returns>False when the word is none of these, has no number after it or contradicts an earlier one.</returns>
    public static bool TryParse(Arguments args, ref int index, ref ExpiryOption option)
    {
        ExpiryKind kind = KindOf(args[index]);
        if (kind == ExpiryKind.None
            || index + 1 >= args.Count
            || (option.Kind != ExpiryKind.None && option.Kind != kind))
        {
            return false;
        }

        option = new ExpiryOption(kind, ++index);
        return true;
    }

    /// <summary>Which of EX, PX, EXAT and PXAT a word is, or none.</summary>
    internal static ExpiryKind KindOf(ReadOnlySpan<byte> word)
    {
        return word.Length switch
        {
            2 when Is(word, "EX"u8) => ExpiryKind.Seconds,
            2 when Is(word, "PX"u8) => ExpiryKind.Milliseconds,
            4 when Is(word, "EXAT"u8) => ExpiryKind.AtSeconds,
            4 when Is(word, "PXAT"u8) => ExpiryKind.AtMilliseconds,
            _ => ExpiryKind.None,
        };

        static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> name) =>
            System.Text.Ascii.EqualsIgnoreCase(word, name);
    }
}
