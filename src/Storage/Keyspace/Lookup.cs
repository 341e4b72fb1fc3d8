namespace KvServer.Storage;

/// <summary>What a look-up for a value of a certain type found.</summary>
public enum Lookup
{
    /// <summary>There is no such key, or its time has come.</summary>
    Missing,

    /// <summary>The key holds a value of another type.</summary>
    WrongType,

    /// <summary>The key holds a value of the type asked for.</summary>
    Found,
}
