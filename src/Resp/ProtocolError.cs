using System.Text;

namespace KvServer.Resp;

/// <summary>Why the input of a connection cannot be read any further.</summary>
/// <param name="Kind">Which rule was broken.</param>
/// <param name="Found">The byte that stood in the place of '$', for <see cref="ProtocolErrorKind.ExpectedBulk"/>.</param>
public readonly record struct ProtocolError(ProtocolErrorKind Kind, byte Found = 0)
{
    /// <summary>Whether the connection is to be closed without any reply (and with a log line).</summary>
    public bool IsHttpRequest => Kind == ProtocolErrorKind.HttpRequest;

    /// <summary>The fixed text of the error reply, without the leading <c>-</c>, code included; empty when there is
    /// none to send.</summary>
    /// <remarks>For <see cref="ProtocolErrorKind.ExpectedBulk"/> the byte found and a closing quote follow.</remarks>
    public ReadOnlySpan<byte> Prefix => Kind switch
    {
        ProtocolErrorKind.InvalidMultibulkLength => "ERR Protocol error: invalid multibulk length"u8,
        ProtocolErrorKind.TooBigMultibulkCountString => "ERR Protocol error: too big mbulk count string"u8,
        ProtocolErrorKind.TooBigBulkCountString => "ERR Protocol error: too big bulk count string"u8,
        ProtocolErrorKind.ExpectedBulk => "ERR Protocol error: expected '$', got '"u8,
        ProtocolErrorKind.InvalidBulkLength => "ERR Protocol error: invalid bulk length"u8,
        ProtocolErrorKind.TooBigInlineRequest => "ERR Protocol error: too big inline request"u8,
        ProtocolErrorKind.UnbalancedQuotes => "ERR Protocol error: unbalanced quotes in request"u8,
        ProtocolErrorKind.UnauthenticatedMultibulkLength => "ERR Protocol error: unauthenticated multibulk length"u8,
        ProtocolErrorKind.UnauthenticatedBulkLength => "ERR Protocol error: unauthenticated bulk length"u8,
        _ => default,
    };

    /// <summary>The whole text of the error reply as a string, for logs and tests.</summary>
    public string Text => Kind == ProtocolErrorKind.ExpectedBulk
        ? Encoding.Latin1.GetString(Prefix) + (char)Found + "'"
        : Encoding.Latin1.GetString(Prefix);

    /// <summary>Writes the error reply; nothing when there is none to send.</summary>
    public void WriteTo(ReplyWriter reply)
    {
        if (Kind == ProtocolErrorKind.ExpectedBulk)
        {
            reply.Error(Prefix, [Found], "'"u8);
        }
        else if (!Prefix.IsEmpty)
        {
            reply.Error(Prefix);
        }
    }
}
