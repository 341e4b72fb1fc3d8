namespace KvServer.Server.Commands;

/// <summary>The ACL categories of a command, derived from its flags, its group and what its declaration adds.</summary>
internal static class AclCategories
{
    /// <summary>Every category there is, in the order COMMAND INFO lists them.</summary>
    public static readonly string[] All =
    [
        "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo",
        "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
    ];

    /// <summary>The categories of <paramref name="command"/>, in the order of <see cref="All"/>.</summary>
    public static string[] Of(Command command)
    {
        CommandAttribute declaration = command.Declaration;
        HashSet<string> categories = [.. declaration.Acl.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        if (command.Subcommands is null && OfGroup(declaration.Group) is { } own)
        {
            categories.Add(own);
        }

        AddWhen(command.Is(CommandFlags.Write), "write");
        AddWhen(command.Is(CommandFlags.ReadOnly) && declaration.Group != CommandGroup.Scripting, "read");
        AddWhen(command.Is(CommandFlags.Admin), "admin");
        AddWhen(command.Is(CommandFlags.Admin), "dangerous");
        AddWhen(command.Is(CommandFlags.PubSub), "pubsub");
        AddWhen(command.Is(CommandFlags.Blocking), "blocking");
        AddWhen(condition: true, command.Is(CommandFlags.Fast) ? "fast" : "slow");
        string? unknown = categories.FirstOrDefault(category => !All.Contains(category));
        return unknown is null
            ? [.. All.Where(categories.Contains)]
            : throw new InvalidOperationException($"Command {declaration.Name} has the unknown ACL category {unknown}.");

        void AddWhen(bool condition, string category)
        {
            if (condition)
            {
                categories.Add(category);
            }
        }
    }

    /// <summary>The category a group gives by itself. Generic, server and cluster commands say theirs; publish and
    /// subscribe goes by the flag.</summary>
    private static string? OfGroup(CommandGroup group) => group switch
    {
        CommandGroup.String => "string",
        CommandGroup.List => "list",
        CommandGroup.Set => "set",
        CommandGroup.SortedSet => "sortedset",
        CommandGroup.Hash => "hash",
        CommandGroup.Transactions => "transaction",
        CommandGroup.Connection => "connection",
        CommandGroup.Scripting => "scripting",
        CommandGroup.HyperLogLog => "hyperloglog",
        CommandGroup.Geo => "geo",
        CommandGroup.Stream => "stream",
        CommandGroup.Bitmap => "bitmap",
        _ => null,
    };
}
