namespace KvServer.Server.Acl;

/// <summary>Finds short rules that lead to a set of commands: first categories, then what is left of single commands.</summary>
/// <remarks>Which categories is decided as on the reference server, by the commands both have, so that users read the same
/// here and there. Starting from all or from none, the category is taken next that has more commands to be changed than
/// others, first of all one with few others; what it changes too much is put right at the end.</remarks>
internal static class AclCommandRules
{
    /// <summary>The rules, separated by spaces. O(categories² x commands / 64).</summary>
    public static byte[] Describe(
        KnownCommands known, CommandBits allowed, IReadOnlyDictionary<int, List<byte[]>>? firstArgs)
    {
        bool adds = !allowed[known.FutureBit];
        using MemoryStream rules = new();
        rules.Write(adds ? "-@all"u8 : "+@all"u8);
        CommandBits reached = new(known.BitCount);
        CommandBits left = new(known.BitCount);
        reached.Fill(!adds);
        left.CopyFrom(allowed);
        List<CommandCategory> unused = [.. known.Categories];
        while (FindBest(unused, left, adds) is { } best)
        {
            Write(rules, adds, "@"u8, best.NameBytes);
            reached.Set(best.Changed, adds);
            left.Set(best.Changed, !adds);
            unused.Remove(best);
        }

        foreach (KnownCommand command in known.TopLevel)
        {
            PutRight(rules, command, allowed, reached);
            foreach (KnownCommand subcommand in command.Subcommands)
            {
                PutRight(rules, subcommand, allowed, reached);
            }

            if (!allowed[command.Id] && firstArgs?.GetValueOrDefault(command.Id) is { } words)
            {
                foreach (byte[] word in words)
                {
                    Write(rules, add: true, command.NameBytes, [(byte)'|', .. word]);
                }
            }
        }

        return rules.ToArray();
    }

    private static CommandCategory? FindBest(List<CommandCategory> categories, CommandBits left, bool adds)
    {
        CommandCategory? best = null;
        int fewestOthers = int.MaxValue;
        int most = 0;
        foreach (CommandCategory category in categories)
        {
            (int on, int off) = left.Count(category.Members);
            int others = adds ? off : on;
            int wanted = adds ? on : off;
            if (wanted > others && (others < fewestOthers || (others == fewestOthers && wanted > most)))
            {
                best = category;
                fewestOthers = others;
                most = wanted;
            }
        }

        return best;
    }

    private static void PutRight(MemoryStream rules, KnownCommand command, CommandBits allowed, CommandBits reached)
    {
        bool allow = allowed[command.Id];
        if (reached[command.Id] == allow)
        {
            return;
        }

        Write(rules, allow, command.NameBytes, default);
        reached[command.Id] = allow;
        foreach (KnownCommand subcommand in command.Subcommands)
        {
            reached[subcommand.Id] = allow;
        }
    }

    private static void Write(MemoryStream rules, bool add, ReadOnlySpan<byte> name, ReadOnlySpan<byte> rest)
    {
        rules.WriteByte((byte)' ');
        rules.WriteByte(add ? (byte)'+' : (byte)'-');
        rules.Write(name);
        rules.Write(rest);
    }
}
