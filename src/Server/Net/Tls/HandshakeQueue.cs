namespace KvServer.Server.Net.Tls;

/// <summary>The handshakes under way on the thread pool, the oldest first; there are never more than so many.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class HandshakeQueue(TlsService tls)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<CancellationTokenSource> _pending = [];
    private int _count;

    /// <summary>Those that have entered and not left, the cancelled ones included.</summary>
    internal int Count => Volatile.Read(ref _count);

    /// <summary>Adds one; the oldest is cancelled when there are too many.</summary>
    /// <param name="cancel">Ends the handshake.</param>
    /// <returns>For <see cref="Leave"/>.</returns>
    internal LinkedListNode<CancellationTokenSource> Enter(CancellationTokenSource cancel)
    {
        lock (_lock)
        {
            if (_pending.Count >= tls.MaxHandshakes)
            {
                // In the lock, where it cannot have left yet and been disposed. What follows runs on the pool.
                _ = _pending.First!.Value.CancelAsync();
                _pending.RemoveFirst();
            }

            _count++;
            return _pending.AddLast(cancel);
        }
    }

    /// <summary>Whether it was cancelled because there were too many. Before <see cref="Leave"/>.</summary>
    internal bool HasMadeRoom(LinkedListNode<CancellationTokenSource> place)
    {
        lock (_lock)
        {
            return place.List is null;
        }
    }

    /// <summary>Takes one away that has ended. Its source may be disposed afterwards.</summary>
    internal void Leave(LinkedListNode<CancellationTokenSource> place)
    {
        lock (_lock)
        {
            _count--;
            if (place.List is not null)
            {
                _pending.Remove(place);
            }
        }
    }
}
