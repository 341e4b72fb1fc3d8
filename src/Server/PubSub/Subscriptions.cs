using KvServer.Server.Clients;

namespace KvServer.Server.PubSub;

/// <summary>What one client is subscribed to, with its places in the registry so that leaving is O(1).</summary>
/// <remarks>Changed by <see cref="PubSubRegistry"/> alone. Command loop only.</remarks>
internal sealed class Subscriptions
{
    private readonly Dictionary<byte[], LinkedListNode<Client>> _channels = new(ByteStringComparer.Instance);
    private readonly Dictionary<byte[], LinkedListNode<Client>> _patterns = new(ByteStringComparer.Instance);

    /// <summary>Channels, CLIENT LIST's <c>sub</c>.</summary>
    public int ChannelCount => _channels.Count;

    /// <summary>Patterns, CLIENT LIST's <c>psub</c>.</summary>
    public int PatternCount => _patterns.Count;

    /// <summary>Both together, as the replies of SUBSCRIBE and UNSUBSCRIBE count.</summary>
    public int Count => _channels.Count + _patterns.Count;

    /// <summary>The names subscribed to, without an order. Copy before unsubscribing while walking.</summary>
    public IReadOnlyCollection<byte[]> NamesOf(SubscriptionKind kind) => Of(kind).Keys;

    internal Dictionary<byte[], LinkedListNode<Client>> Of(SubscriptionKind kind) =>
        kind == SubscriptionKind.Channel ? _channels : _patterns;
}
