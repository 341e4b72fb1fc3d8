using System.Buffers;
using KvServer.Resp;
using KvServer.Server.Clients;

namespace KvServer.Server.PubSub;

/// <summary>One published message on its way to subscribers: encoded at most once for each protocol.</summary>
internal ref struct PubSubMessage
{
    private readonly ReadOnlySpan<byte> _pattern;
    private readonly bool _isPatternMessage;
    private readonly ReadOnlySpan<byte> _channel;
    private readonly ReadOnlySpan<byte> _message;
    private byte[]? _resp2;
    private byte[]? _resp3;

    public PubSubMessage(
        ReadOnlySpan<byte> pattern, bool isPatternMessage, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> message)
    {
        _pattern = pattern;
        _isPatternMessage = isPatternMessage;
        _channel = channel;
        _message = message;
    }

    /// <summary>Adds the message to a client's output and has it sent at the end of this entry of the loop.</summary>
    public void WriteTo(Client client)
    {
        ReadOnlySpan<byte> encoded = client.Reply.Protocol == 2
            ? _resp2 ??= Encode(protocol: 2)
            : _resp3 ??= Encode(protocol: 3);
        client.Push(encoded);
    }

    private readonly byte[] Encode(int protocol)
    {
        ArrayBufferWriter<byte> buffer = new(_pattern.Length + _channel.Length + _message.Length + 64);
        using ReplyWriter writer = new(buffer) { Protocol = protocol };
        if (_isPatternMessage)
        {
            writer.Push(4);
            writer.BulkString("pmessage"u8);
            writer.BulkString(_pattern);
        }
        else
        {
            writer.Push(3);
            writer.BulkString("message"u8);
        }

        writer.BulkString(_channel);
        writer.BulkString(_message);
        writer.Commit();
        return buffer.WrittenSpan.ToArray();
    }
}
