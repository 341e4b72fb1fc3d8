namespace KvServer.Resp;

/// <summary>The largest sizes accepted from a client; checked while framing, before anything is allocated.</summary>
public sealed record ProtocolLimits
{
    /// <summary>Bulk strings over this many bytes are moved out of the receive buffer into a block of their own.</summary>
    public const int LargeBulkBytes = 32 * 1024;

    /// <summary>Most requests in one batch: how long a pipeline may run before others get their turn.</summary>
    public const int BatchRequests = 1024;

    /// <summary>A batch takes no further request once it has consumed this many bytes.</summary>
    public const int BatchBytes = 1024 * 1024;

    /// <summary>What an authenticated client may send, with the defaults of the configuration.</summary>
    public static ProtocolLimits Default { get; } = new();

    /// <summary>The longest line, in bytes: an inline request or the line of a length.</summary>
    public int MaxLineBytes { get; init; } = 64 * 1024;

    /// <summary>The most arguments of a request.</summary>
    public int MaxArguments { get; init; } = int.MaxValue;

    /// <summary>The longest bulk string in bytes (<c>proto-max-bulk-len</c>).</summary>
    /// <remarks>Whatever is set here, 2 GB are never exceeded: lengths of values are 32-bit integers.</remarks>
    public long MaxBulkBytes { get; init; } = 512 * 1024 * 1024;

    /// <summary>Whether the client has not authenticated yet though it must: 10 arguments, 16 KB each, and one request
    /// per batch, so that the limits can be raised between an AUTH and what follows it.</summary>
    public bool BeforeAuthentication { get; init; }

    /// <summary>Most arguments before authentication.</summary>
    public const int UnauthenticatedArguments = 10;

    /// <summary>Longest bulk string before authentication, in bytes.</summary>
    public const int UnauthenticatedBulkBytes = 16 * 1024;

    /// <summary>Most requests in one batch under these limits.</summary>
    internal int RequestsPerBatch => BeforeAuthentication ? 1 : BatchRequests;
}
