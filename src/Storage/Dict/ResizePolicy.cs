namespace KvServer.Storage;

/// <summary>Whether dicts may resize; one object for all dicts of a store.</summary>
public sealed class ResizePolicy
{
    /// <summary>Entries per bucket above which a dict expands even when resizing is off.</summary>
    public const int ForcedRatio = 5;

    /// <summary>Entries per bucket up to which a dict puts growth off while the memory limit has no room for the table.</summary>
    public const double PutOffRatio = 1.9;

    /// <summary>Entries per bucket from which room is made for the table that was put off.</summary>
    public const double PlanningRatio = 1.5;

    private const long MaxSmallTableBytes = 64 * 1024;

    // Of the limit: what makes no difference to it.
    private const int SmallFraction = 1024;

    private bool _allowed = true;
    private Func<long, bool>? _fits;

    /// <summary>Off while a snapshot or an AOF rewrite runs. Command loop only.</summary>
    public bool Allowed
    {
        get => _allowed;
        set
        {
            if (_allowed != value)
            {
                _allowed = value;
                Pauses += value ? 0 : 1;
                Resumptions += value ? 1 : 0;
            }
        }
    }

    /// <summary>Whether there is a memory limit.</summary>
    public bool IsMemoryLimited => _fits is not null;

    /// <summary>Tables up to this many bytes are made whatever the limit says.</summary>
    internal long SmallTableBytes { get; private set; }

    /// <summary>Whether a table was put off since this was last set to false.</summary>
    internal bool HasPutOff { get; set; }

    /// <summary>How often it has been switched off.</summary>
    public long Pauses { get; private set; }

    /// <summary>How often it has been switched on again.</summary>
    public long Resumptions { get; private set; }

    /// <summary>Sets the memory limit. Command loop only.</summary>
    /// <param name="limitBytes">The limit in bytes; 0 for none.</param>
    /// <param name="fits">Says whether there is room for so many bytes under it; null for no limit.</param>
    internal void Limit(long limitBytes, Func<long, bool>? fits)
    {
        _fits = fits;
        SmallTableBytes = Math.Min(limitBytes / SmallFraction, MaxSmallTableBytes);
    }

    /// <summary>Whether the memory limit has room for a table; small ones always find it.</summary>
    internal bool HasMemoryFor(long tableBytes)
    {
        if (_fits is null || tableBytes <= SmallTableBytes || _fits(tableBytes))
        {
            return true;
        }

        HasPutOff = true;
        return false;
    }
}
