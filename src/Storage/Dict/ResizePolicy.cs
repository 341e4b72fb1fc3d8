namespace KvServer.Storage;

/// <summary>Whether dicts may resize; one object for all dicts of a store.</summary>
public sealed class ResizePolicy
{
    /// <summary>Entries per bucket above which a dict expands even when resizing is off.</summary>
    public const int ForcedRatio = 5;

    /// <summary>Off while a snapshot or an AOF rewrite runs. Command loop only.</summary>
    public bool Allowed { get; set; } = true;
}
