namespace KvServer.Server.Commands;

/// <summary>The classes whose handlers make up the command table; a new group of commands is added here.</summary>
internal static class CommandCatalog
{
    /// <summary>Builds the table of every command the server has.</summary>
    /// <exception cref="InvalidOperationException">A declaration is wrong; the message names it.</exception>
    public static CommandTable CreateTable() => new CommandTable()
        .Add(typeof(StringCommands))
        .Add(typeof(BitmapCommands))
        .Add(typeof(BitFieldCommands))
        .Add(typeof(ListCommands))
        .Add(typeof(ListPopCommands))
        .Add(typeof(ListMoveCommands))
        .Add(typeof(ListSearchCommands))
        .Add(typeof(ListBlockingCommands))
        .Add(typeof(HyperLogLogCommands))
        .Add(typeof(SetCommands))
        .Add(typeof(SetRandomCommands))
        .Add(typeof(SetAlgebraCommands))
        .Add(typeof(HashCommands))
        .Add(typeof(HashScanCommands))
        .Add(typeof(HashExpireCommands))
        .Add(typeof(HashExCommands))
        .Add(typeof(SortedSetCommands))
        .Add(typeof(SortedSetRangeCommands))
        .Add(typeof(SortedSetPopCommands))
        .Add(typeof(SortedSetBlockingCommands))
        .Add(typeof(SortedSetAlgebraCommands))
        .Add(typeof(KeyCommands))
        .Add(typeof(ExpireCommands))
        .Add(typeof(ScanCommands))
        .Add(typeof(DumpCommands))
        .Add(typeof(ObjectCommands))
        .Add(typeof(MemoryCommands))
        .Add(typeof(DebugCommands))
        .Add(typeof(PubSubCommands))
        .Add(typeof(ConnectionCommands))
        .Add(typeof(ClientCommands))
        .Add(typeof(ClientListCommands))
        .Add(typeof(ClusterCommands))
        .Add(typeof(CommandCommands))
        .Add(typeof(ConfigCommands))
        .Add(typeof(InfoCommands))
        .Add(typeof(ServerCommands))
        .Add(typeof(SaveCommands))
        .Add(typeof(LolwutCommands))
        .Complete();
}
