using KvServer.Server.Clients;
using KvServer.Server.Text;

namespace KvServer.Server.PubSub;

/// <summary>Who is subscribed to what, and the delivery of published messages.</summary>
/// <remarks>
/// Channels and patterns are found by their bytes; the subscribers of each stand in the order they came, which is the
/// order of delivery. A name without subscribers is forgotten. Command loop only.
/// </remarks>
internal sealed class PubSubRegistry
{
    private readonly Dictionary<byte[], LinkedList<Client>> _channels = new(ByteStringComparer.Instance);
    private readonly Dictionary<byte[], LinkedList<Client>> _patterns = new(ByteStringComparer.Instance);

    /// <summary>Channels with at least one subscriber: INFO's pubsub_channels.</summary>
    public int ChannelCount => _channels.Count;

    /// <summary>Distinct patterns: PUBSUB NUMPAT and INFO's pubsub_patterns.</summary>
    public int PatternCount => _patterns.Count;

    /// <summary>Channels with at least one subscriber, without an order.</summary>
    public IReadOnlyCollection<byte[]> Channels => _channels.Keys;

    /// <summary>Subscribers of exactly this channel; patterns do not count.</summary>
    public int SubscriberCount(ReadOnlySpan<byte> channel) =>
        Lookup(_channels).TryGetValue(channel, out LinkedList<Client>? subscribers) ? subscribers.Count : 0;

    /// <summary>Subscribes a client. O(1).</summary>
    /// <returns>False when it was subscribed already.</returns>
    public bool Subscribe(Client client, SubscriptionKind kind, ReadOnlySpan<byte> name)
    {
        Dictionary<byte[], LinkedListNode<Client>> own = (client.Subscriptions ??= new Subscriptions()).Of(kind);
        if (Lookup(own).ContainsKey(name))
        {
            return false;
        }

        Dictionary<byte[], LinkedList<Client>> all = Of(kind);
        if (!Lookup(all).TryGetValue(name, out byte[]? key, out LinkedList<Client>? subscribers))
        {
            key = name.ToArray();
            subscribers = new LinkedList<Client>();
            all.Add(key, subscribers);
        }

        own.Add(key, subscribers.AddLast(client));
        client.Set(ClientFlags.Subscribed, on: true);
        return true;
    }

    /// <summary>Ends one subscription. O(1).</summary>
    /// <returns>False when there was none.</returns>
    public bool Unsubscribe(Client client, SubscriptionKind kind, ReadOnlySpan<byte> name)
    {
        if (client.Subscriptions is not { } subscriptions
            || !Lookup(subscriptions.Of(kind)).Remove(name, out byte[]? key, out LinkedListNode<Client>? place))
        {
            return false;
        }

        LinkedList<Client> subscribers = place.List!;
        subscribers.Remove(place);
        if (subscribers.Count == 0)
        {
            Of(kind).Remove(key);
        }

        client.Set(ClientFlags.Subscribed, subscriptions.Count > 0);
        return true;
    }

    /// <summary>Ends all subscriptions of a client that disconnects or is reset. O(subscriptions).</summary>
    public void Remove(Client client)
    {
        if (client.Subscriptions is not { } subscriptions)
        {
            return;
        }

        foreach (SubscriptionKind kind in (ReadOnlySpan<SubscriptionKind>)
            [SubscriptionKind.Channel, SubscriptionKind.Pattern])
        {
            foreach (byte[] name in subscriptions.NamesOf(kind).ToArray())
            {
                Unsubscribe(client, kind, name);
            }
        }
    }

    /// <summary>Delivers a message to the channel's subscribers, then to those of each matching pattern.</summary>
    /// <returns>How many deliveries were made; a client counts once for its channel and once for each pattern.</returns>
    /// <remarks>O(subscribers + patterns). The message is spelled once for each protocol, however many receive it.</remarks>
    public int Publish(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> message)
    {
        int deliveries = 0;
        if (Lookup(_channels).TryGetValue(channel, out LinkedList<Client>? subscribers))
        {
            deliveries += Deliver(subscribers, new PubSubMessage(pattern: default, isPatternMessage: false, channel, message));
        }

        foreach ((byte[] pattern, LinkedList<Client> matching) in _patterns)
        {
            if (Glob.IsMatch(pattern, channel))
            {
                deliveries += Deliver(matching, new PubSubMessage(pattern, isPatternMessage: true, channel, message));
            }
        }

        return deliveries;
    }

    private static int Deliver(LinkedList<Client> subscribers, PubSubMessage message)
    {
        // A delivery may close a client that reads too slowly, and closing leaves this list.
        LinkedListNode<Client>? next = subscribers.First;
        int deliveries = 0;
        while (next is { } place)
        {
            next = place.Next;
            message.WriteTo(place.Value);
            deliveries++;
        }

        return deliveries;
    }

    private static Dictionary<byte[], TValue>.AlternateLookup<ReadOnlySpan<byte>> Lookup<TValue>(
        Dictionary<byte[], TValue> names) => names.GetAlternateLookup<ReadOnlySpan<byte>>();

    private Dictionary<byte[], LinkedList<Client>> Of(SubscriptionKind kind) =>
        kind == SubscriptionKind.Channel ? _channels : _patterns;
}
