namespace KvServer.Durability.Tests.Traffic;

/// <summary>A key and the number of its database.</summary>
internal readonly record struct KeyId(int Database, string Name);
