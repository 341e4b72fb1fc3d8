namespace KvServer.Server.Net.Tls;

/// <summary>The handshakes of the framework's socket: so many under way on the thread pool, and those that wait for their
/// turn. The event loop keeps the same rules with lists of its own.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class HandshakeQueue(TlsService tls)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _running = []; // The oldest come first.
    private readonly LinkedList<Place> _waiting = [];
    private int _count;

    /// <summary>Those that have entered and not left, the cancelled ones included.</summary>
    internal int Count => Volatile.Read(ref _count);

    /// <summary>Takes a place behind all others.</summary>
    /// <param name="cancel">Ends the handshake, or its waiting.</param>
    internal Place Enter(CancellationTokenSource cancel)
    {
        Place place = new(cancel);
        lock (_lock)
        {
            _count++;
            _ = _waiting.AddLast(place);
            BeginNext();
        }

        return place;
    }

    /// <summary>Waits until it is its turn.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled meanwhile.</exception>
    internal async Task AwaitTurnAsync(Place place)
    {
        TimeSpan patience = TimeSpan.FromMilliseconds(tls.HandshakePatienceMs);
        while (!place.Turn.Task.IsCompleted)
        {
            // Nobody else looks whether somebody has kept the server waiting for too long.
            Task first = await Task.WhenAny(place.Turn.Task, Task.Delay(patience, place.Cancel.Token));
            if (first.IsCanceled)
            {
                await first;
            }

            lock (_lock)
            {
                BeginNext();
            }
        }
    }

    /// <summary>Takes one away that has ended. Its source may be disposed afterwards.</summary>
    internal void Leave(Place place)
    {
        lock (_lock)
        {
            _count--;
            _ = _running.Remove(place) || _waiting.Remove(place);
            BeginNext();
        }
    }

    private void BeginNext()
    {
        while (_waiting.First is { } next && (_running.Count < tls.MaxHandshakes || TryMakeRoom()))
        {
            _waiting.RemoveFirst();
            next.Value.PeerWait.Begin();
            _running.AddLast(next);
            next.Value.Turn.SetResult();
        }
    }

    private bool TryMakeRoom()
    {
        long patienceMs = tls.PatienceMs(_waiting.Count, shares: 1);
        for (LinkedListNode<Place>? node = _running.First; node is not null; node = node.Next)
        {
            if (node.Value.PeerWait.HasWaited(patienceMs))
            {
                // In the lock, where it cannot have left yet and been disposed. What follows runs on the pool.
                node.Value.HasMadeRoom = true;
                _running.Remove(node);
                _ = node.Value.Cancel.CancelAsync();
                return true;
            }
        }

        return false;
    }

    /// <summary>One handshake.</summary>
    internal sealed class Place(CancellationTokenSource cancel)
    {
        /// <summary>Ends the handshake, or its waiting.</summary>
        internal CancellationTokenSource Cancel => cancel;

        /// <summary>Ends when it is its turn.</summary>
        internal TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>How long the handshake has waited for the client.</summary>
        internal PeerWait PeerWait { get; } = new();

        /// <summary>Whether it was cancelled to make room. Set before the cancellation.</summary>
        internal bool HasMadeRoom { get; set; }
    }
}
