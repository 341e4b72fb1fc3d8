namespace KvServer.Resp;

/// <summary>Each way input can be malformed.</summary>
public enum ProtocolErrorKind
{
    /// <summary>No error.</summary>
    None,

    /// <summary>The argument count is no number or too large.</summary>
    InvalidMultibulkLength,

    /// <summary>The line that should hold the argument count does not end.</summary>
    TooBigMultibulkCountString,

    /// <summary>The line that should hold a bulk length does not end.</summary>
    TooBigBulkCountString,

    /// <summary>An argument does not start with '$'.</summary>
    ExpectedBulk,

    /// <summary>A bulk length is no number, negative or over the limit.</summary>
    InvalidBulkLength,

    /// <summary>An inline request does not end within the limit.</summary>
    TooBigInlineRequest,

    /// <summary>An inline request has an open quote, or text right behind a closing one.</summary>
    UnbalancedQuotes,

    /// <summary>More arguments than a client may send before it has authenticated.</summary>
    UnauthenticatedMultibulkLength,

    /// <summary>A longer bulk string than a client may send before it has authenticated.</summary>
    UnauthenticatedBulkLength,

    /// <summary>The first word is <c>POST</c> or <c>Host:</c>: a browser was lured into talking to this port. The
    /// connection is closed and logged; nothing is replied.</summary>
    HttpRequest,
}
