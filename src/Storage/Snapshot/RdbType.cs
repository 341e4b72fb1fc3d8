namespace KvServer.Storage;

/// <summary>The byte before a key in an RDB file, or at the start of a DUMP payload: type and form of the value.</summary>
/// <remarks>Numbers are the file format's. Those not listed were never written by a release.</remarks>
public enum RdbType : byte
{
    /// <summary>A string.</summary>
    String = 0,

    /// <summary>A list, element by element.</summary>
    List = 1,

    /// <summary>A set, member by member.</summary>
    Set = 2,

    /// <summary>A sorted set with scores as text.</summary>
    SortedSetText = 3,

    /// <summary>A hash, field by field.</summary>
    Hash = 4,

    /// <summary>A sorted set with binary scores.</summary>
    SortedSet = 5,

    /// <summary>A module's value in the form of a release candidate, which says nothing about its length.</summary>
    ModuleOld = 6,

    /// <summary>A module's value.</summary>
    Module = 7,

    /// <summary>A hash in one zipmap.</summary>
    HashZipMap = 9,

    /// <summary>A list in one ziplist.</summary>
    ListZipList = 10,

    /// <summary>A set in one intset.</summary>
    SetIntSet = 11,

    /// <summary>A sorted set in one ziplist.</summary>
    SortedSetZipList = 12,

    /// <summary>A hash in one ziplist.</summary>
    HashZipList = 13,

    /// <summary>A list of ziplists.</summary>
    QuickList = 14,

    /// <summary>A stream, first form.</summary>
    Stream = 15,

    /// <summary>A hash in one listpack.</summary>
    HashPacked = 16,

    /// <summary>A sorted set in one listpack.</summary>
    SortedSetPacked = 17,

    /// <summary>A list of listpacks and large elements.</summary>
    QuickListPacked = 18,

    /// <summary>A stream with first id, largest deleted id and entries read.</summary>
    Stream2 = 19,

    /// <summary>A set in one listpack.</summary>
    SetPacked = 20,

    /// <summary>A stream with active times of consumers.</summary>
    Stream3 = 21,

    /// <summary>A hash whose fields expire, in the form of a release candidate.</summary>
    HashExpiryOld = 22,

    /// <summary>The same in one listpack.</summary>
    HashExpiryPackedOld = 23,

    /// <summary>A hash whose fields expire, field by field.</summary>
    HashExpiry = 24,

    /// <summary>The same in one listpack.</summary>
    HashExpiryPacked = 25,
}
