using System.Diagnostics.CodeAnalysis;
using KvServer.Server.Clients;

namespace KvServer.Server.PubSub;

/// <summary>Messages to one channel that follow each other without anything between them, put together so that each
/// subscriber is visited once for all of them.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class MessageRun
{
    /// <summary>A message longer than this goes out by itself.</summary>
    public const int MaxMessageBytes = 8 * 1024;

    private const int MaxBytes = 64 * 1024;

    private readonly byte[] _bytes = new byte[MaxBytes]; // As for RESP2.
    private readonly List<int> _starts = [];
    private int _lengthBytes;
    private SubscriptionKind _kind;
    private byte[]? _channel;
    private LinkedList<Client>? _subscribers;

    /// <summary>Whether nothing waits here.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Whether a message to this channel would go on with the run.</summary>
    public bool IsFor(SubscriptionKind kind, ReadOnlySpan<byte> channel, [NotNullWhen(true)] out LinkedList<Client>? subscribers)
    {
        subscribers = _subscribers;
        return _subscribers is not null && _kind == kind && channel.SequenceEqual(_channel);
    }

    /// <summary>Begins a run, which must be empty.</summary>
    public void Begin(SubscriptionKind kind, byte[] channel, LinkedList<Client> subscribers)
    {
        _kind = kind;
        _channel = channel;
        _subscribers = subscribers;
    }

    /// <summary>Adds a message of at most <see cref="MaxMessageBytes"/>.</summary>
    /// <returns>False when there is no room for it.</returns>
    public bool TryAdd(PubSubMessage message)
    {
        int size = (int)message.SizeBytes;
        if (size > MaxBytes - _lengthBytes)
        {
            return false;
        }

        message.WriteTo(_bytes.AsSpan(_lengthBytes), protocol: 2);
        _starts.Add(_lengthBytes);
        _lengthBytes += size;
        IsEmpty = false;
        return true;
    }

    /// <summary>Sends what there is to each subscriber, in their order. The run goes on with the next message.</summary>
    public void Send()
    {
        byte[]? resp2 = null;
        byte[]? resp3 = null;
        for (LinkedListNode<Client>? place = _subscribers!.First; place is not null; place = place.Next)
        {
            Client client = place.Value;
            try
            {
                client.PushShared(client.Reply.Protocol == 2
                    ? resp2 ??= _bytes.AsSpan(0, _lengthBytes).ToArray()
                    : resp3 ??= ForResp3());
            }
            catch (OutOfMemoryException)
            {
                client.CloseNow("out of memory"); // As when there is none for a reply.
            }
        }

        _starts.Clear();
        _lengthBytes = 0;
        IsEmpty = true;
    }

    /// <summary>Ends the run, whose messages have been sent.</summary>
    public void End()
    {
        _channel = null;
        _subscribers = null;
    }

    private byte[] ForResp3()
    {
        byte[] bytes = _bytes.AsSpan(0, _lengthBytes).ToArray();
        foreach (int start in _starts)
        {
            bytes[start] = PubSubMessage.TypeFor(protocol: 3);
        }

        return bytes;
    }
}
