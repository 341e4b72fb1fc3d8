namespace KvServer.Storage;

/// <summary>Whether dicts may resize; one object for all dicts of a store.</summary>
public sealed class ResizePolicy
{
    /// <summary>Entries per bucket above which a dict expands even when resizing is off.</summary>
    public const int ForcedRatio = 5;

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

    /// <summary>How often it has been switched off.</summary>
    public long Pauses { get; private set; }

    /// <summary>How often it has been switched on again.</summary>
    public long Resumptions { get; private set; }
}
