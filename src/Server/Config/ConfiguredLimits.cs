using KvServer.Storage;

namespace KvServer.Server.Config;

/// <summary>Up to where values stay packed, by the configuration as it is now.</summary>
internal static class ConfiguredLimits
{
    /// <summary>The limits of all types.</summary>
    public static ValueLimits Of(ServerConfig config) => new()
    {
        Sets = OfSets(config),
        Hashes = OfHashes(config),
        Lists = OfLists(config),
        SortedSets = OfSortedSets(config),
        Streams = OfStreams(config),
    };

    /// <summary>The limits of hashes.</summary>
    public static HashLimits OfHashes(ServerConfig config) =>
        HashLimits.From(config.HashMaxListpackEntries, config.HashMaxListpackValueBytes);

    /// <summary>The sizes of the nodes of lists.</summary>
    public static ListLimits OfLists(ServerConfig config) =>
        ListLimits.From(config.ListMaxListpackSize, config.ListCompressDepth);

    /// <summary>The limits of sets.</summary>
    public static SetLimits OfSets(ServerConfig config) =>
        SetLimits.From(config.SetMaxIntsetEntries, config.SetMaxListpackEntries, config.SetMaxListpackValueBytes);

    /// <summary>The limits of sorted sets.</summary>
    public static SortedSetLimits OfSortedSets(ServerConfig config) =>
        SortedSetLimits.From(config.ZsetMaxListpackEntries, config.ZsetMaxListpackValueBytes);

    /// <summary>The sizes of the nodes of streams.</summary>
    public static StreamLimits OfStreams(ServerConfig config) =>
        StreamLimits.From(config.StreamNodeMaxBytes, config.StreamNodeMaxEntries);
}
