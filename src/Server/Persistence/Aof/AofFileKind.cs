namespace KvServer.Server.Persistence.Aof;

/// <summary>What a file of the append-only folder is for; the value is its letter in the manifest.</summary>
internal enum AofFileKind : byte
{
    /// <summary>The dataset at one moment, as a snapshot or as requests.</summary>
    Base = (byte)'b',

    /// <summary>Replaced by a later base file; waits to be deleted and is never loaded.</summary>
    History = (byte)'h',

    /// <summary>Requests that came after the base file.</summary>
    Increment = (byte)'i',
}
