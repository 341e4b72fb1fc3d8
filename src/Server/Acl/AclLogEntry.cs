namespace KvServer.Server.Acl;

/// <summary>Refusals of one kind.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Context">Where.</param>
/// <param name="Object">The command, key or channel that was refused.</param>
/// <param name="Username">Who, or who somebody claimed to be.</param>
internal sealed record AclLogEntry(AclDenial Reason, AclLogContext Context, byte[] Object, byte[] Username)
{
    /// <summary>How many there were.</summary>
    public long Count { get; set; } = 1;

    /// <summary>The last one, in ms since the Unix epoch.</summary>
    public required long LastAtMs { get; set; }

    /// <summary>The client of the last one, as CLIENT LIST shows it.</summary>
    public required string Client { get; set; }

    /// <summary>Whether both are refusals of the same thing, not far apart.</summary>
    public bool IsLike(AclLogEntry other, long withinMs) =>
        Reason == other.Reason
        && Context == other.Context
        && Math.Abs(LastAtMs - other.LastAtMs) <= withinMs
        && Object.AsSpan().SequenceEqual(other.Object)
        && Username.AsSpan().SequenceEqual(other.Username);
}
