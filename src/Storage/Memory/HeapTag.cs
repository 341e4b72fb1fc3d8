namespace KvServer.Storage;

/// <summary>What a block of native memory is used for; the heap keeps one sum per tag.</summary>
public enum HeapTag : byte
{
    /// <summary>Keyspace entries: header, key and the values stored inside them.</summary>
    Entry = 0,

    /// <summary>Blocks of their own that belong to a value, such as a long string.</summary>
    Value = 1,

    /// <summary>Members of sets, hashes and sorted sets.</summary>
    Member = 2,

    /// <summary>Bucket arrays of dicts.</summary>
    Table = 3,

    /// <summary>The states of dicts and other fixed-size structures.</summary>
    State = 4,

    /// <summary>Entries of the index of keys that have an expiry time.</summary>
    Expiry = 5,

    /// <summary>Buffers that are no data (yet): strings being received, scratch space.</summary>
    Buffer = 6,
}
