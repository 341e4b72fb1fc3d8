namespace KvServer.Resp;

/// <summary>The first byte of each RESP type, by name.</summary>
public static class RespType
{
    /// <summary><c>+OK</c></summary>
    public const byte SimpleString = (byte)'+';

    /// <summary><c>-ERR text</c></summary>
    public const byte Error = (byte)'-';

    /// <summary><c>:1</c></summary>
    public const byte Integer = (byte)':';

    /// <summary><c>$3</c>, then the bytes on a line of their own.</summary>
    public const byte BulkString = (byte)'$';

    /// <summary><c>*2</c>, then the elements.</summary>
    public const byte Array = (byte)'*';

    /// <summary><c>_</c>, RESP3.</summary>
    public const byte Null = (byte)'_';

    /// <summary><c>#t</c> or <c>#f</c>, RESP3.</summary>
    public const byte Boolean = (byte)'#';

    /// <summary><c>,1.5</c>, RESP3.</summary>
    public const byte Double = (byte)',';

    /// <summary><c>(123</c>, RESP3.</summary>
    public const byte BigNumber = (byte)'(';

    /// <summary><c>!9</c>, an error with a length, RESP3.</summary>
    public const byte BulkError = (byte)'!';

    /// <summary><c>=7</c>, then three letters of format, a colon and the text, RESP3.</summary>
    public const byte Verbatim = (byte)'=';

    /// <summary><c>%2</c>, then keys and values by turns, RESP3.</summary>
    public const byte Map = (byte)'%';

    /// <summary><c>~2</c>, RESP3.</summary>
    public const byte Set = (byte)'~';

    /// <summary><c>|1</c>, pairs that come before the reply they describe, RESP3.</summary>
    public const byte Attribute = (byte)'|';

    /// <summary><c>&gt;2</c>, something nobody asked for at this moment, RESP3.</summary>
    public const byte Push = (byte)'>';
}
