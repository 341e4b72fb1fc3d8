namespace KvServer.Storage;

/// <summary>What TYPE shows.</summary>
public enum ValueType : byte
{
    /// <summary>A byte string or an integer.</summary>
    String = 0,

    /// <summary>A list.</summary>
    List = 1,

    /// <summary>A set.</summary>
    Set = 2,

    /// <summary>A sorted set.</summary>
    SortedSet = 3,

    /// <summary>A hash.</summary>
    Hash = 4,

    /// <summary>A stream.</summary>
    Stream = 6,
}
