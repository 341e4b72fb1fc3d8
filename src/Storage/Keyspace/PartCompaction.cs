using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Moves what values own beside their entries out of marked slabs, so that the slabs can go: elements of large
/// collections with their tables, leaves of lists, nodes of streams, strings in blocks of their own.</summary>
/// <remarks>
/// <para>Such a block does not say whose it is (see <see cref="Compaction"/> for those that do), so all values are walked
/// over: a key or a bucket of elements at a time, by cursors that stand for a place in a table whatever happens to it
/// between two steps. That is worth it only for many slabs at once. When a walk has freed few of those that were marked,
/// since what lies in them belongs to nobody it knows, the next one needs more of them.</para>
/// <para>Consumer groups, what a copy shares, and what is in tables with far more buckets than elements stay where they are.
/// While a snapshot is taken nothing moves: it holds addresses of values. A value that is being read in parts is passed over.
/// Command loop only, between commands.</para>
/// </remarks>
internal sealed unsafe class PartCompaction(Keyspace keyspace)
{
    // 1 MB, and one in so many of all slabs.
    private const int MinSlabs = 16;
    private const int SlabsFraction = 64;

    // A value of more parts is walked over in several steps.
    private const long PartsAtOnce = 64;

    // A table with more has hardly anything in it, and in mid-rehash one step of its cursor may pass by millions of buckets.
    private const long MaxBucketsPerElement = 64;

    private readonly NativeHeap _heap = keyspace.Heap;
    private readonly Queue<byte[]> _large = new();
    private int _database;
    private ulong _keyCursor;
    private UInt128 _partCursor;
    private int _marked;
    private int _neededSlabs = MinSlabs;

    /// <summary>Whether a walk is under way.</summary>
    public bool IsWalking { get; private set; }

    /// <summary>Blocks moved.</summary>
    public long MovedBlocks { get; private set; }

    /// <summary>Slabs freed.</summary>
    public long FreedSlabs { get; private set; }

    // No more than can be marked.
    private long NeededSlabs =>
        Math.Min(NativeHeap.MaxMarked, Math.Max(_neededSlabs, _heap.SlabsInUse / SlabsFraction));

    /// <summary>Begins a walk if enough slabs are marked; else they go back.</summary>
    /// <returns>Whether it has begun.</returns>
    public bool TryBegin()
    {
        if (keyspace.Snapshot is not null || _heap.MarkedSlabs < NeededSlabs)
        {
            _heap.ReturnMarked();
            _neededSlabs = Math.Max(MinSlabs, _neededSlabs - 1); // Perhaps what was in the way is gone.
            return false;
        }

        BeginAll();
        return true;
    }

    /// <summary>Starts counting anew (CONFIG RESETSTAT).</summary>
    public void ResetStatistics() => MovedBlocks = 0;

    /// <summary>Goes on for a moment.</summary>
    /// <param name="units">How much may be done; see <see cref="MoveBudget"/>.</param>
    public void Step(int units)
    {
        if (keyspace.Snapshot is not null)
        {
            GiveUp();
            return;
        }

        MoveBudget budget = new(units);
        try
        {
            while (IsWalking && !budget.IsSpent)
            {
                if (_large.Count > 0)
                {
                    WalkLarge(ref budget);
                }
                else
                {
                    WalkKeys(ref budget);
                }
            }
        }
        catch (OutOfMemoryException)
        {
            GiveUp(); // What has not been moved stays.
        }

        MovedBlocks += budget.Moved;
    }

    /// <summary>Ends before everything has been walked over, which says nothing about what a walk is worth; or only puts
    /// back the slabs that are marked.</summary>
    public void GiveUp()
    {
        FreedSlabs += _heap.ReturnMarked();
        Stop();
    }

    /// <summary>Walks over everything at once, whatever is marked; for tests.</summary>
    internal void WalkAll()
    {
        BeginAll();
        while (IsWalking)
        {
            Step(1);
        }
    }

    /// <summary>Begins, however few slabs are marked.</summary>
    internal void BeginAll()
    {
        _marked = _heap.MarkedSlabs;
        _database = 0;
        _keyCursor = 0;
        IsWalking = true;
    }

    private void End()
    {
        int freed = _heap.ReturnMarked();
        FreedSlabs += freed;
        _neededSlabs = freed < _marked / 4 ? _marked + (_marked / 2) : MinSlabs;
        Stop();
    }

    private void Stop()
    {
        _large.Clear();
        _partCursor = 0;
        IsWalking = false;
    }

    private void WalkKeys(ref MoveBudget budget)
    {
        _keyCursor = keyspace[_database].VisitBlocks<PartCompaction, MoveBudget, VisitKey>(_keyCursor, this, ref budget);
        budget.CountLook();
        if (_keyCursor == 0 && _large.Count == 0)
        {
            NextDatabase();
        }
    }

    private void NextDatabase()
    {
        if (++_database == keyspace.DatabaseCount)
        {
            End();
        }
    }

