namespace KvServer.Storage;

/// <summary>A value too large to be handed over at once: it is written in pieces while commands go on changing it.</summary>
/// <remarks>
/// Found by the address of what it owns (a dict's state, a string's block), which outlives the entry's own moves. When
/// the key goes, the snapshot takes that over and frees it at the end.
/// </remarks>
internal sealed unsafe class SnapshotPart(
    byte* start, ValueType type, long count, int database, byte[] key, long expireAtMs, uint clock)
{
    /// <summary>Where the walk over a dict's elements stands.</summary>
    public SnapshotTableWalk Walk =
        HasElements(type) ? new SnapshotTableWalk((DictState*)start) : default;

    /// <summary>The dict's state, or the string's bytes.</summary>
    public byte* Start { get; set; } = start;

    public ValueType Type { get; } = type;

    public bool IsString => Type == ValueType.String;

    /// <summary>What is done with the elements; not for strings, lists and streams.</summary>
    public DictCollection Collection { get; } = HasElements(type) ? DictCollection.Of(type) : null!;

    /// <summary>The walk over a list, which has its share in the list's nodes: commands need not know of it.</summary>
    public SnapshotListWalk? List { get; init; }

    /// <summary>The walk over a stream, of which the same is true.</summary>
    public SnapshotStreamWalk? Stream { get; init; }

    /// <summary>Elements, bytes, or a list's or stream's nodes, at the cut.</summary>
    public long Count { get; } = count;

    public int Database { get; } = database;

    public byte[] Key { get; } = key;

    public long ExpireAtMs { get; } = expireAtMs;

    public uint Clock { get; } = clock;

    /// <summary>The earliest time at the cut at which an element expires, or <see cref="Database.NoExpiry"/>.</summary>
    public long FirstExpiryMs { get; } = HasElements(type)
        ? DictCollection.Of(type).FirstExpiryMsOf((DictState*)start)
        : Storage.Database.NoExpiry;

    /// <summary>Elements, bytes or nodes handed over so far.</summary>
    public long Done { get; set; }

    /// <summary>Whether the value belongs to the snapshot, because its key is gone.</summary>
    public bool IsOwned { get; set; }

    /// <summary>Bytes of the block of an owned string.</summary>
    public uint Capacity { get; set; }

    /// <summary>Elements that were changed or removed before the walk over this collection began, as they were.</summary>
    public SnapshotRecordWriter? Saved { get; set; }

    /// <summary>Pieces of a string as they were before they were changed, by number.</summary>
    public Dictionary<long, byte[]>? SavedPieces { get; set; }

    /// <summary>Gives up what the walk over a list or stream has its share in.</summary>
    public void EndShares()
    {
        List?.End();
        Stream?.End();
    }

    private static bool HasElements(ValueType type) =>
        type is not (ValueType.String or ValueType.List or ValueType.Stream);
}
