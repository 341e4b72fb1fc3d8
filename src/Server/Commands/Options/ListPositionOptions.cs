using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>The options of LPOS.</summary>
internal struct ListPositionOptions
{
    /// <summary>Which of the equal elements is the first that counts, from the end when negative; never 0.</summary>
    public long Rank;

    /// <summary>How many to find; 0 means all.</summary>
    public long Count;

    /// <summary>Whether a number of matches was asked for, so that the reply is an array.</summary>
    public bool HasCount;

    /// <summary>How many elements to compare; 0 means all.</summary>
    public long MaxLength;

    /// <summary>Reads the options from the fourth argument on.</summary>
    public static bool TryParse(Arguments args, out ListPositionOptions options, out ReadOnlySpan<byte> error)
    {
        options = new ListPositionOptions { Rank = 1 };
        error = default;
        for (int i = 3; i < args.Count && error.IsEmpty; i += 2)
        {
            if (i + 1 == args.Count)
            {
                error = CommandError.Syntax;
            }
            else if (Ascii.EqualsIgnoreCase(args[i], "rank"u8))
            {
                error = ReadRank(args[i + 1], out options.Rank);
            }
            else if (Ascii.EqualsIgnoreCase(args[i], "count"u8))
            {
                options.HasCount = true;
                error = ReadPositive(args[i + 1], out options.Count) ? default : "ERR COUNT can't be negative"u8;
            }
            else if (Ascii.EqualsIgnoreCase(args[i], "maxlen"u8))
            {
                error = ReadPositive(args[i + 1], out options.MaxLength) ? default : "ERR MAXLEN can't be negative"u8;
            }
            else
            {
                error = CommandError.Syntax;
            }
        }

        return error.IsEmpty;
    }

    private static ReadOnlySpan<byte> ReadRank(ReadOnlySpan<byte> text, out long rank)
    {
        if (!Numbers.TryParseInt64(text, out rank))
        {
            return CommandError.NotAnInteger;
        }

        return rank != 0
            ? default
            : "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"u8;
    }

    private static bool ReadPositive(ReadOnlySpan<byte> text, out long value) =>
        Numbers.TryParseInt64(text, out value) && value >= 0;
}
