using System.Collections.Concurrent;

namespace KvServer.Storage;

/// <summary>The background thread that frees what would take the command loop too long.</summary>
/// <remarks>
/// It owns outright what it is given. The thread starts with the first piece of work. Small blocks go back through
/// the heap's remote frees, which the cron drains in bounded portions.
/// </remarks>
public sealed unsafe class Reclaimer : IDisposable
{
    private readonly NativeHeap _heap;
    private readonly ConcurrentQueue<Work> _queue = new();
    private readonly SemaphoreSlim _signal = new(0);
    private readonly Lock _startLock = new();
    private Thread? _thread;
    private bool _stopping;
    private long _pendingObjects;
    private long _freedObjects;
    private long _pendingWork;
    private int _trims;

    /// <summary>Makes a reclaimer for the memory of one heap, and takes over the heap's empty regions.</summary>
    public Reclaimer(NativeHeap heap)
    {
        _heap = heap;
        heap.Reclaimer = this;
    }

    private enum WorkKind
    {
        Stop,
        Table,
        Block,
        Entry,
        Dataset,
        Elements,
        List,
        ListNode,
        Stream,
        Shared,
        Region,
        TrimLibrary,
    }

    /// <summary>Objects given to the thread and not freed yet (lazyfree_pending_objects). Any thread.</summary>
    public long PendingObjects => Volatile.Read(ref _pendingObjects);

    /// <summary>Objects the thread has freed (lazyfreed_objects). Any thread.</summary>
    public long FreedObjects => Volatile.Read(ref _freedObjects);

    /// <summary>Whether something given to the thread to free has not been freed yet. Any thread.</summary>
    public bool IsBusy => Volatile.Read(ref _pendingWork) > Volatile.Read(ref _trims) && _thread is not null;

    /// <summary>Sets <see cref="FreedObjects"/> back to zero (CONFIG RESETSTAT).</summary>
    public void ResetStatistics() => Volatile.Write(ref _freedObjects, 0);

    /// <summary>Blocks until everything given so far is freed; for shutdown and tests.</summary>
    public void WaitUntilIdle()
    {
        SpinWait wait = default;
        while (Volatile.Read(ref _pendingWork) > 0 && _thread is not null)
        {
            wait.SpinOnce();
        }
    }

    /// <summary>Frees what is left and ends the thread.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        lock (_startLock)
        {
            _stopping = true; // From here on nobody else adds anything.
        }

        _heap.Reclaimer = null;
        if (_thread is not null)
        {
            Enqueue(new Work(WorkKind.Stop, 0, 0, 0));
            _thread.Join();
        }

