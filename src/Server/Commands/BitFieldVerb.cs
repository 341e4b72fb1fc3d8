namespace KvServer.Server.Commands;

/// <summary>What one part of a BITFIELD command does.</summary>
internal enum BitFieldVerb : byte
{
    Get,
    Set,
    IncrBy,
}
