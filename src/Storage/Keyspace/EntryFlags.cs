namespace KvServer.Storage;

/// <summary>The flag byte of an entry.</summary>
[Flags]
internal enum EntryFlags : byte
{
    /// <summary>Nothing special.</summary>
    None = 0,

    /// <summary>The entry has 8 bytes for an expiry time, whether one is set or not.</summary>
    ExpirySlot = 1,

    /// <summary>An expiry time is set, and the index of expiry times has an entry for this one.</summary>
    Volatile = 2,

    /// <summary>A string that was changed in place, or was long when set: clients see the encoding raw.</summary>
    Raw = 4,

    /// <summary>Belongs to the snapshot that is being taken, or not; what the bit means flips with each snapshot.</summary>
    SnapshotMark = 8,

    /// <summary>A hash with fields that expire, which the database has in a queue.</summary>
    ExpiringFields = 16,
}