        _signal.Dispose();
    }

    /// <summary>Takes a table that no dict uses any more.</summary>
    internal void FreeTable(byte* table, nuint bytes) =>
        Enqueue(new Work(WorkKind.Table, (nint)table, 0, bytes));

    /// <summary>Takes a region that the heap has no use for.</summary>
    internal void UnmapRegion(Region* region) => Enqueue(new Work(WorkKind.Region, (nint)region, 0, 0));

    /// <summary>Takes a large block of a value.</summary>
    internal void FreeBlock(byte* block, nuint bytes) =>
        Enqueue(new Work(WorkKind.Block, (nint)block, 0, bytes));

    /// <summary>Takes a keyspace entry with its value.</summary>
    internal void FreeEntry(byte* entry)
    {
        Interlocked.Increment(ref _pendingObjects);
        Enqueue(new Work(WorkKind.Entry, (nint)entry, 0, 0));
    }

    /// <summary>Takes what a value of many parts owns; its entry stays with the caller.</summary>
    internal void FreeValue(byte* entry)
    {
        nint address = *(nint*)EntryBlock.ValueStart(entry);
        switch (EntryBlock.EncodingOf(entry))
        {
            case ValueEncoding.HashTable or ValueEncoding.SkipList:
                FreeElements(EntryBlock.TypeOf(entry), (DictState*)address);
                break;
            case ValueEncoding.QuickList:
                Interlocked.Increment(ref _pendingObjects);
                Enqueue(new Work(WorkKind.List, address, 0, 0));
                break;
            case ValueEncoding.Stream:
                FreeStream((StreamState*)address);
                break;
            default:
                Invariant.Check(false, "only values with structures of their own have parts to be freed one by one");
                break;
        }
    }

    /// <summary>Takes a part of a list's tree.</summary>
    internal void FreeListNode(byte* node) => Enqueue(new Work(WorkKind.ListNode, (nint)node, 0, 0));

    /// <summary>Takes a stream.</summary>
    internal void FreeStream(StreamState* stream)
    {
        Interlocked.Increment(ref _pendingObjects);
        Enqueue(new Work(WorkKind.Stream, (nint)stream, 0, 0));
    }

    /// <summary>Takes a share in a part of a stream.</summary>
    /// <param name="block">The part.</param>
    /// <param name="release">Gives up the share.</param>
    internal void FreeShared(byte* block, delegate*<NativeHeap, byte*, FreeFrom, void> release) =>
        Enqueue(new Work(WorkKind.Shared, (nint)block, (nint)release, 0));

    /// <summary>Takes the dict of a collection.</summary>
    internal void FreeElements(ValueType type, DictState* elements)
    {
        Interlocked.Increment(ref _pendingObjects);
        Enqueue(new Work(WorkKind.Elements, (nint)elements, (nint)type, 0));
    }

    /// <summary>Takes the dicts of a flushed database.</summary>
    internal void FreeDataset(DictState* keys, DictState* expires)
    {
        Interlocked.Add(ref _pendingObjects, keys->Table0.Used + keys->Table1.Used);
        Enqueue(new Work(WorkKind.Dataset, (nint)keys, (nint)expires, 0));
    }

    /// <summary>Has the C library give back what lies free between its blocks; while that goes on, others may wait for it.</summary>
    /// <remarks>Any thread, at any time: after <see cref="Dispose"/> nothing happens. Returns at once.</remarks>
    public void TrimLibrary()
    {
        lock (_startLock)
        {
            if (!_stopping && Interlocked.Exchange(ref _trims, 1) == 0)
            {
                Enqueue(new Work(WorkKind.TrimLibrary, 0, 0, 0));
            }
        }
    }

    private void Enqueue(Work work)
    {
        Interlocked.Increment(ref _pendingWork);
        _queue.Enqueue(work);
        if (_thread is null)
        {
            lock (_startLock)
            {
                if (_thread is null)
                {
                    Start();
                }
            }
        }

        _signal.Release();
    }

    // What it is given belongs to nobody else any more. So where the system has no thread to give, the work waits, and
    // each further piece tries again.
    private void Start()
    {
        try
        {
            Thread thread = new(Run) { IsBackground = true, Name = "reclaimer" };
            thread.Start();
            _thread = thread;
        }
        catch (OutOfMemoryException)
        {
            // What .NET throws when a thread can't be made, whatever ran out.
        }
    }

    private void Run()
    {
        while (true)
        {
            _signal.Wait();
            if (!_queue.TryDequeue(out Work work))
            {
                continue;
            }

            long objects = 0;
            switch (work.Kind)
            {
                case WorkKind.Stop:
                    Interlocked.Decrement(ref _pendingWork);
                    return;
                case WorkKind.Table:
                    _heap.FreeTable((byte*)work.First, work.Bytes, FreeFrom.Background);
                    break;
                case WorkKind.Block:
                    _heap.Free((byte*)work.First, work.Bytes, HeapTag.Value, FreeFrom.Background);
                    break;
                case WorkKind.Entry:
                    ValueLifetime.FreeEntry(_heap, (byte*)work.First, FreeFrom.Background);
                    objects = 1;
                    break;
                case WorkKind.Region:
                    Pages.UnmapAligned((byte*)work.First, Region.Bytes);
                    break;
                case WorkKind.TrimLibrary:
                    Pages.TrimLibrary();
                    Volatile.Write(ref _trims, 0);
                    break;
                case WorkKind.Elements:
                    DictCollection.Of((ValueType)work.Second).Free(_heap, (DictState*)work.First, FreeFrom.Background);
                    objects = 1;
                    break;
                case WorkKind.List:
                    ListTree.FreeAll(_heap, (ListState*)work.First, FreeFrom.Background);
                    objects = 1;
                    break;
                case WorkKind.ListNode:
                    ListNode.Release(_heap, (byte*)work.First, FreeFrom.Background);
                    break;
                case WorkKind.Stream:
                    StreamState.Free(_heap, (StreamState*)work.First, FreeFrom.Background);
                    objects = 1;
                    break;
                case WorkKind.Shared:
                    ((delegate*<NativeHeap, byte*, FreeFrom, void>)work.Second)(
                        _heap, (byte*)work.First, FreeFrom.Background);
                    break;
                case WorkKind.Dataset:
                    objects = Dict<KeyEntryLayout>.FreeAll(_heap, (DictState*)work.First, FreeFrom.Background);
                    Dict<ExpiryLayout>.FreeAll(_heap, (DictState*)work.Second, FreeFrom.Background);
                    break;
            }

            Interlocked.Add(ref _freedObjects, objects);
            Interlocked.Add(ref _pendingObjects, -objects);
            Interlocked.Decrement(ref _pendingWork);
        }
    }

    private readonly record struct Work(WorkKind Kind, nint First, nint Second, nuint Bytes);
}
