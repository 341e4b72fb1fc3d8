using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>A finder of key positions for commands whose keys no range describes.</summary>
/// <returns>False when the arguments are not of the command's form.</returns>
internal delegate bool KeyFinder(Arguments args, List<int> positions);

/// <summary>Where the keys of a call are: the run-time form of <see cref="KeysAttribute"/>.</summary>
internal sealed class KeySpec(KeysAttribute declaration, KeyFinder? finder)
{
    public KeysAttribute Declaration { get; } = declaration;

    public int First => Declaration.First;

    public KeyAccess Access => Declaration.Access;

    /// <summary>True when the first key stands at the same index in every call.</summary>
    public bool HasFixedFirst =>
        finder is null && Declaration.Keyword.Length == 0 && Declaration.NumKeysAt == 0;

    /// <summary>False for names that only look like keys to routers, such as shard channels.</summary>
    public bool IsOfKeys => (Access & KeyAccess.NotKey) == 0;

    /// <summary>True when first, last and step cannot tell where the keys are.</summary>
    public bool IsMovable => !HasFixedFirst || (Access & KeyAccess.Incomplete) != 0;

    /// <summary>What a call really does with these keys, where the declaration may only say what it can do.</summary>
    /// <remarks>O(1), or O(arguments) for commands whose options decide.</remarks>
    public KeyAccess AccessOf(Arguments line) => Declaration.Rule switch
    {
        KeyAccessRule.ReadsWithGet when !HasWord(line, 3, "GET"u8) => KeyAccess.Overwrite | KeyAccess.Update,
        KeyAccessRule.WritesUnlessAllGet when OnlyReads(line) => KeyAccess.ReadOnly | KeyAccess.Access,
        _ => Access & ~KeyAccess.Variable,
    };

    /// <summary>Adds the positions of the keys in this call.</summary>
    /// <returns>False when the arguments are not of the command's form.</returns>
    public bool TryFind(Arguments args, List<int> positions)
    {
        if (finder is not null)
        {
            return finder(args, positions);
        }

        int first = First;
        if (Declaration.Keyword.Length > 0)
        {
            first = FindKeyword(args);
            if (first == 0)
            {
                return true;
            }
        }

        return Declaration.NumKeysAt > 0 ? AddCounted(args, positions) : AddRange(args, first, positions);
    }

    private int FindKeyword(Arguments args)
    {
        // The last argument is no keyword, since nothing follows it.
        bool forward = Declaration.StartFrom > 0;
        int i = forward ? Declaration.StartFrom : args.Count + Declaration.StartFrom;
        for (; i > 0 && i < args.Count - 1; i += forward ? 1 : -1)
        {
            if (Ascii.EqualsIgnoreCase(args[i], Declaration.Keyword))
            {
                return i + 1;
            }
        }

        return 0;
    }

    private bool AddCounted(Arguments args, List<int> positions)
    {
        int countAt = Declaration.NumKeysAt;
        if (countAt >= args.Count
            || !TryParseCount(args[countAt], out long count)
            || count > args.Count - countAt - 1)
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            positions.Add(countAt + 1 + (i * Declaration.Step));
        }

        return true;
    }

    // Digits as far as they go, as the reference server reads it here: which keys a call names, and so who may make it, must
    // not depend on what the command thinks of the rest later.
    private static bool TryParseCount(ReadOnlySpan<byte> text, out long count)
    {
        text = text is [(byte)'+', ..] ? text[1..] : text;
        int digits = 0;
        for (count = 0; digits < text.Length && text[digits] is >= (byte)'0' and <= (byte)'9' && count <= int.MaxValue; digits++)
        {
            count = (count * 10) + text[digits] - '0';
        }

        return digits > 0;
    }

    private bool AddRange(Arguments args, int first, List<int> positions)
    {
        int last = Declaration.Last switch
        {
            0 => first,
            < 0 when Declaration.Limit > 1 =>
                first + ((args.Count - first) / Declaration.Limit) + Declaration.Last,
            < 0 => args.Count + Declaration.Last,
            _ => Declaration.Last + (first - First),
        };
        if (last >= args.Count)
        {
            return false;
        }

        for (int i = first; i <= last; i += Declaration.Step)
        {
            positions.Add(i);
        }

        return true;
    }

    // What is not well formed counts as a write, so that nobody gains by it.
    private static bool OnlyReads(Arguments line)
    {
        int i = 2;
        while (i < line.Count)
        {
            int left = line.Count - i - 1;
            if (left >= 2 && Ascii.EqualsIgnoreCase(line[i], "GET"u8))
            {
                i += 3;
            }
            else if (left >= 1 && Ascii.EqualsIgnoreCase(line[i], "OVERFLOW"u8))
            {
                i += 2;
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private static bool HasWord(Arguments line, int from, ReadOnlySpan<byte> word)
    {
        for (int i = from; i < line.Count; i++)
        {
            if (Ascii.EqualsIgnoreCase(line[i], word))
            {
                return true;
            }
        }

        return false;
    }
}
