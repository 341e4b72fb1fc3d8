namespace KvServer.Server.PubSub;

/// <summary>The ways to subscribe. Each has names of its own: a channel and a shard channel of one name are two.</summary>
internal enum SubscriptionKind : byte
{
    /// <summary>SUBSCRIBE: one channel.</summary>
    Channel,

    /// <summary>PSUBSCRIBE: all channels whose name matches a pattern.</summary>
    Pattern,

    /// <summary>SSUBSCRIBE: one channel of a shard. Patterns do not see it, and it is counted by itself.</summary>
    Shard,
}
