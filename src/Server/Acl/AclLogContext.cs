namespace KvServer.Server.Acl;

/// <summary>Where a call was refused.</summary>
internal enum AclLogContext
{
    TopLevel,

    /// <summary>Inside MULTI: when it was to be queued, or when EXEC was to run it.</summary>
    Multi,
}
