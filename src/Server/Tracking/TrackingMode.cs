namespace KvServer.Server.Tracking;

/// <summary>Which keys a client is told about.</summary>
internal enum TrackingMode : byte
{
    /// <summary>Every key it reads.</summary>
    Reads,

    /// <summary>OPTIN: those it reads with the command after CLIENT CACHING YES.</summary>
    OptIn,

    /// <summary>OPTOUT: those it reads but with the command after CLIENT CACHING NO.</summary>
    OptOut,

    /// <summary>BCAST: all that begin with one of its prefixes, read or not.</summary>
    Broadcast,
}
