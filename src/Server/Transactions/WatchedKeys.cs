using KvServer.Server.Clients;
using KvServer.Server.PubSub;
using KvServer.Storage;

namespace KvServer.Server.Transactions;

/// <summary>Which clients watch which keys, and whose watch a change breaks.</summary>
/// <remarks>
/// <para>Changes come by three ways: what commands report of a key (<see cref="Commands.CommandContext.KeyChanged"/>),
/// what the store removes because its time has come or memory is short, and databases that are emptied or exchanged. While nobody watches,
/// a change costs one comparison. A client whose watch is broken watches nothing any more.</para>
/// <para>A key whose time had come when it was watched counts as missing: its removal is no change.
/// Command loop only.</para>
/// </remarks>
internal sealed class WatchedKeys
{
    private const int KeptWatches = 64;

    private readonly Keyspace _keyspace;
    private readonly Dictionary<Database, Dictionary<byte[], LinkedList<Watch>>> _watches = [];

    /// <summary>Listens to what expires in a store.</summary>
    public WatchedKeys(Keyspace keyspace)
    {
        _keyspace = keyspace;
        keyspace.Expired += OnExpired;
        keyspace.FieldExpired += OnFieldExpired;
        keyspace.Evicted += KeyChanged;
    }

    /// <summary>Watches there are.</summary>
    public int Count { get; private set; }

    /// <summary>Has a client watch a key of its database, unless it does already. O(1).</summary>
    public void Add(Client client, ReadOnlySpan<byte> key)
    {
        Database database = client.Database;
        Watch watch = new(client, database, key.ToArray());
        if (!(client.Watches ??= []).Add(watch))
        {
            return;
        }

        try
        {
            Register(watch);
        }
        catch (OutOfMemoryException)
        {
            client.Watches.Remove(watch); // Else the next WATCH would take it for one that sees something.
            throw;
        }

        client.TransactionBytes += watch.MemoryBytes;
        Count++;
    }

    private void Register(Watch watch)
    {
        Database database = watch.Database;
        if (!_watches.TryGetValue(database, out Dictionary<byte[], LinkedList<Watch>>? byKey))
        {
            byKey = new Dictionary<byte[], LinkedList<Watch>>(ByteStringComparer.Instance);
            _watches.Add(database, byKey);
        }

        if (!byKey.TryGetValue(watch.Key, out LinkedList<Watch>? watchers))
        {
            watchers = [];
            byKey.Add(watch.Key, watchers);
        }

        _ = database.Holds(_keyspace.KeyOf(watch.Key), out bool isOver);
        watch.WasOver = isOver;
        watch.Place = watchers.AddLast(watch);
    }

    /// <summary>Has a client watch nothing any more. O(keys it watches).</summary>
    public void RemoveAll(Client client)
    {
        if (client.Watches is not { Count: > 0 } watches)
        {
            return;
        }

        foreach (Watch watch in watches)
        {
            if (watch.Place is { List: { } watchers } place)
            {
                watchers.Remove(place);
                if (watchers.Count == 0)
                {
                    _watches[watch.Database].Remove(watch.Key);
                }

                client.TransactionBytes -= watch.MemoryBytes;
                Count--;
            }
        }

        if (watches.Count > KeptWatches)
        {
            client.Watches = null;
        }
        else
        {
            watches.Clear();
        }
    }

    /// <summary>Whether the time of a key that a client watches has come since, be it that nothing has removed it yet.</summary>
    /// <remarks>O(keys it watches).</remarks>
    public bool HasExpired(Client client)
    {
        foreach (Watch watch in client.Watches ?? [])
        {
            if (!watch.WasOver && watch.Database.Holds(_keyspace.KeyOf(watch.Key), out bool isOver) && isOver)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Breaks the watches of a key that has been changed. O(clients that watch it).</summary>
    public void KeyChanged(Database database, ReadOnlySpan<byte> key)
    {
        if (Count > 0 && TryFind(database, key, out LinkedList<Watch>? watchers))
        {
            LinkedListNode<Watch>? next = watchers.First;
            while (next is { } place)
            {
                next = place.Next; // Breaking takes this client's one place out of the list.
                Break(place.Value.Client);
            }
        }
    }

    /// <summary>Breaks watches before all keys of a database are removed, or those of another one take their place.</summary>
    /// <param name="database">Still as it was.</param>
    /// <param name="replacement">The one whose keys come; null when none do.</param>
    /// <remarks>O(watched keys of the database). A key that is in neither has not changed.</remarks>
    public void DatabaseReplaced(Database database, Database? replacement)
    {
        if (Count == 0 || !_watches.TryGetValue(database, out Dictionary<byte[], LinkedList<Watch>>? byKey))
        {
            return;
        }

        List<Client> broken = [];
        foreach ((byte[] name, LinkedList<Watch> watchers) in byKey)
        {
            Key key = _keyspace.KeyOf(name);
            bool wasThere = database.Holds(key, out _);
            bool isOver = false;
            bool comes = replacement is not null && replacement.Holds(key, out isOver);
            if (!wasThere && !comes)
            {
                continue;
            }

            foreach (Watch watch in watchers)
            {
                if (watch.WasOver && (!comes || isOver))
                {
                    watch.WasOver = comes; // It was missing for whoever asks, and is so still.
                }
                else if (!wasThere && isOver)
                {
                    watch.WasOver = true;
                }
                else
                {
                    broken.Add(watch.Client);
                }
            }
        }

        broken.ForEach(Break);
    }

    /// <summary>Breaks watches before two databases are exchanged.</summary>
    public void DatabasesSwapped(int first, int second)
    {
        if (first != second)
        {
            DatabaseReplaced(_keyspace[first], _keyspace[second]);
            DatabaseReplaced(_keyspace[second], _keyspace[first]);
        }
    }

    /// <summary>Breaks watches before all keys of all databases are removed.</summary>
    public void AllRemoved()
    {
        for (int i = 0; Count > 0 && i < _keyspace.DatabaseCount; i++)
        {
            DatabaseReplaced(_keyspace[i], replacement: null);
        }
    }

    private void Break(Client client)
    {
        client.Set(ClientFlags.WatchBroken, on: true);
        RemoveAll(client);
    }

    private void OnExpired(Database database, ReadOnlySpan<byte> key)
    {
        if (Count == 0 || !TryFind(database, key, out LinkedList<Watch>? watchers))
        {
            return;
        }

        LinkedListNode<Watch>? next = watchers.First;
        while (next is { } place)
        {
            next = place.Next;
            if (place.Value.WasOver)
            {
                place.Value.WasOver = false;
            }
            else
            {
                Break(place.Value.Client);
            }
        }
    }

    private void OnFieldExpired(Database database, ReadOnlySpan<byte> key, ReadOnlySpan<byte> field, bool isLast) =>
        KeyChanged(database, key);

    private bool TryFind(
        Database database,
        ReadOnlySpan<byte> key,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LinkedList<Watch>? watchers)
    {
        watchers = null;
        return _watches.TryGetValue(database, out Dictionary<byte[], LinkedList<Watch>>? byKey)
            && byKey.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out watchers);
    }
}
