namespace KvServer.Storage;

/// <summary>What is known of the value types of the RDB format.</summary>
internal static class RdbTypes
{
    /// <summary>Whether a byte is the type of a value.</summary>
    public static bool IsKnown(byte type) => type is <= (byte)RdbType.HashExpiryPacked and not 8;

    /// <summary>Whether values of this type belong to a module.</summary>
    public static bool IsModule(RdbType type) => type is RdbType.Module or RdbType.ModuleOld;

    /// <summary>The type of the value; not for modules.</summary>
    public static ValueType ValueTypeOf(RdbType type) => type switch
    {
        RdbType.String => ValueType.String,
        RdbType.List or RdbType.ListZipList or RdbType.QuickList or RdbType.QuickListPacked => ValueType.List,
        RdbType.Set or RdbType.SetIntSet or RdbType.SetPacked => ValueType.Set,
        RdbType.SortedSetText or RdbType.SortedSet or RdbType.SortedSetZipList or RdbType.SortedSetPacked
            => ValueType.SortedSet,
        RdbType.Stream or RdbType.Stream2 or RdbType.Stream3 => ValueType.Stream,
        _ => ValueType.Hash,
    };

    /// <summary>The name of a type as reports and refusals show it.</summary>
    public static string NameOf(RdbType type) => type switch
    {
        RdbType.String => "string",
        RdbType.List => "list",
        RdbType.Set => "set",
        RdbType.SortedSetText => "zset",
        RdbType.Hash => "hash",
        RdbType.SortedSet => "zset-2",
        RdbType.ModuleOld => "module-pre-release",
        RdbType.Module => "module-value",
        RdbType.HashZipMap => "hash-zipmap",
        RdbType.ListZipList => "list-ziplist",
        RdbType.SetIntSet => "set-intset",
        RdbType.SortedSetZipList => "zset-ziplist",
        RdbType.HashZipList => "hash-ziplist",
        RdbType.QuickList => "quicklist",
        RdbType.Stream => "stream",
        RdbType.HashPacked => "hash-listpack",
        RdbType.SortedSetPacked => "zset-listpack",
        RdbType.QuickListPacked => "quicklist-v2",
        RdbType.Stream2 => "stream-v2",
        RdbType.SetPacked => "set-listpack",
        RdbType.Stream3 => "stream-v3",
        RdbType.HashExpiryOld => "hash-hashtable-md-pre-release",
        RdbType.HashExpiryPackedOld => "hash-listpack-md-pre-release",
        RdbType.HashExpiry => "hash-hashtable-md",
        RdbType.HashExpiryPacked => "hash-listpack-md",
        _ => "unknown",
    };
}
