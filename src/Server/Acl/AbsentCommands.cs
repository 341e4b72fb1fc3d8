namespace KvServer.Server.Acl;

/// <summary>The commands of Redis 7.0 that this server does not have, with their categories.</summary>
/// <remarks>Rules may name them, and categories include them, so that a user's rules mean the same here and there: a file
/// with <c>-@scripting</c> or <c>+replicaof</c> is read, kept and written back as it was. One that the command table has
/// by now is taken from there.</remarks>
internal static class AbsentCommands
{
    /// <summary>Names, all those of one set of categories together; subcommands as <c>script|load</c>.</summary>
    public static readonly (string Categories, string Names)[] All =
    [
        ("fast connection",
            "asking readonly readwrite"),
        ("admin slow dangerous",
            "cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|count-failure-reports "
            + "cluster|delslots cluster|delslotsrange cluster|failover cluster|flushslots cluster|forget "
            + "cluster|meet cluster|replicas cluster|replicate cluster|reset cluster|saveconfig "
            + "cluster|set-config-epoch cluster|setslot cluster|slaves failover psync replconf replicaof "
            + "slaveof sync"),
        ("slow",
            "cluster|countkeysinslot cluster|getkeysinslot cluster|help cluster|info cluster|keyslot "
            + "cluster|links cluster|myid cluster|nodes cluster|shards cluster|slots function script"),
        ("slow scripting",
            "eval eval_ro evalsha evalsha_ro fcall fcall_ro function|dump function|help function|kill "
            + "function|list function|stats script|debug script|exists script|flush script|help "
            + "script|kill script|load"),
        ("write slow scripting",
            "function|delete function|flush function|load function|restore"),
        ("keyspace write slow dangerous",
            "migrate restore-asking"),
        ("slow connection",
            "wait"),
    ];
}
