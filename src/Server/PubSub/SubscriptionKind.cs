namespace KvServer.Server.PubSub;

/// <summary>The two ways to subscribe: to one channel, or to all whose name matches a pattern.</summary>
internal enum SubscriptionKind : byte
{
    Channel,
    Pattern,
}
