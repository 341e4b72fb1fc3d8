using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>One key in a command line: where it stands and what the command does with it.</summary>
internal readonly record struct KeyPlace(int ArgIndex, KeyAccess Access)
{
    /// <summary>Finds the keys of a call.</summary>
    /// <returns>False when the arguments are not of the command's form.</returns>
    /// <remarks>O(arguments). Allocates: for COMMAND GETKEYS and the like, not for running commands.</remarks>
    public static bool TryFindAll(Command command, Arguments line, out List<KeyPlace> keys)
    {
        keys = [];
        return TryFindAll(command, line, keys, []);
    }

    /// <summary>As <see cref="TryFindAll(Command, Arguments, out List{KeyPlace})"/>, into a list of the caller's.</summary>
    /// <param name="command">The command.</param>
    /// <param name="line">The call.</param>
    /// <param name="keys">Emptied first; holds anything when the result is false.</param>
    /// <param name="positions">For use meanwhile.</param>
    public static bool TryFindAll(Command command, Arguments line, List<KeyPlace> keys, List<int> positions)
    {
        keys.Clear();
        foreach (KeySpec spec in command.Keys)
        {
            positions.Clear();
            if (!spec.TryFind(line, positions))
            {
                return false;
            }

            KeyAccess access = (spec.Access & KeyAccess.Variable) != 0 ? Resolve(spec.Access, line) : spec.Access;
            foreach (int position in positions)
            {
                keys.Add(new KeyPlace(position, access & ~KeyAccess.Incomplete));
            }
        }

        return keys.Count > 0;
    }

    /// <summary>What a call really does where the declaration can only say what it may do.</summary>
    /// <remarks>Two commands vary: SET reads only with GET, BITFIELD writes only with SET or INCRBY. Both show in the
    /// words of the call, whatever else it holds.</remarks>
    private static KeyAccess Resolve(KeyAccess declared, Arguments line)
    {
        if (Ascii.EqualsIgnoreCase(line[0], "bitfield"u8))
        {
            return OnlyReads(line)
                ? KeyAccess.ReadOnly | KeyAccess.Access
                : KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update;
        }

        if (Ascii.EqualsIgnoreCase(line[0], "set"u8))
        {
            return HasWord(line, 3, "GET"u8)
                ? KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update
                : KeyAccess.Overwrite | KeyAccess.Update;
        }

        return declared & ~KeyAccess.Variable;
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
