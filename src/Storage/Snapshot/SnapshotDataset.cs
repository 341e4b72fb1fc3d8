namespace KvServer.Storage;

/// <summary>The dicts of one database as they were at the cut.</summary>
internal sealed unsafe class SnapshotDataset(int index, DictState* keys, long keyCount, long expireCount)
{
    /// <summary>Where the walker stands.</summary>
    public SnapshotTableWalk Walk = new(keys);

    /// <summary>The database's number at the cut; SWAPDB does not change it.</summary>
    public int Index { get; } = index;

    public DictState* Keys { get; } = keys;

    public long KeyCount { get; } = keyCount;

    public long ExpireCount { get; } = expireCount;

    public bool IsDone { get; set; }
}
