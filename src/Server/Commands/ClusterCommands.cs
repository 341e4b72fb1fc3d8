using System.Text;

namespace KvServer.Server.Commands;

/// <summary>CLUSTER, for clients that ask whether this is one: it is not.</summary>
internal static class ClusterCommands
{
    private static readonly string[] Subcommands =
    [
        "addslots", "addslotsrange", "bumpepoch", "count-failure-reports", "countkeysinslot", "delslots",
        "delslotsrange", "failover", "flushslots", "forget", "getkeysinslot", "help", "info", "keyslot", "links", "meet",
        "myid", "nodes", "replicas", "replicate", "reset", "saveconfig", "set-config-epoch", "setslot", "shards",
        "slaves", "slots",
    ];

    /// <summary>Replies that cluster support is disabled, or that there is no such subcommand.</summary>
    [Command("CLUSTER", arity: -2, CommandFlags.None, Group = CommandGroup.Cluster, Since = "3.0.0",
        Complexity = "O(1)", Summary = "Tells that this server is not part of a cluster.")]
    internal static void Cluster(CommandContext ctx)
    {
        string word = Encoding.UTF8.GetString(ctx.Args[1]).ToLowerInvariant();
        if (Subcommands.Contains(word))
        {
            ctx.Reply.Error("ERR This instance has cluster support disabled"u8);
        }
        else
        {
            ctx.Reply.Error(CommandError.UnknownSubcommand("CLUSTER", ctx.Args[1]));
        }
    }
}
