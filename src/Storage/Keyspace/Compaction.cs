namespace KvServer.Storage;

/// <summary>Moves entries out of sparse slabs, so that the slabs can go: what sizes that change leave behind.</summary>
/// <remarks>
/// <para>Slabs of entries hold nothing else (<see cref="SizeClasses"/>), and an entry says its hash, so whoever has a
/// block finds the pointers to it: the chain of its bucket, the index of expiry times, the queue of hashes with fields
/// that expire. Thus a slab is emptied from its own side, without a walk over the keys.</para>
/// <para>A block may be free, on its way to the reclaimer, or belong to a database that was flushed. It is in no chain
/// then and stays; so nothing in it has to be trusted. A slab that cannot be emptied goes back to its list.</para>
/// <para>Moving changes no key, and marks of snapshots go along, so it may go on while one is taken: the walk holds places
/// in tables and addresses of values, never one of an entry. Command loop only, between commands.</para>
/// </remarks>
internal sealed unsafe class Compaction(Keyspace keyspace)
{
    // Headers of so many regions are looked at in one step, 2 KB each.
    private const int RegionsPerStep = 16;

    // So many bytes cost as much to move as it costs to find the pointers to an entry.
    private const int BytesPerEntry = 512;

    // So many looks at parts of values cost as much as moving an entry.
    private const int UnitsPerEntry = 2;

    // A slab of the smallest blocks there are.
    private const int MaxBlocks = SizeClasses.SlabBytes / 8;

    private readonly NativeHeap _heap = keyspace.Heap;
    private readonly ulong[] _free = new ulong[MaxBlocks / 64];
    private Slab* _slab;
    private int _next;
    private int _database;

    /// <summary>Moves what entries do not hold themselves, when a sweep has found enough of it in sparse slabs.</summary>
    public PartCompaction Parts { get; } = new(keyspace);

    /// <summary>Entries moved.</summary>
    public long MovedEntries { get; private set; }

    /// <summary>Blocks in slabs to be emptied that turned out to be nobody's, or could not be moved.</summary>
    public long PassedBlocks { get; private set; }

    /// <summary>Slabs emptied.</summary>
    public long FreedSlabs { get; private set; }

    /// <summary>Starts counting anew (CONFIG RESETSTAT).</summary>
    public void ResetStatistics()
    {
        MovedEntries = 0;
        PassedBlocks = 0;
        Parts.ResetStatistics();
    }

    /// <summary>Goes on for a moment.</summary>
    /// <param name="entries">Move no more than so many; fewer when they are long.</param>
    /// <returns>False when there is nothing to gain: every class has less than a slab to spare.</returns>
    public bool Step(int entries)
    {
        if (Parts.IsWalking)
        {
            Parts.Step(entries * UnitsPerEntry);
            return true;
        }

        int regions = RegionsPerStep;
        while (entries > 0)
        {
            if (_slab == null)
            {
                _slab = _heap.TakeSparse(ref regions, out SweepEnd end);
                if (_slab == null)
                {
                    return (end != SweepEnd.NotYet && Parts.TryBegin()) || end != SweepEnd.Fruitless;
                }

                NativeHeap.MarkFree(_slab, _free);
                _next = 0;
            }

            if (!MoveSome(ref entries))
            {
                return true;
            }

            FreedSlabs += _heap.ReturnSparse(_slab) ? 1 : 0;
            _slab = null;
        }

        return true;
    }

    // Returns whether the slab has been gone through.
    private bool MoveSome(ref int entries)
    {
        int size = SizeClasses.SizeOf(_slab->Class);
        byte* start = Region.BlocksOf(Region.Of(_slab), _slab->Index);
        while (_slab->Used > 0 && start + ((long)_next * size) < _slab->Fresh)
        {
            if (entries <= 0)
            {
                return false;
            }

            int at = _next++;
            if ((_free[at >> 6] & (1UL << (at & 63))) != 0)
            {
                continue;
            }

            entries -= 1 + (size / BytesPerEntry);
            if (Move(start + ((long)at * size)))
            {
                MovedEntries++;
            }
            else
            {
                PassedBlocks++;
            }
        }

        return true;
    }

    private bool Move(byte* block)
    {
        try
        {
            for (int i = 0; i < keyspace.DatabaseCount; i++)
            {
                // Neighbours mostly belong to one database.
                Database database = keyspace[_database];
                if (database.Count > 0 && database.TryMove(block))
                {
                    return true;
                }

                _database = _database + 1 < keyspace.DatabaseCount ? _database + 1 : 0;
            }
        }
        catch (OutOfMemoryException)
        {
            // No slab for the others either: the entry stays where it is.
        }

        return false;
    }
}
