namespace KvServer.Resp;

/// <summary>How <see cref="RequestReader.ReadAll"/> ended.</summary>
public enum ReadStatus
{
    /// <summary>The bytes end inside a request; more are needed. The batch may hold requests before it.</summary>
    Incomplete,

    /// <summary>Every byte was consumed, or the batch is full and bytes may be left.</summary>
    Complete,

    /// <summary>The requests in the batch are good; what follows them is not. See <see cref="RequestReader.Error"/>.</summary>
    ProtocolError,
}
