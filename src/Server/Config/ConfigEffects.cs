using KvServer.Storage;

namespace KvServer.Server.Config;

/// <summary>What follows from an option besides its value: the store's own settings, bounds on what may be set.</summary>
internal static class ConfigEffects
{
    private const int MinHz = 1;
    private const int MaxHz = 500;

    private static readonly string[] Options =
    [
        "maxmemory",
        "maxmemory-policy",
        "maxmemory-samples",
        "maxmemory-eviction-tenacity",
        "lazyfree-lazy-eviction",
        "lfu-log-factor",
        "lfu-decay-time",
        "active-expire-effort",
        "lazyfree-lazy-expire",
        "activedefrag",
        "active-defrag-ignore-bytes",
        "active-defrag-threshold-lower",
        "active-defrag-threshold-upper",
        "active-defrag-cycle-min",
        "active-defrag-cycle-max",
    ];

    /// <summary>Applies the present values and, from now on, every change. Called once, before the first command.</summary>
    public static void Follow(ServerState server)
    {
        ConfigService configuration = server.Configuration;
        Keyspace keyspace = server.Keyspace;
        keyspace.Eviction.CountBuffers = () => server.ClientBytes;
        configuration.OnChanged("hz", config =>
        {
            // Out of range is not an error for this option: it is taken as the nearest value that makes sense.
            config.Hz = Math.Clamp(config.Hz, MinHz, MaxHz);
            return null;
        });
        Apply(configuration.Config, keyspace);
        foreach (string option in Options)
        {
            configuration.OnChanged(option, config =>
            {
                Apply(config, keyspace);
                return null;
            });
        }
    }

    private static void Apply(ServerConfig config, Keyspace keyspace)
    {
        keyspace.CountsFrequency = config.MaxMemoryPolicy is MaxMemoryPolicy.AllKeysLfu or MaxMemoryPolicy.VolatileLfu;
        keyspace.FrequencyLogFactor = config.LfuLogFactor;
        keyspace.FrequencyDecayMinutes = config.LfuDecayTimeMinutes;
        ApplyLimit(config, keyspace.Eviction);
        keyspace.ActiveExpireEffort = config.ActiveExpireEffort;
        keyspace.LazyExpire = config.LazyFreeLazyExpire;
    }

    private static void ApplyLimit(ServerConfig config, Eviction eviction)
    {
        (EvictionOrder order, bool onlyVolatile) = config.MaxMemoryPolicy switch
        {
            MaxMemoryPolicy.VolatileLru => (EvictionOrder.LeastRecent, true),
            MaxMemoryPolicy.VolatileLfu => (EvictionOrder.LeastFrequent, true),
            MaxMemoryPolicy.VolatileRandom => (EvictionOrder.Random, true),
            MaxMemoryPolicy.VolatileTtl => (EvictionOrder.SoonestExpiry, true),
            MaxMemoryPolicy.AllKeysLru => (EvictionOrder.LeastRecent, false),
            MaxMemoryPolicy.AllKeysLfu => (EvictionOrder.LeastFrequent, false),
            MaxMemoryPolicy.AllKeysRandom => (EvictionOrder.Random, false),
            _ => (EvictionOrder.Nothing, false),
        };
        eviction.Choose(order, onlyVolatile);
        eviction.LimitBytes = config.MaxMemoryBytes;
        eviction.SampleCount = config.MaxMemorySamples;
        eviction.Tenacity = config.MaxMemoryEvictionTenacity;
        eviction.Defrag = new DefragOptions(
            config.ActiveDefrag,
            config.ActiveDefragIgnoreBytes,
            config.ActiveDefragThresholdLower,
            config.ActiveDefragThresholdUpper,
            config.ActiveDefragCycleMin,
            config.ActiveDefragCycleMax);
        eviction.Lazily = config.LazyFreeLazyEviction;
    }
}
