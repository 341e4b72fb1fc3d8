namespace KvServer.Server.Tracking;

/// <summary>A key that clients may have cached, with the ids of these clients.</summary>
/// <remarks>Ids stay when their clients disconnect; they are cleared out before there is room made for many more, so a
/// key that never changes does not gather those of all connections there ever were. Command loop only.</remarks>
internal sealed class TrackedKey(byte[] name)
{
    private const int ClearsFrom = 64;

    // Itself, its arrays, its places in the table; measured.
    private const int OverheadBytes = 200;

    private long[] _ids = [0];
    private int _count;

    /// <summary>Its name.</summary>
    public byte[] Name { get; } = name;

    /// <summary>Its place in the table's list.</summary>
    public int Place { get; set; }

    /// <summary>The clients, in the order of their ids.</summary>
    public ReadOnlySpan<long> ClientIds => _ids.AsSpan(0, _count);

    /// <summary>About the bytes it takes, with its place in the table.</summary>
    public long SizeBytes => OverheadBytes + Name.Length + (sizeof(long) * (long)_ids.Length);

    /// <summary>Adds a client, unless it is there.</summary>
    /// <param name="clientId">Its id.</param>
    /// <param name="isTracking">Which ids are worth keeping.</param>
    /// <returns>By how much the number of clients has changed.</returns>
    /// <remarks>O(log clients) to find it, O(clients) to add one that is not the newest.</remarks>
    public int Add(long clientId, Predicate<long> isTracking)
    {
        int place = ClientIds.BinarySearch(clientId);
        if (place >= 0)
        {
            return 0;
        }

        int before = _count;
        if (_count == _ids.Length)
        {
            if (_count >= ClearsFrom)
            {
                KeepOnly(isTracking);
                place = ClientIds.BinarySearch(clientId);
            }

            if (_count > _ids.Length / 2)
            {
                Array.Resize(ref _ids, _ids.Length * 2);
            }
        }

        place = ~place;
        Array.Copy(_ids, place, _ids, place + 1, _count - place);
        _ids[place] = clientId;
        _count++;
        return _count - before;
    }

    private void KeepOnly(Predicate<long> isTracking)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (isTracking(_ids[i]))
            {
                _ids[kept++] = _ids[i];
            }
        }

        _count = kept;
    }
}
