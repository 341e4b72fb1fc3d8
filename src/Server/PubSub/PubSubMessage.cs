using KvServer.Resp;
using KvServer.Server.Clients;

namespace KvServer.Server.PubSub;

/// <summary>One published message on its way to subscribers: encoded at most once for each protocol, into an array that
/// all of them share.</summary>
/// <param name="word">What kind of message it is: <c>message</c>, <c>pmessage</c> or <c>smessage</c>.</param>
/// <param name="pattern">The pattern of a <c>pmessage</c>, which no other message has.</param>
/// <param name="channel">Where it was published.</param>
/// <param name="message">What was published.</param>
internal ref struct PubSubMessage(
    ReadOnlySpan<byte> word, byte[]? pattern, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> message)
{
    private const int HeaderBytes = 4;
    private const int LineEndBytes = 2;

    private readonly ReadOnlySpan<byte> _word = word;
    private readonly byte[]? _pattern = pattern;
    private readonly ReadOnlySpan<byte> _channel = channel;
    private readonly ReadOnlySpan<byte> _message = message;
    private byte[]? _resp2;
    private byte[]? _resp3;

    /// <summary>Its length in bytes, the same for both protocols.</summary>
    public readonly long SizeBytes =>
        HeaderBytes + SizeOf(_word) + (_pattern is null ? 0 : SizeOf(_pattern)) + SizeOf(_channel) + SizeOf(_message);

    /// <summary>The type byte a message begins with.</summary>
    public static byte TypeFor(int protocol) => protocol == 2 ? RespType.Array : RespType.Push;

    /// <summary>Adds the message to a client's output and has it sent at the end of this entry of the loop.</summary>
    public void SendTo(Client client) => client.PushShared(client.Reply.Protocol == 2
        ? _resp2 ??= Encode(protocol: 2)
        : _resp3 ??= Encode(protocol: 3));

    /// <summary>Writes the message into the first <see cref="SizeBytes"/> bytes of <paramref name="target"/>.</summary>
    public readonly void WriteTo(Span<byte> target, int protocol)
    {
        target[0] = TypeFor(protocol);
        target[1] = _pattern is null ? (byte)'3' : (byte)'4';
        "\r\n"u8.CopyTo(target[2..]);
        Span<byte> rest = target[HeaderBytes..];
        Write(_word, ref rest);
        if (_pattern is not null)
        {
            Write(_pattern, ref rest);
        }

        Write(_channel, ref rest);
        Write(_message, ref rest);
    }

    private readonly byte[] Encode(int protocol)
    {
        // What no array can hold is refused like anything there is no memory for.
        long size = SizeBytes;
        byte[] encoded = size <= Array.MaxLength ? GC.AllocateUninitializedArray<byte>((int)size) : new byte[size];
        WriteTo(encoded, protocol);
        return encoded;
    }

    // A bulk string: its sign, its length, its bytes, and a line end behind either.
    private static long SizeOf(ReadOnlySpan<byte> text) =>
        1 + Numbers.CountDigits((ulong)text.Length) + LineEndBytes + (long)text.Length + LineEndBytes;

    private static void Write(ReadOnlySpan<byte> text, ref Span<byte> rest)
    {
        rest = rest[Numbers.FormatLine(RespType.BulkString, text.Length, rest)..];
        text.CopyTo(rest);
        "\r\n"u8.CopyTo(rest[text.Length..]);
        rest = rest[(text.Length + LineEndBytes)..];
    }
}
