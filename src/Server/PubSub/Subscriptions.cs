using KvServer.Server.Clients;

namespace KvServer.Server.PubSub;

/// <summary>What one client is subscribed to, with its places in the registry so that leaving is O(1).</summary>
/// <remarks>Changed by <see cref="PubSubRegistry"/> alone. Command loop only.</remarks>
internal sealed class Subscriptions
{
    /// <summary>About the bytes a subscription takes beside its name.</summary>
    public const int OverheadBytes = 150;

    private readonly Dictionary<byte[], LinkedListNode<Client>>?[] _names =
        new Dictionary<byte[], LinkedListNode<Client>>[PubSubRegistry.Kinds.Length];

    /// <summary>Subscriptions of all kinds.</summary>
    public int Total =>
        CountOf(SubscriptionKind.Channel) + CountOf(SubscriptionKind.Pattern) + CountOf(SubscriptionKind.Shard);

    /// <summary>Bytes of the names of all of them, also where others are subscribed to the same.</summary>
    public long NameBytes { get; set; }

    /// <summary>About the bytes all of them take. O(1).</summary>
    public long SizeBytes => NameBytes + (OverheadBytes * (long)Total);

    /// <summary>Subscriptions of one kind: CLIENT LIST's <c>sub</c>, <c>psub</c> and <c>ssub</c>.</summary>
    public int CountOf(SubscriptionKind kind) => _names[(int)kind]?.Count ?? 0;

    /// <summary>The number that replies to a change of this kind end with: channels and patterns count together, shard
    /// channels alone.</summary>
    public int CountBeside(SubscriptionKind kind) => kind == SubscriptionKind.Shard
        ? CountOf(kind)
        : CountOf(SubscriptionKind.Channel) + CountOf(SubscriptionKind.Pattern);

    /// <summary>The names subscribed to, without an order. Copy before unsubscribing while walking.</summary>
    public IReadOnlyCollection<byte[]> NamesOf(SubscriptionKind kind) => Of(kind).Keys;

    internal Dictionary<byte[], LinkedListNode<Client>> Of(SubscriptionKind kind) =>
        _names[(int)kind] ??= new Dictionary<byte[], LinkedListNode<Client>>(ByteStringComparer.Instance);
}