    // A value may have changed since the last step, even its type: then the cursor means some place in it, or none.
    private void WalkLarge(ref MoveBudget budget)
    {
        byte* block = keyspace[_database].FindBlock(keyspace.KeyOf(_large.Peek()));
        if (block != null && !keyspace.PartialReads.IsRead(block))
        {
            do
            {
                _partCursor = MoveParts(block, _partCursor, ref budget);
            }
            while (_partCursor != 0 && !budget.IsSpent);
        }
        else
        {
            _partCursor = 0;
        }

        if (_partCursor == 0)
        {
            _large.Dequeue();
            if (_keyCursor == 0 && _large.Count == 0)
            {
                NextDatabase();
            }
        }
    }

    private void Visit(byte* block, ref MoveBudget budget)
    {
        budget.CountLook();
        if (EntryBlock.EncodingOf(block) is ValueEncoding.Integer or ValueEncoding.Inline or ValueEncoding.PackedList
            or ValueEncoding.IntSet
            || keyspace.PartialReads.IsRead(block))
        {
            return;
        }

        if (StepsOver(block) > PartsAtOnce)
        {
            _large.Enqueue(EntryBlock.KeyOf(block).ToArray());
            return;
        }

        UInt128 cursor = 0;
        do
        {
            cursor = MoveParts(block, cursor, ref budget);
        }
        while (cursor != 0);
    }

    // Some of the parts; 0 begins and 0 ends.
    private UInt128 MoveParts(byte* block, UInt128 cursor, ref MoveBudget budget)
    {
        byte* area = EntryBlock.ValueStart(block);
        switch (EntryBlock.EncodingOf(block))
        {
            case ValueEncoding.Block:
                MoveString(area, ref budget);
                return 0;
            case ValueEncoding.HashTable or ValueEncoding.SkipList:
                var table = (DictState*)Unsafe.ReadUnaligned<nint>(area);
                if (BucketsOf(table) > MaxBucketsPerElement * (DictCollection.CountOf(table) + PartsAtOnce))
                {
                    return 0;
                }

                try
                {
                    return DictCollection.Of(EntryBlock.TypeOf(block))
                        .MoveParts(keyspace.MemberRuntime, ref table, (ulong)cursor, ref budget);
                }
                finally
                {
                    Unsafe.WriteUnaligned(area, (nint)table); // It may have moved before memory ran out.
                }

            case ValueEncoding.QuickList:
                ListState* list = MoveState<ListState>(area, cursor, ref budget);
                return new ListTree(list, keyspace, ListLimits.Default).MoveLeaf((ulong)cursor, ref budget);
            case ValueEncoding.Stream:
                StreamState* stream = MoveState<StreamState>(area, cursor, ref budget);
                StreamId from = new((ulong)(cursor >> 64), (ulong)cursor); // No entry has the smallest id.
                StreamId next = StreamState.MoveNode(_heap, stream, from, ref budget);
                return new UInt128(next.Ms, next.Sequence);
            default:
                return 0;
        }
    }

    // Elements, and buckets, of which a table that has shrunk may have many more.
    private static long StepsOver(byte* block)
    {
        long parts = ValueLifetime.Effort(block);
        return EntryBlock.IsDict(EntryBlock.EncodingOf(block))
            ? Math.Max(parts, BucketsOf((DictState*)Unsafe.ReadUnaligned<nint>(EntryBlock.ValueStart(block))))
            : parts;
    }

    private static long BucketsOf(DictState* table) => table->Table0.BucketCount + table->Table1.BucketCount;

    // The state of a list or a stream, when its walk begins.
    private TState* MoveState<TState>(byte* area, UInt128 cursor, ref MoveBudget budget)
        where TState : unmanaged
    {
        var state = (TState*)Unsafe.ReadUnaligned<nint>(area);
        byte* moved = cursor == 0 ? _heap.CopyOut((byte*)state, (nuint)sizeof(TState), HeapTag.State, ref budget) : null;
        if (moved == null)
        {
            return state;
        }

        Unsafe.WriteUnaligned(area, (nint)moved);
        _heap.Free((byte*)state, (nuint)sizeof(TState), HeapTag.State);
        return (TState*)moved;
    }

    private void MoveString(byte* area, ref MoveBudget budget)
    {
        var text = Unsafe.ReadUnaligned<BlockString>(area);
        byte* moved = _heap.CopyOut(text.Start, text.Capacity, HeapTag.Value, ref budget);
        if (moved != null)
        {
            _heap.Free(text.Start, text.Capacity, HeapTag.Value);
            text.Start = moved;
            Unsafe.WriteUnaligned(area, text);
        }
    }

    private readonly struct VisitKey : IEntryAction<PartCompaction, MoveBudget>
    {
        public static void Visit(PartCompaction context, ref MoveBudget state, byte* entry) => context.Visit(entry, ref state);
    }
}
