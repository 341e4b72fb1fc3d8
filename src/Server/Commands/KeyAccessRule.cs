namespace KvServer.Server.Commands;

/// <summary>What decides how a call uses its keys, where <see cref="KeyAccess.Variable"/> says that calls differ.</summary>
internal enum KeyAccessRule
{
    /// <summary>Nothing: all calls do the same.</summary>
    None,

    /// <summary>Overwrites; reads the old value with the word GET.</summary>
    ReadsWithGet,

    /// <summary>Reads; writes with operations other than GET.</summary>
    WritesUnlessAllGet,
}
