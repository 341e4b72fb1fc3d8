using KvServer.Resp;
using KvServer.Storage;
using Ascii = System.Text.Ascii;

namespace KvServer.Server.Commands.Options;

/// <summary>What may follow RESTORE's payload: REPLACE, ABSTTL, IDLETIME and FREQ.</summary>
/// <param name="Replace">Whether the key may exist.</param>
/// <param name="AbsoluteTtl">Whether the time to live is an instant in ms since the Unix epoch.</param>
/// <param name="Hint">How the key has been used.</param>
internal readonly record struct RestoreOptions(bool Replace, bool AbsoluteTtl, AccessHint Hint)
{
    private const int FirstOption = 4;

    /// <summary>Reads the options.</summary>
    /// <param name="args">The request.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(Arguments args, out RestoreOptions options, out byte[] error)
    {
        options = default;
        error = [];
        for (int i = FirstOption; i < args.Count; i++)
        {
            bool hasValue = i + 1 < args.Count;
            AccessHintKind kind = options.Hint.Kind;
            if (Ascii.EqualsIgnoreCase(args[i], "REPLACE"u8))
            {
                options = options with { Replace = true };
            }
            else if (Ascii.EqualsIgnoreCase(args[i], "ABSTTL"u8))
            {
                options = options with { AbsoluteTtl = true };
            }
            else if (hasValue && kind != AccessHintKind.Frequency && Ascii.EqualsIgnoreCase(args[i], "IDLETIME"u8))
            {
                if (!TryReadNumber(args[++i], long.MaxValue, CommandError.InvalidIdleTime, out long seconds, out error))
                {
                    return false;
                }

                options = options with { Hint = AccessHint.OfIdleSeconds(seconds) };
            }
            else if (hasValue && kind != AccessHintKind.IdleSeconds && Ascii.EqualsIgnoreCase(args[i], "FREQ"u8))
            {
                if (!TryReadNumber(args[++i], byte.MaxValue, CommandError.InvalidFrequency, out long counter, out error))
                {
                    return false;
                }

                options = options with { Hint = AccessHint.OfFrequency((int)counter) };
            }
            else
            {
                error = CommandError.Syntax.ToArray();
                return false;
            }
        }

        return true;
    }

    private static bool TryReadNumber(
        ReadOnlySpan<byte> text, long max, ReadOnlySpan<byte> outOfRange, out long value, out byte[] error)
    {
        error = [];
        if (!Numbers.TryParseInt64(text, out value))
        {
            error = CommandError.NotAnInteger.ToArray();
            return false;
        }

        if (value < 0 || value > max)
        {
            error = outOfRange.ToArray();
            return false;
        }

        return true;
    }
}
