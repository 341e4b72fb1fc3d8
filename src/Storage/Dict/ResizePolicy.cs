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

    /// <summary>Tables up to this size are made whatever the limit says.</summary>
    public const long SmallTableBytes = 64 * 1024;

    private bool _allowed = true;

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

    /// <summary>Says whether there is room for so many bytes under the memory limit; null while there is no limit.</summary>
    internal Func<long, bool>? Fits { get; set; }

    /// <summary>Whether there is a memory limit.</summary>
    public bool IsMemoryLimited => Fits is not null;

    /// <summary>Whether a table was put off since this was last set to false.</summary>
    internal bool HasPutOff { get; set; }

    /// <summary>How often it has been switched off.</summary>
    public long Pauses { get; private set; }

    /// <summary>How often it has been switched on again.</summary>
    public long Resumptions { get; private set; }

    /// <summary>Whether the memory limit has room for a table; small ones always find it.</summary>
    internal bool HasMemoryFor(long tableBytes)
    {
        if (tableBytes <= SmallTableBytes || Fits is null || Fits(tableBytes))
        {
            return true;
        }

        HasPutOff = true;
        return false;
    }
}
