namespace KvServer.Server.Acl;

/// <summary>Why a call is refused. Of several reasons, one for each selector, the greatest is told.</summary>
internal enum AclDenial
{
    None,

    /// <summary>No selector allows the command.</summary>
    Command,

    /// <summary>A key is not covered by the patterns.</summary>
    Key,

    /// <summary>User and password don't fit, or the user is off.</summary>
    Auth,

    /// <summary>A channel is not covered by the patterns.</summary>
    Channel,
}
