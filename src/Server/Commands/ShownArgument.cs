using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>The arguments of a call that has run as operators may see them, in MONITOR and the slow log.</summary>
internal static class ShownArgument
{
    /// <summary>Reads one argument. A secret reads <c>(redacted)</c>; a large one that has become a value is read there.</summary>
    /// <param name="keyspace">Hashes keys.</param>
    /// <param name="database">Where the call ran.</param>
    /// <param name="command">What was called; it knows which arguments are secret.</param>
    /// <param name="args">All arguments.</param>
    /// <param name="index">Which one.</param>
    /// <param name="scratch">Of at least <see cref="Entry.ScratchBytes"/>.</param>
    /// <returns>Valid until the next change of the database. Empty when the value is gone already.</returns>
    public static ReadOnlySpan<byte> Read(
        Keyspace keyspace, Database database, Command command, Arguments args, int index, Span<byte> scratch)
    {
        if (command.Secrets is { } isSecret && isSecret(args, index))
        {
            return "(redacted)"u8;
        }

        if (!args.IsTaken(index) || command.FirstKey == 0)
        {
            return args[index];
        }

        // Values stand behind their keys: of one key anywhere (SET, SETEX), of several in turn (MSET).
        KeysAttribute keys = command.Keys[0].Declaration;
        int key = keys.Last == 0 ? keys.First : index - ((index - keys.First) % keys.Step);
        return database.TryFind(keyspace.KeyOf(args[key]), LookupFlags.NoTouch | LookupFlags.NoStats, out Entry entry)
            && entry.Type == Storage.ValueType.String
            ? entry.GetStringSpan(scratch)
            : default;
    }
}
