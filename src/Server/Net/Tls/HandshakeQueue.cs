namespace KvServer.Server.Net.Tls;

/// <summary>The handshakes under way on the thread pool, the oldest first; there are never more than so many.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class HandshakeQueue(int limit)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<CancellationTokenSource> _pending = [];

    /// <summary>Adds one; the oldest is cancelled when there are too many.</summary>
    /// <param name="cancel">Ends the handshake.</param>
    /// <returns>For <see cref="Leave"/>.</returns>
    internal LinkedListNode<CancellationTokenSource> Enter(CancellationTokenSource cancel)
    {
        CancellationTokenSource? oldest = null;
        LinkedListNode<CancellationTokenSource> place;
        lock (_lock)
        {
            if (_pending.Count >= limit)
            {
                oldest = _pending.First!.Value;
                _pending.RemoveFirst();
            }

            place = _pending.AddLast(cancel);
        }

        _ = oldest?.CancelAsync();
        return place;
    }

    /// <summary>Takes one away that has ended. Its source may be disposed afterwards.</summary>
    internal void Leave(LinkedListNode<CancellationTokenSource> place)
    {
        lock (_lock)
        {
            if (place.List is not null)
            {
                _pending.Remove(place);
            }
        }
    }
}
