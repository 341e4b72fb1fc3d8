using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>The options of LCS: <c>[LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]</c> in any order.</summary>
/// <param name="LengthOnly">LEN: reply with the length.</param>
/// <param name="Indexes">IDX: reply with where the common runs are.</param>
/// <param name="WithMatchLength">WITHMATCHLEN: with the length of each run.</param>
/// <param name="MinMatchBytes">Shorter runs are not listed; 0 lists all.</param>
internal readonly record struct LcsOptions(
    bool LengthOnly, bool Indexes, bool WithMatchLength, long MinMatchBytes)
{
    /// <summary>Reads the options from argument <paramref name="first"/> on.</summary>
    /// <param name="args">The call's arguments.</param>
    /// <param name="first">Index of the first option.</param>
    /// <param name="options">What was read.</param>
    /// <param name="error">The error to reply with; empty on success.</param>
    public static bool TryParse(Arguments args, int first, out LcsOptions options, out ReadOnlySpan<byte> error)
    {
        bool lengthOnly = false;
        bool indexes = false;
        bool withMatchLength = false;
        long minMatchBytes = 0;
        options = default;
        for (int i = first; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            if (Ascii.EqualsIgnoreCase(word, "IDX"u8))
            {
                indexes = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "LEN"u8))
            {
                lengthOnly = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "WITHMATCHLEN"u8))
            {
                withMatchLength = true;
            }
            else if (i + 1 < args.Count && Ascii.EqualsIgnoreCase(word, "MINMATCHLEN"u8))
            {
                if (!Numbers.TryParseInt64(args[++i], out minMatchBytes))
                {
                    error = CommandError.NotAnInteger;
                    return false;
                }

                minMatchBytes = Math.Max(0, minMatchBytes);
            }
            else
            {
                error = CommandError.Syntax;
                return false;
            }
        }

        if (lengthOnly && indexes)
        {
            error = "ERR If you want both the length and indexes, please just use IDX."u8;
            return false;
        }

        options = new LcsOptions(lengthOnly, indexes, withMatchLength, minMatchBytes);
        error = default;
        return true;
    }
}
