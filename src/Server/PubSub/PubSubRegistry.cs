using System.Diagnostics.CodeAnalysis;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Text;

namespace KvServer.Server.PubSub;

/// <summary>Who is subscribed to what, and the delivery of published messages.</summary>
/// <remarks>
/// Channels, patterns and shard channels are found by their bytes; the subscribers of each stand in the order they came,
/// which is the order of delivery. A name without subscribers is forgotten. Command loop only.
/// <para>What PUBLISH brings is held back while the next request of the turn may be another PUBLISH to the same channel,
/// so that its subscribers are visited once for all of them. Whatever else could come between shows that it does:
/// <see cref="CommandExecutor"/> has the messages sent before any other command, and at the end of the entry.</para>
/// </remarks>
internal sealed class PubSubRegistry
{
    // Whether any matches is found out before a run and, if one does, once more by Publish: of many that costs more than runs save.
    private const int MaxPatternsForRuns = 8;

    // An entry here with its list, beside the name.
    private const int NameOverheadBytes = 150;

    private readonly Dictionary<byte[], LinkedList<Client>>[] _names =
        [.. Kinds.ToArray().Select(_ => new Dictionary<byte[], LinkedList<Client>>(ByteStringComparer.Instance))];

    private readonly MessageRun _run = new();
    private bool _mayHold;

    /// <summary>Whether there are messages that nobody has been sent yet.</summary>
    public bool HoldsMessages => !_run.IsEmpty;

    /// <summary>About the bytes that names and subscriptions take.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Every kind of subscription, in the order of their numbers.</summary>
    public static ReadOnlySpan<SubscriptionKind> Kinds =>
        [SubscriptionKind.Channel, SubscriptionKind.Pattern, SubscriptionKind.Shard];

    /// <summary>Distinct names of a kind with at least one subscriber: INFO's pubsub_channels, pubsub_patterns and
    /// pubsubshard_channels.</summary>
    public int CountOf(SubscriptionKind kind) => Of(kind).Count;

    /// <summary>The names of a kind with at least one subscriber, without an order.</summary>
    public IReadOnlyCollection<byte[]> NamesOf(SubscriptionKind kind) => Of(kind).Keys;

    /// <summary>Subscribers of exactly this name; for a channel, patterns that match it do not count.</summary>
    public int SubscriberCount(SubscriptionKind kind, ReadOnlySpan<byte> name) =>
        Lookup(Of(kind)).TryGetValue(name, out LinkedList<Client>? subscribers) ? subscribers.Count : 0;

    /// <summary>Subscribes a client. O(1).</summary>
    /// <returns>False when it was subscribed already.</returns>
    public bool Subscribe(Client client, SubscriptionKind kind, ReadOnlySpan<byte> name)
    {
        EndRun();
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
            SizeBytes += NameOverheadBytes + key.Length;
        }

