namespace KvServer.Storage;

/// <summary>How a keyspace is set up.</summary>
public sealed class KeyspaceOptions
{
    /// <summary>Number of databases, at least 1.</summary>
    public int DatabaseCount { get; init; } = 16;

    /// <summary>Where memory comes from; the keyspace owns it from now on. A heap of its own if null.</summary>
    public NativeHeap? Heap { get; init; }

    /// <summary>Hashes keys and members; one with a random key if null.</summary>
    public KeyHasher? Hasher { get; init; }

    /// <summary>Makes random choices; tests bring one with a seed.</summary>
    public Random? Random { get; init; }
}
