using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>The condition of EXPIRE and its kin: NX, XX, GT and LT.</summary>
internal readonly struct ExpireOptions
{
    private readonly Condition _conditions;

    private ExpireOptions(Condition conditions) => _conditions = conditions;

    [Flags]
    private enum Condition : byte
    {
        None = 0,
        Missing = 1,
        Present = 2,
        Later = 4,
        Sooner = 8,
    }

    /// <summary>Reads the words from <paramref name="start"/> to the end.</summary>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(Arguments args, int start, out ExpireOptions options, out byte[] error)
    {
        options = default;
        error = [];
        Condition conditions = Condition.None;
        for (int i = start; i < args.Count; i++)
        {
            Condition condition = Read(args[i]);
            if (condition == Condition.None)
            {
                error = CommandError.Format("ERR Unsupported option ", args[i], "");
                return false;
            }

            conditions |= condition;
        }

        if (Has(conditions, Condition.Missing) && conditions != Condition.Missing)
        {
            error = Encoding.ASCII.GetBytes("ERR NX and XX, GT or LT options at the same time are not compatible");
            return false;
        }

        if (Has(conditions, Condition.Later | Condition.Sooner))
        {
            error = Encoding.ASCII.GetBytes("ERR GT and LT options at the same time are not compatible");
            return false;
        }

        options = new ExpireOptions(conditions);
        return true;
    }

    /// <summary>Reads a word that is one of the four, alone.</summary>
    /// <returns>False when it is another word; then everything is allowed.</returns>
    public static bool TryParseOne(ReadOnlySpan<byte> word, out ExpireOptions options)
    {
        options = new ExpireOptions(Read(word));
        return options._conditions != Condition.None;
    }

    /// <summary>True when a new instant may replace the current one; no expiry counts as infinitely late.</summary>
    /// <param name="currentMs">The current instant in ms since the Unix epoch, or -1 for none.</param>
    public bool Allow(long currentMs, long newMs)
    {
        bool missing = currentMs < 0;
        return (!Has(_conditions, Condition.Missing) || missing)
            && (!Has(_conditions, Condition.Present) || !missing)
            && (!Has(_conditions, Condition.Later) || (!missing && newMs > currentMs))
            && (!Has(_conditions, Condition.Sooner) || missing || newMs < currentMs);
    }

    // Enum.HasFlag boxes both sides until the method has been compiled again with optimizations.
    private static bool Has(Condition conditions, Condition asked) => (conditions & asked) == asked;

    private static Condition Read(ReadOnlySpan<byte> word)
    {
        if (Ascii.EqualsIgnoreCase(word, "NX"u8))
        {
            return Condition.Missing;
        }

        if (Ascii.EqualsIgnoreCase(word, "XX"u8))
        {
            return Condition.Present;
        }

        if (Ascii.EqualsIgnoreCase(word, "GT"u8))
        {
            return Condition.Later;
        }

        return Ascii.EqualsIgnoreCase(word, "LT"u8) ? Condition.Sooner : Condition.None;
    }
}
