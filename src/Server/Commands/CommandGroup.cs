namespace KvServer.Server.Commands;

/// <summary>The chapter a command stands under in COMMAND DOCS; most give an ACL category of the same name.</summary>
internal enum CommandGroup : byte
{
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Cluster,
    Geo,
    Stream,
    Bitmap,
}
