namespace KvServer.Server.Config;

/// <summary>What may be done with an option, and who may see it.</summary>
[Flags]
public enum ConfigFlags
{
    /// <summary>CONFIG SET may change it, everybody may read it, and it works.</summary>
    None = 0,

    /// <summary>Fixed at start-up: CONFIG SET refuses it.</summary>
    Immutable = 1,

    /// <summary>Its value is a secret: never logged, hidden from MONITOR and the slow log.</summary>
    Sensitive = 2,

    /// <summary>Takes several words; one word with spaces in it is cut at them.</summary>
    Multi = 4,

    /// <summary>CONFIG SET needs <c>enable-protected-configs</c>.</summary>
    Protected = 8,

    /// <summary>CONFIG GET answers its full name only, never a pattern.</summary>
    Hidden = 16,

    /// <summary>Known and kept, but nothing acts on it yet: a value other than the default is warned about.</summary>
    NotYet = 32,

    /// <summary>Several lines add up in a configuration file; the first one replaces the default.</summary>
    Accumulates = 64,

    /// <summary>Ours alone: redis-server has no such option.</summary>
    Own = 128,

    /// <summary>CONFIG SET refuses it while the dataset is being loaded.</summary>
    NotWhileLoading = 256,
}
