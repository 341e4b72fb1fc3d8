namespace KvServer.Server.Commands;

/// <summary>The classes whose handlers make up the command table; a new group of commands is added here.</summary>
internal static class CommandCatalog
{
    /// <summary>Builds the table of every command the server has, by the names clients have for them.</summary>
    /// <exception cref="InvalidOperationException">A declaration is wrong; the message names it.</exception>
    /// <param name="renamed">Commands that clients call by another name, each name checked already.</param>
    public static CommandTable CreateTable((string Command, string NewName)[] renamed)
    {
        CommandTable table = CreateTable();
        foreach ((string command, string newName) in renamed)
        {
            if (table.Rename(command, newName) is { } error)
            {
                throw new InvalidOperationException($"{command}: {error}");
            }
        }

        return table;
    }

    /// <summary>Builds the table of every command the server has, by the names that are declared.</summary>
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
        .Add(typeof(GeoCommands))
        .Add(typeof(GeoSearchCommands))
        .Add(typeof(StreamCommands))
        .Add(typeof(StreamRangeCommands))
        .Add(typeof(StreamReadCommands))
        .Add(typeof(StreamGroupCommands))
        .Add(typeof(StreamPendingCommands))
        .Add(typeof(StreamClaimCommands))
        .Add(typeof(StreamInfoCommands))
        .Add(typeof(KeyCommands))
        .Add(typeof(ExpireCommands))
        .Add(typeof(SortCommands))
        .Add(typeof(ScanCommands))
        .Add(typeof(DumpCommands))
        .Add(typeof(ObjectCommands))
        .Add(typeof(MemoryCommands))
        .Add(typeof(MonitorCommands))
        .Add(typeof(SlowLogCommands))
        .Add(typeof(LatencyCommands))
        .Add(typeof(ModuleCommands))
        .Add(typeof(DebugCommands))
        .Add(typeof(PubSubCommands))
        .Add(typeof(TransactionCommands))
        .Add(typeof(ConnectionCommands))
        .Add(typeof(ClientCommands))
        .Add(typeof(ClientListCommands))
        .Add(typeof(ClientTrackingCommands))
        .Add(typeof(AclCommands))
        .Add(typeof(ClusterCommands))
        .Add(typeof(CommandCommands))
        .Add(typeof(ConfigCommands))
        .Add(typeof(InfoCommands))
        .Add(typeof(KeyReportCommands))
        .Add(typeof(ServerCommands))
        .Add(typeof(SaveCommands))
        .Add(typeof(LolwutCommands))
        .Complete();
}
