using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Observability;

/// <summary>A key and what it takes at the moment.</summary>
/// <param name="Database">The number of its database.</param>
/// <param name="Name">The key.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Bytes">Bytes of key and value, as MEMORY USAGE tells them.</param>
/// <param name="Elements">Elements, fields, members or entries; 1 for a string.</param>
internal readonly record struct BigKey(int Database, byte[] Name, ValueType Type, long Bytes, long Elements);
