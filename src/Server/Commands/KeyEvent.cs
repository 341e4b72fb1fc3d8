namespace KvServer.Server.Commands;

/// <summary>What happened to a key; the names are those of keyspace notifications, in lower case.</summary>
internal enum KeyEvent : byte
{
    Set,
    SetRange,
    Append,
    IncrBy,
    IncrByFloat,
    SetBit,
    Del,
    Expire,
    Persist,
    RenameFrom,
    RenameTo,
    MoveFrom,
    MoveTo,
    CopyTo,
    Restore,
    SAdd,
    SRem,
    SPop,
    SInterStore,
    SUnionStore,
    SDiffStore,
    Expired,
    Evicted,
    New,
}
