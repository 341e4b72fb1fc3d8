namespace KvServer.Storage;

/// <summary>How a look-up differs from a plain read.</summary>
[Flags]
public enum LookupFlags
{
    /// <summary>A read: counts as hit or miss and as an access to the key.</summary>
    None = 0,

    /// <summary>Does not count as an access to the key (OBJECT, TYPE, CLIENT NO-TOUCH).</summary>
    NoTouch = 1,

    /// <summary>Counts neither as hit nor as miss.</summary>
    NoStats = 2,

    /// <summary>On the way to a change: counts neither as hit nor as miss.</summary>
    Write = 4,
}
