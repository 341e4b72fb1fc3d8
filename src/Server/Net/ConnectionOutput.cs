using System.IO.Pipelines;

namespace KvServer.Server.Net;

/// <summary>The writing end of a connection's output as the session sees it: swallows everything once the client is
/// over its limit on unread replies.</summary>
/// <remarks>Replies ask for memory block by block, and each time the limit is looked at. So neither a long pipeline nor
/// a single huge reply takes more memory than the limit and one block, long before the entry ends. Command loop
/// only.</remarks>
internal sealed class ConnectionOutput(PipeWriter pipe, Connection connection) : PipeWriter
{
    private const int DiscardBytes = 4096;

    private byte[]? _discarded;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        if (_discarded is null)
        {
            pipe.Advance(bytes);
        }
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_discarded is null && !connection.CloseWhenOverHardLimit())
        {
            return pipe.GetMemory(sizeHint);
        }

        if (_discarded is null || _discarded.Length < sizeHint)
        {
            _discarded = new byte[Math.Max(sizeHint, DiscardBytes)];
        }

        return _discarded;
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        pipe.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => pipe.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => pipe.Complete(exception);
}
