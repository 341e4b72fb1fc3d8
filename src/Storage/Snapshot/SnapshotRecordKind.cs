namespace KvServer.Storage;

/// <summary>What a record of a snapshot says.</summary>
public enum SnapshotRecordKind : byte
{
    /// <summary>The keys that follow are in another database, which had so many of them at the cut.</summary>
    SelectDatabase = 1,

    /// <summary>A key with a string.</summary>
    String = 3,

    /// <summary>A key with a string that is an integer.</summary>
    Integer = 4,

    /// <summary>A key with a set of sorted integers, as they are stored.</summary>
    IntSet = 5,

    /// <summary>A key with a packed set, as it is stored.</summary>
    PackedSet = 6,

    /// <summary>A key with a set whose members follow, one record each, up to an <see cref="End"/>.</summary>
    Set = 7,

    /// <summary>A member.</summary>
    Member = 8,

    /// <summary>A key with a long string whose pieces follow, up to an <see cref="End"/>.</summary>
    LongString = 9,

    /// <summary>The next piece of a long string.</summary>
    Piece = 10,

    /// <summary>All elements or pieces have been given.</summary>
    End = 11,

    /// <summary>A key with a packed hash, as it is stored.</summary>
    PackedHash = 12,

    /// <summary>A key with a hash whose fields follow, one record each, up to an <see cref="End"/>.</summary>
    Hash = 13,

    /// <summary>The same, and some of the fields expire.</summary>
    ExpiringHash = 14,

    /// <summary>A field with its value, and when it expires.</summary>
    Field = 15,

    /// <summary>A key with a packed list, as it is stored.</summary>
    PackedList = 20,

    /// <summary>A key with a list whose nodes follow, up to an <see cref="End"/>.</summary>
    List = 21,

    /// <summary>A node of a list: a packed list.</summary>
    ListNode = 22,

    /// <summary>A node of a list: one long element.</summary>
    ListElement = 23,

    /// <summary>A node of a list: one element so long that its pieces follow.</summary>
    LongListElement = 24,

    /// <summary>A key with a packed sorted set, as it is stored.</summary>
    PackedSortedSet = 30,

    /// <summary>A key with a sorted set whose members follow, one <see cref="ScoredMember"/> each, up to an
    /// <see cref="End"/>.</summary>
    SortedSet = 31,

    /// <summary>A member of a sorted set: 8 bytes of score before its bytes.</summary>
    ScoredMember = 32,

    /// <summary>A key with a stream whose nodes follow, then its <see cref="StreamCounters"/> and groups, up to an
    /// <see cref="End"/>.</summary>
    Stream = 40,

    /// <summary>A node of a stream.</summary>
    StreamNode = 41,

    /// <summary>A node of a stream so long that its pieces follow.</summary>
    LongStreamNode = 42,

    /// <summary>What a stream says of itself; its groups follow.</summary>
    StreamCounters = 43,

    /// <summary>A consumer group; its pending entries follow, then <see cref="StreamConsumers"/>.</summary>
    StreamGroup = 44,

    /// <summary>A pending entry of the group, or once more of the consumer.</summary>
    StreamPending = 45,

    /// <summary>How many consumers the group has, which follow.</summary>
    StreamConsumers = 46,

    /// <summary>A consumer; its pending entries follow.</summary>
    StreamConsumer = 47,
}
