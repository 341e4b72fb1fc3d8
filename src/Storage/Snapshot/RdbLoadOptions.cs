namespace KvServer.Storage;

/// <summary>How a file becomes keys.</summary>
public sealed record RdbLoadOptions
{
    /// <summary>Up to where values stay packed.</summary>
    public ValueLimits Limits { get; init; } = new();

    /// <summary>Whether keys whose time has come are made all the same: for a replica, or for the base of an
    /// append-only file, whose commands may still touch them.</summary>
    public bool KeepsExpired { get; init; }

    /// <summary>Whether keys may exist already and are then replaced; otherwise a key met twice is a fault.</summary>
    public bool Merges { get; init; }

    /// <summary>Told once per warning: something was passed by or kept aside.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Told about each field at the start of the file.</summary>
    public Action<string, string>? Aux { get; init; }
}
