namespace KvServer.Server.Metrics;

/// <summary>The connections that may be open at the same time, and which one goes when a further one comes.</summary>
/// <remarks>Whoever asks for health must get through, also when somebody else holds every place and says nothing: the one that
/// has been silent longest loses its own. Only those being answered keep theirs. Any thread.</remarks>
/// <param name="count">How many places there are.</param>
internal sealed class HttpPlaces(int count)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Place> _silent = []; // Longest silent first.
    private int _taken;

    /// <summary>Takes a place for a new connection, which is silent.</summary>
    /// <param name="close">Closes it for another one; it need not have ended when this returns.</param>
    /// <returns>Null when all the others are being answered.</returns>
    public Place? TryTake(Action close)
    {
        Place place = new(this, close);
        Place? loser = null;
        lock (_gate)
        {
            if (_taken == count)
            {
                loser = _silent.First?.Value;
                if (loser is null)
                {
                    return null;
                }

                Free(loser);
            }

            _taken++;
            place.IsTaken = true;
            _silent.AddLast(place.Node);
        }

        loser?.Close();
        return place;
    }

    private void BeginAnswer(Place place)
    {
        lock (_gate)
        {
            if (place.IsTaken)
            {
                _silent.Remove(place.Node);
            }
        }
    }

    private void EndAnswer(Place place)
    {
        lock (_gate)
        {
            if (place.IsTaken)
            {
                _silent.AddLast(place.Node);
            }
        }
    }

    private void Leave(Place place)
    {
        lock (_gate)
        {
            if (place.IsTaken)
            {
                Free(place);
            }
        }
    }

    private void Free(Place place)
    {
        place.IsTaken = false;
        _taken--;
        if (place.Node.List is not null)
        {
            _silent.Remove(place.Node);
        }
    }

    /// <summary>The place of one connection, until it is disposed of or lost to another.</summary>
    internal sealed class Place : IDisposable
    {
        private readonly HttpPlaces _places;
        private readonly Action _close;

        /// <summary>For <see cref="TryTake"/>.</summary>
        internal Place(HttpPlaces places, Action close)
        {
            _places = places;
            _close = close;
            Node = new LinkedListNode<Place>(this);
        }

        /// <summary>Its link in the list of the silent. Inside the gate.</summary>
        internal LinkedListNode<Place> Node { get; }

        /// <summary>Whether it still counts. Inside the gate.</summary>
        internal bool IsTaken { get; set; }

        /// <summary>A request has come and will be answered.</summary>
        public void BeginAnswer() => _places.BeginAnswer(this);

        /// <summary>The answer is out: the connection is silent from now on.</summary>
        public void EndAnswer() => _places.EndAnswer(this);

        /// <inheritdoc/>
        public void Dispose() => _places.Leave(this);

        /// <summary>Closes the connection.</summary>
        internal void Close() => _close();
    }
}
