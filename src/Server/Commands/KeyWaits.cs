using KvServer.Server.PubSub;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Which clients wait for which keys, and which of these keys have changed.</summary>
/// <remarks>
/// A change of a key that somebody waits for only notes the key. After the whole command the executor takes the noted
/// keys in the order of their changes, and runs the waiting calls again, in the order in which they began to wait. While
/// nobody waits, a change costs one comparison. Command loop only.
/// </remarks>
internal sealed class KeyWaits
{
    private readonly Dictionary<Database, Dictionary<byte[], LinkedList<KeyWait>>> _waits = [];
    private readonly Queue<(Database Database, byte[] Key)> _ready = new();
    private readonly HashSet<LinkedList<KeyWait>> _noted = [];

    /// <summary>Prepares for calls that wait for keys of a store.</summary>
    public KeyWaits(Keyspace keyspace)
    {
        keyspace.Expired += OnRemoved;
        keyspace.Evicted += OnRemoved;
    }

    /// <summary>Calls that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Calls that are run again also when a key of theirs is gone.</summary>
    public int WakesWhenGoneCount { get; private set; }

    /// <summary>Whether keys have changed that somebody waits for.</summary>
    public bool HasReady => _ready.Count > 0;

    /// <summary>Adds a call to the end of its keys' queues.</summary>
    public void Add(KeyWait wait)
    {
        if (!_waits.TryGetValue(wait.Database, out Dictionary<byte[], LinkedList<KeyWait>>? byKey))
        {
            byKey = new Dictionary<byte[], LinkedList<KeyWait>>(ByteStringComparer.Instance);
            _waits.Add(wait.Database, byKey);
        }

        foreach (byte[] key in wait.Keys)
        {
            if (!byKey.TryGetValue(key, out LinkedList<KeyWait>? queue))
            {
                queue = [];
                byKey.Add(key, queue);
            }

            wait.Places.Add(queue.AddLast(wait));
        }

        Count++;
        WakesWhenGoneCount += wait.WakesWhenGone ? 1 : 0;
    }

    /// <summary>Takes a call out of all its queues. O(its keys).</summary>
    public void Remove(KeyWait wait)
    {
        Dictionary<byte[], LinkedList<KeyWait>> byKey = _waits[wait.Database];
        for (int i = 0; i < wait.Keys.Length; i++)
        {
            LinkedList<KeyWait> queue = wait.Places[i].List!;
            queue.Remove(wait.Places[i]);
            if (queue.Count == 0)
            {
                byKey.Remove(wait.Keys[i]);
            }
        }

        wait.Places.Clear();
        Count--;
        WakesWhenGoneCount -= wait.WakesWhenGone ? 1 : 0;
    }

    /// <summary>Notes a key that has changed, if somebody waits for it.</summary>
    public void Note(Database database, ReadOnlySpan<byte> key)
    {
        if (_waits.TryGetValue(database, out Dictionary<byte[], LinkedList<KeyWait>>? byKey)
            && byKey.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out byte[]? name, out LinkedList<KeyWait>? queue)
            && _noted.Add(queue))
        {
            _ready.Enqueue((database, name));
        }
    }

    /// <summary>Notes every key of a database that somebody waits for: its data have been exchanged.</summary>
    public void NoteAll(Database database)
    {
        if (_waits.TryGetValue(database, out Dictionary<byte[], LinkedList<KeyWait>>? byKey))
        {
            foreach (byte[] key in byKey.Keys)
            {
                Note(database, key);
            }
        }
    }

    /// <summary>Notes every key of all databases that somebody waits for.</summary>
    public void NoteAll()
    {
        foreach (Database database in _waits.Keys)
        {
            NoteAll(database);
        }
    }

    /// <summary>Takes the key noted first.</summary>
    /// <param name="database">Where it is.</param>
    /// <param name="key">Its name.</param>
    /// <param name="queue">The calls that wait for it now, the first one first; null when none do any more.</param>
    public bool TryTake(out Database database, out byte[] key, out LinkedList<KeyWait>? queue)
    {
        queue = null;
        if (!_ready.TryDequeue(out (Database Database, byte[] Key) ready))
        {
            database = null!;
            key = [];
            return false;
        }

        (database, key) = ready;
        if (_waits[database].TryGetValue(key, out queue))
        {
            _noted.Remove(queue);
        }

        if (_ready.Count == 0)
        {
            _noted.Clear(); // Some may be of queues that are gone.
        }

        return true;
    }

    private void OnRemoved(Database database, ReadOnlySpan<byte> key)
    {
        if (WakesWhenGoneCount > 0)
        {
            Note(database, key);
        }
    }
}
