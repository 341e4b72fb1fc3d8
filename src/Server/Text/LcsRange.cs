namespace KvServer.Server.Text;

/// <summary>A run of bytes that two strings have in common: where it starts in each, and how long it is.</summary>
internal readonly record struct LcsRange(int StartInA, int StartInB, int LengthBytes);
