using System.IO.Pipelines;
using KvServer.Server.Net.Pipes;

namespace KvServer.Server.Net;

/// <summary>The writing end of a connection's output as the session sees it: swallows everything once the client is
/// over its limit on unread replies, or memory for them has run out.</summary>
/// <remarks>Replies ask for memory block by block, and each time the limit is looked at. So neither a long pipeline nor
/// a single huge reply takes more memory than the limit and one block, long before the entry ends. Command loop
/// only.</remarks>
internal sealed class ConnectionOutput(PipeWriter pipe, Connection connection) : PipeWriter
{
    // What is thrown away needs no place of its own, least of all when memory has run out. Nobody reads it.
    private static readonly byte[] Waste = new byte[BlockPool.BlockBytes];

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
            try
            {
                return pipe.GetMemory(sizeHint);
            }
            catch (OutOfMemoryException)
            {
                // The client whose replies take the last memory gives back what it holds; the others are served on.
                connection.CloseForLackOfMemory();
            }
        }

        if (_discarded is null || _discarded.Length < sizeHint)
        {
            _discarded = sizeHint <= Waste.Length ? Waste : new byte[sizeHint];
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
