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

            KeyAccess access = spec.AccessOf(line);
            foreach (int position in positions)
            {
                keys.Add(new KeyPlace(position, access & ~KeyAccess.Incomplete));
            }
        }

        return keys.Count > 0;
    }
}