        own.Add(key, subscribers.AddLast(client));
        client.Subscriptions.NameBytes += key.Length;
        SizeBytes += Subscriptions.OverheadBytes;
        client.Set(ClientFlags.Subscribed, on: true);
        return true;
    }

    /// <summary>Ends one subscription. O(1).</summary>
    /// <returns>False when there was none.</returns>
    public bool Unsubscribe(Client client, SubscriptionKind kind, ReadOnlySpan<byte> name)
    {
        EndRun();
        if (client.Subscriptions is not { } subscriptions
            || !Lookup(subscriptions.Of(kind)).Remove(name, out byte[]? key, out LinkedListNode<Client>? place))
        {
            return false;
        }

        LinkedList<Client> subscribers = place.List!;
        subscribers.Remove(place);
        subscriptions.NameBytes -= key.Length;
        SizeBytes -= Subscriptions.OverheadBytes;
        if (subscribers.Count == 0)
        {
            SizeBytes -= NameOverheadBytes + key.Length;
            Of(kind).Remove(key);
        }

        client.Set(ClientFlags.Subscribed, subscriptions.Total > 0);
        return true;
    }

    /// <summary>Ends all subscriptions of a client that disconnects or is reset. O(subscriptions).</summary>
    public void Remove(Client client)
    {
        if (client.Subscriptions is not { } subscriptions)
        {
            return;
        }

        foreach (SubscriptionKind kind in Kinds)
        {
            foreach (byte[] name in subscriptions.NamesOf(kind).ToArray())
            {
                Unsubscribe(client, kind, name);
            }
        }

        client.Subscriptions = null;
    }

    /// <summary>An entry of the command loop begins: from here on messages may be held back until
    /// <see cref="EndTurn"/>.</summary>
    public void BeginTurn() => _mayHold = true;

    /// <summary>Sends what is held back; nothing is any more.</summary>
    public void EndTurn()
    {
        EndRun();
        _mayHold = false;
    }

    /// <summary>Sends what is held back. O(subscribers).</summary>
    public void SendHeld()
    {
        if (!_run.IsEmpty)
        {
            _run.Send();
        }
    }

    /// <summary>As <see cref="Publish"/>, or <see cref="PublishToShard"/> for a shard channel, but the message may leave a
    /// little later, together with the next ones.</summary>
    /// <remarks>For clients whose own replies no message can come between: neither subscribed nor in a
    /// transaction.</remarks>
    public int PublishSoon(SubscriptionKind kind, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> message)
    {
        bool goesOn = _run.IsFor(kind, channel, out LinkedList<Client>? subscribers);
        if (!goesOn && !TryBeginRun(kind, channel, out subscribers))
        {
            return kind == SubscriptionKind.Shard ? PublishToShard(channel, message) : Publish(channel, message);
        }

        PubSubMessage encoded = new(kind == SubscriptionKind.Shard ? "smessage"u8 : "message"u8, pattern: null, channel, message);
        if (encoded.SizeBytes > MessageRun.MaxMessageBytes)
        {
            SendHeld();
            return Deliver(subscribers!, encoded);
        }

        if (!_run.TryAdd(encoded))
        {
            SendHeld();
            _run.TryAdd(encoded);
        }

        return subscribers!.Count;
    }

    /// <summary>Delivers a message to the channel's subscribers, then to those of each matching pattern.</summary>
    /// <returns>How many deliveries were made; a client counts once for its channel and once for each pattern.</returns>
    /// <remarks>O(subscribers + patterns), and each pattern at most its length times the channel's. The message is spelled
    /// once for each protocol, however many receive it.</remarks>
    public int Publish(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> message)
    {
        SendHeld();
        int deliveries = DeliverTo(SubscriptionKind.Channel, "message"u8, channel, message);
        foreach ((byte[] pattern, LinkedList<Client> matching) in Of(SubscriptionKind.Pattern))
        {
            if (Glob.IsMatch(pattern, channel))
            {
                deliveries += Deliver(matching, new PubSubMessage("pmessage"u8, pattern, channel, message));
            }
        }

        return deliveries;
    }

    /// <summary>Delivers a message to the subscribers of a shard channel.</summary>
    /// <returns>How many there are.</returns>
    public int PublishToShard(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> message)
    {
        SendHeld();
        return DeliverTo(SubscriptionKind.Shard, "smessage"u8, channel, message);
    }

    private void EndRun()
    {
        SendHeld();
        _run.End();
    }

    // A message that patterns match goes to several lists, and somebody in two of them must get one after the other.
    private bool TryBeginRun(SubscriptionKind kind, ReadOnlySpan<byte> channel, [NotNullWhen(true)] out LinkedList<Client>? subscribers)
    {
        EndRun();
        if (!_mayHold
            || !Lookup(Of(kind)).TryGetValue(channel, out byte[]? name, out subscribers)
            || (kind == SubscriptionKind.Channel
                && (Of(SubscriptionKind.Pattern).Count > MaxPatternsForRuns || MatchesPattern(channel))))
        {
            subscribers = null;
            return false;
        }

        _run.Begin(kind, name, subscribers);
        return true;
    }

    private bool MatchesPattern(ReadOnlySpan<byte> channel)
    {
        foreach (byte[] pattern in Of(SubscriptionKind.Pattern).Keys)
        {
            if (Glob.IsMatch(pattern, channel))
            {
                return true;
            }
        }

        return false;
    }

    private int DeliverTo(
        SubscriptionKind kind, ReadOnlySpan<byte> word, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> message) =>
        Lookup(Of(kind)).TryGetValue(channel, out LinkedList<Client>? subscribers)
            ? Deliver(subscribers, new PubSubMessage(word, pattern: default, channel, message))
            : 0;

    // A delivery that finds its client over a limit only marks it: nobody leaves the list meanwhile.
    private static int Deliver(LinkedList<Client> subscribers, PubSubMessage message)
    {
        for (LinkedListNode<Client>? place = subscribers.First; place is not null; place = place.Next)
        {
            message.SendTo(place.Value);
        }

        return subscribers.Count;
    }

    private static Dictionary<byte[], TValue>.AlternateLookup<ReadOnlySpan<byte>> Lookup<TValue>(
        Dictionary<byte[], TValue> names) => names.GetAlternateLookup<ReadOnlySpan<byte>>();

    private Dictionary<byte[], LinkedList<Client>> Of(SubscriptionKind kind) => _names[(int)kind];
}
