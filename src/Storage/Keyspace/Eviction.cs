using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>Keeps a store within a limit of memory, by removing keys and by giving back what fragmentation holds.</summary>
/// <remarks>
/// <para>Two sums are looked at. What blocks take (<see cref="NativeHeap.UsedBytes"/>), with the buffers of clients, must
/// not exceed the limit: beyond it keys are evicted. What slabs and large blocks hold of the system
/// (<see cref="NativeHeap.HeldBytes"/>) may exceed it by a sixteenth and 4 MB: beyond that, sparse slabs are emptied
/// first (<see cref="Compaction"/>), and only when none is left to empty are keys evicted for it, too. Where memory is not
/// short, sparse slabs are emptied if <see cref="Defrag"/> says so.</para>
/// <para>Keys are chosen among a few at random, and what has been seen and not taken is kept in a pool. A candidate that
/// has been used since is passed over. Command loop only, between commands.</para>
/// </remarks>
public sealed unsafe class Eviction
{
    // Between two looks at the clock.
    private const int KeysPerClockRead = 16;

    // More samples at once would take too long, and more memory than a stack should give.
    private const int MaxSamples = 1024;

    private const long SpareBytes = 4 * 1024 * 1024;
    private const int SpareFraction = 16;

    // Data that exceed the limit by more than this part of it have mostly to go, and moving them first would be for nothing.
    private const int RunningFraction = 4;

    // Entries moved for one command, and slabs whose memory is given back: some ten microseconds.
    private const int EntriesPerCommand = 64;
    private const int SlabsPerCommand = 4;

    private const int EntriesPerClockRead = 256;
    private const long CronMicroseconds = 1000;

    // Looks between two requests to the C library that bring nothing: some minutes.
    private const int MaxTrimInterval = 2048;

    // So many times as long as counting the buffers took, the count is good enough.
    private const int BufferCountsValidity = 100;

    private readonly Keyspace _keyspace;
    private readonly NativeHeap _heap;
    private readonly EvictionPool _pool = new();
    private long _limitBytes;
    private EvictionOrder _order;
    private bool _onlyVolatile;
    private int _nextDatabase;
    private long _buffersDueAt;
    private bool _hasNothingToGain;
    private long _defragDueAtMs;
    private long _fragmentedSince;
    private long _fragmentedTicks;
    private long _exceededSince;
    private long _exceededTicks;
    private long _residentAtTrim;
    private int _trimInterval;
    private int _checksToTrim;

    internal Eviction(Keyspace keyspace)
    {
        _keyspace = keyspace;
        _heap = keyspace.Heap;
        Compaction = new Compaction(keyspace);
    }

    /// <summary>The limit in bytes (maxmemory); 0 for none. A lower one than what is used starts eviction.</summary>
    public long LimitBytes
    {
        get => _limitBytes;
        set
        {
            _limitBytes = value;
            _keyspace.ResizePolicy.Limit(value, value > 0 ? Fits : null);
            CountBuffersNow();
            IsRunning = value > 0 && _order != EvictionOrder.Nothing && CountedBytes() > value;
        }
    }

    /// <summary>Whether there is a limit.</summary>
    public bool IsOn => _limitBytes > 0;

    /// <summary>Which keys go first (maxmemory-policy).</summary>
    public EvictionOrder Order => _order;

    /// <summary>Keys looked at to find one to evict (maxmemory-samples).</summary>
    public int SampleCount { get; set; } = 5;

    /// <summary>From 0 to 100: how long removing keys may hold up a command (maxmemory-eviction-tenacity). Up to 10 it is 50 us
    /// each, then 15 % more with every step, and at 100 without end.</summary>
    public int Tenacity { get; set; } = 10;

    /// <summary>Free evicted values of many parts in the background (lazyfree-lazy-eviction).</summary>
    public bool Lazily { get; set; }

    /// <summary>Counts the bytes elsewhere that are under the limit too: the buffers of clients, and what they subscribe to
    /// and track. May be O(clients).</summary>
    public Func<long>? CountBuffers { get; set; }

    /// <summary>What was last counted of them. Over the limit they are counted again first, as often as a hundredth of the time
    /// allows: who has just disconnected shall cost nobody a key.</summary>
    public long BufferBytes { get; private set; }

    /// <summary>Whether time ran out before the limit was kept; <see cref="MakeRoom"/> should be called again soon.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>How long the store has been over its limit, now and before; in milliseconds.</summary>
    public long TotalExceededMs =>
        (long)TimeSpan.FromTicks(_exceededTicks).TotalMilliseconds + CurrentExceededMs;

    /// <summary>How long the store has been over its limit by now, in milliseconds; 0 while it is not.</summary>
    public long CurrentExceededMs => MillisecondsSince(_exceededSince);

    /// <summary>Entries and parts of values moved out of sparse slabs.</summary>
    public long MovedBlocks => Compaction.MovedEntries + Compaction.Parts.MovedBlocks;

    /// <summary>Blocks in such slabs that could not be moved.</summary>
    public long PassedBlocks => Compaction.PassedBlocks;

    /// <summary>The percentage of the time that goes into emptying slabs, without what commands do of it; 0 for none.</summary>
    public int CompactionEffort { get; private set; }

    /// <summary>How long there has been something to empty, now and before; in milliseconds.</summary>
    public long TotalFragmentedMs => (long)TimeSpan.FromTicks(_fragmentedTicks).TotalMilliseconds + CurrentFragmentedMs;

    /// <summary>How long there has been something to empty by now, in milliseconds; 0 while there is not.</summary>
    public long CurrentFragmentedMs => MillisecondsSince(_fragmentedSince);

    /// <summary>When slabs are emptied although memory is not short.</summary>
    public DefragOptions Defrag { get; set; }

    internal Compaction Compaction { get; }

    /// <summary>Chooses which keys go first, and among which.</summary>
    public void Choose(EvictionOrder order, bool onlyVolatile)
    {
        if (_order != order || _onlyVolatile != onlyVolatile)
        {
            _order = order;
            _onlyVolatile = onlyVolatile;
            _pool.Clear();
        }
    }

    /// <summary>Starts counting anew (CONFIG RESETSTAT).</summary>
    public void ResetStatistics()
    {
        _exceededTicks = 0;
        _exceededSince = 0;
        _fragmentedTicks = 0;
        _fragmentedSince = 0;
        Compaction.ResetStatistics();
    }

    /// <summary>Gets the store below its limit, as far as the time that tenacity allows goes.</summary>
    /// <remarks>Call it before each command while <see cref="IsOn"/>. O(1) below the limit. Where slabs are sparse, as much time
    /// again goes into emptying them, up to a millisecond.</remarks>
    public EvictionResult MakeRoom()
    {
        long used = CountedBytes();
        if (used > _limitBytes && CountBuffersIfDue())
        {
            used = CountedBytes();
        }

        EvictionResult result = used > _limitBytes ? Evict() : EvictionResult.Enough;
        if (_heap.HeldBytes + _heap.FreeSlabBytes > Ceiling && MayGiveBack(result))
        {
            GiveBack();
        }

        IsRunning = result == EvictionResult.Running;
        NoteTime(result != EvictionResult.Enough, ref _exceededSince, ref _exceededTicks);
        return result;
    }

    /// <summary>Counts the buffers of clients, for the cron among others. O(clients).</summary>
    public void CountBuffersNow()
    {
        BufferBytes = IsOn ? CountBuffers?.Invoke() ?? 0 : 0;
        _buffersDueAt = 0;
    }

    /// <summary>Looks whether more is resident than can be explained: then the C library, which has the large blocks, keeps
    /// what was freed between others, and has to give it back.</summary>
    /// <param name="residentBytes">Bytes of the process that are resident.</param>
    /// <param name="processBytes">Of these: what the process takes without any data, managed memory included.</param>
    /// <returns>Whether the library was asked to give something back.</returns>
    /// <remarks>For the cron. The work is done by the reclaimer. While it does not lower what is resident, it is asked for
    /// half as often each time.</remarks>
    public bool CheckResident(long residentBytes, long processBytes)
    {
        long unexplained = residentBytes - processBytes - _heap.HeldBytes - _heap.FreeSlabBytes - BufferBytes;
        if (!IsOn || residentBytes - processBytes <= Ceiling || unexplained <= ((_limitBytes / SpareFraction) + SpareBytes) / 4)
        {
            _trimInterval = 0;
            _checksToTrim = 0;
            return false;
        }

        if (_checksToTrim > 0)
        {
            _checksToTrim--;
            return false;
        }

        bool hasHelped = _trimInterval == 0 || residentBytes < _residentAtTrim - (SpareBytes / 4);
        _trimInterval = hasHelped ? 1 : Math.Min(_trimInterval * 2, MaxTrimInterval);
        _checksToTrim = _trimInterval;
        _residentAtTrim = residentBytes;
        _keyspace.Reclaimer.TrimLibrary();
        return true;
    }

    /// <summary>Gives all back that is free now, and empties sparse slabs until none is left (MEMORY PURGE).</summary>
    /// <remarks>O(entries in sparse slabs), and O(elements of all values) when many slabs of these are sparse; so not
    /// bounded.</remarks>
    public void Purge()
    {
        _heap.DrainRemoteFrees(int.MaxValue);
        while (Compaction.Step(EntriesPerClockRead))
        {
        }

        _heap.Purge();
    }

    /// <summary>Looks whether slabs have got sparse, and for how much of the time they are to be emptied.</summary>
    internal void Cron()
    {
        _hasNothingToGain = false;
        bool isShort = IsOn && _heap.HeldBytes - _heap.UsedBytes > (_heap.UsedBytes / SpareFraction / 2) + (SpareBytes / 2)
            && _heap.HeldBytes > _limitBytes - (_limitBytes / SpareFraction);
        CompactionEffort = Math.Max(isShort ? 1 : 0, Defrag.EffortFor(_heap.UsedBytes, _heap.HeldBytes));
        NoteTime(CompactionEffort > 0, ref _fragmentedSince, ref _fragmentedTicks);
        if (CompactionEffort == 0 && (_heap.HeldBytes <= Ceiling || !IsOn))
        {
            Compaction.Parts.GiveUp(); // Nobody would go on with a walk.
        }
    }

    /// <summary>Empties slabs for a moment, a millisecond at most, when it is time to.</summary>
    /// <param name="nowMs">Of a clock that only goes forward.</param>
    /// <returns>Milliseconds until it wants to be called again.</returns>
    /// <remarks>How often that is follows from <see cref="CompactionEffort"/>, which is looked at anew in each cron. Command
    /// loop only, between commands.</remarks>
    public long Compact(long nowMs)
    {
        if (CompactionEffort == 0)
        {
            return long.MaxValue;
        }

        if (nowMs >= _defragDueAtMs)
        {
            _defragDueAtMs = nowMs + (100 / CompactionEffort);
            if (!CompactForAMoment())
            {
                CompactionEffort = 0; // Until the next cron: there may be something then.
                return long.MaxValue;
            }
        }

        return _defragDueAtMs - nowMs;
    }

    // Returns whether there may be more to gain.
    private bool CompactForAMoment()
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            if (!Compaction.Step(EntriesPerClockRead))
            {
                return false;
            }
        }
        while (Stopwatch.GetElapsedTime(start).TotalMicroseconds < CronMicroseconds);
        return true;
    }

    private static long MillisecondsSince(long timestamp) =>
        timestamp == 0 ? 0 : (long)Stopwatch.GetElapsedTime(timestamp).TotalMilliseconds;

    private static void NoteTime(bool isSo, ref long since, ref long ticksBefore)
    {
        if (isSo)
        {
            since = since == 0 ? Stopwatch.GetTimestamp() : since;
        }
        else if (since != 0)
        {
            ticksBefore += Stopwatch.GetElapsedTime(since).Ticks;
            since = 0;
        }
    }

    private long Ceiling => _limitBytes + (_limitBytes / SpareFraction) + SpareBytes;

    private bool Fits(long bytes) => CountedBytes() + bytes <= _limitBytes;

    private long CountedBytes()
    {
        long bytes = _heap.UsedBytes + BufferBytes;
        return _keyspace.ResizePolicy.HasPutOff ? bytes + PlannedBytes() : bytes;
    }

    // Returns whether it did.
    private bool CountBuffersIfDue()
    {
        long start = Stopwatch.GetTimestamp();
        if (start < _buffersDueAt)
        {
            return false;
        }

        CountBuffersNow();
        long now = Stopwatch.GetTimestamp();
        _buffersDueAt = now + ((now - start) * BufferCountsValidity);
        return true;
    }

    private long PlannedBytes()
    {
        long bytes = 0;
        for (int i = 0; i < _keyspace.DatabaseCount; i++)
        {
            bytes += _keyspace[i].PlannedBytes;
        }

        _keyspace.ResizePolicy.HasPutOff = bytes > 0;
        return bytes;
    }

    // How long one call may remove keys, in microseconds: up to half a millisecond by default.
    private double TimeLimitMicroseconds() => Tenacity switch
    {
        <= 10 => 50 * Tenacity,
        < 100 => 500 * Math.Pow(1.15, Tenacity - 10),
        _ => double.MaxValue,
    };

    private EvictionResult Evict()
    {
        if (_order == EvictionOrder.Nothing)
        {
            return IsFreeing ? WaitForReclaimer() : EvictionResult.Failed;
        }

        long start = Stopwatch.GetTimestamp();
        int evicted = 0;
        do
        {
            if (IsFreeing && CountedBytes() < _limitBytes + (_limitBytes / SpareFraction))
            {
                return WaitForReclaimer(); // What is on its way back may be enough.
            }

            if (!TryEvictOne())
            {
                return WaitForReclaimer();
            }

            if (++evicted % KeysPerClockRead == 0)
            {
                _heap.DrainRemoteFrees(KeysPerClockRead);
                if (Stopwatch.GetElapsedTime(start).TotalMicroseconds > TimeLimitMicroseconds())
                {
                    return CountedBytes() > _limitBytes ? EvictionResult.Running : EvictionResult.Enough;
                }
            }
        }
        while (CountedBytes() > _limitBytes);
        return EvictionResult.Enough;
    }

    private bool IsFreeing => _keyspace.Reclaimer.IsBusy || _heap.HasRemoteFrees;

    // Nothing is left to remove, but memory may be on its way back.
    private EvictionResult WaitForReclaimer()
    {
        long start = Stopwatch.GetTimestamp();
        double limit = Math.Min(TimeLimitMicroseconds(), CronMicroseconds);
        while (true)
        {
            bool isBusy = _keyspace.Reclaimer.IsBusy;
            _heap.DrainRemoteFrees(int.MaxValue);
            if (CountedBytes() <= _limitBytes)
            {
                return EvictionResult.Enough;
            }

            if (!isBusy)
            {
                return _order == EvictionOrder.Nothing || !CanEvict() ? EvictionResult.Failed : EvictionResult.Running;
            }

            if (Stopwatch.GetElapsedTime(start).TotalMicroseconds > limit)
            {
                return EvictionResult.Running;
            }

            Thread.Yield();
        }
    }

    private bool CanEvict()
    {
        for (int i = 0; i < _keyspace.DatabaseCount; i++)
        {
            if (CandidatesIn(_keyspace[i]) > 0)
            {
                return true;
            }
        }

        return false;
    }

    // Also when time has run out, since one long value may be as many short keys as fit into it, time after time; but not for what
    // is on its way back, and not after a much lower limit was set.
    private bool MayGiveBack(EvictionResult result) =>
        result == EvictionResult.Enough
        || (result == EvictionResult.Running && !IsFreeing && CountedBytes() <= _limitBytes + (_limitBytes / RunningFraction));

    // What holds the data is not within the limit. One step for each command keeps pace while sizes drift; where
    // they jump it goes on for a moment, for as long as there is something to move or to give back.
    private void GiveBack()
    {
        long start = Stopwatch.GetTimestamp();
        double limit = Math.Min(TimeLimitMicroseconds(), CronMicroseconds);
        bool helps = GiveBackSome();
        if (_hasNothingToGain && _heap.HeldBytes > Ceiling && _order != EvictionOrder.Nothing && !IsFreeing)
        {
            TryEvictOne(); // Fragments of large values: these have to go for it, and no more than one for each command.
        }

        while (helps
            && _heap.HeldBytes + _heap.FreeSlabBytes > Ceiling + (_limitBytes / SpareFraction / 4)
            && Stopwatch.GetElapsedTime(start).TotalMicroseconds < limit)
        {
            helps = GiveBackSome();
        }
    }

    // Returns whether it was of any use.
    private bool GiveBackSome()
    {
        bool helps = false;
        if (_heap.HeldBytes > Ceiling)
        {
            _heap.DrainRemoteFrees(KeysPerClockRead);
        }

        if (_heap.HeldBytes > Ceiling && !_hasNothingToGain)
        {
            _hasNothingToGain = !Compaction.Step(EntriesPerCommand);
            helps = !_hasNothingToGain;
        }

        return _heap.HeldBytes + _heap.FreeSlabBytes > Ceiling
            ? _heap.DiscardFreeSlabs(SlabsPerCommand, SlabsPerCommand) > 0 || helps
            : helps;
    }

    private long CandidatesIn(Database database) => _onlyVolatile ? database.ExpireCount : database.Count;

    private bool TryEvictOne() => _order == EvictionOrder.Random ? TryEvictAny() : TryEvictBest();

    private bool TryEvictAny()
    {
        for (int i = 0; i < _keyspace.DatabaseCount; i++)
        {
            // One database after the other has its turn, else those in front would lose all.
            _nextDatabase = (_nextDatabase + 1) % _keyspace.DatabaseCount;
            Database database = _keyspace[_nextDatabase];
            if (CandidatesIn(database) > 0)
            {
                database.Evict(database.FindRandom(_onlyVolatile), Lazily);
                return true;
            }
        }

        return false;
    }

    private bool TryEvictBest()
    {
        while (true)
        {
            bool isEmpty = true;
            for (int i = 0; i < _keyspace.DatabaseCount; i++)
            {
                if (CandidatesIn(_keyspace[i]) > 0)
                {
                    isEmpty = false;
                    OfferSample(_keyspace[i]);
                }
            }

            if (isEmpty)
            {
                return false;
            }

            while (_pool.TryTake(out byte* block, out uint hash, out Database database, out ulong score))
            {
                if (database.Holds(block, hash)
                    && (!_onlyVolatile || EntryBlock.ExpireAtOf(block) != Database.NoExpiry)
                    && ScoreOf(block) >= score)
                {
                    database.Evict(block, Lazily);
                    return true;
                }
            }
        }
    }

    private void OfferSample(Database database)
    {
        int wanted = Math.Min(SampleCount, MaxSamples);
        byte** blocks = stackalloc byte*[wanted];
        int count = database.Sample(blocks, wanted, _onlyVolatile);
        for (int i = 0; i < count; i++)
        {
            _pool.Offer(blocks[i], EntryLink.Hash(blocks[i]), database, ScoreOf(blocks[i]));
        }
    }

    // The higher, the sooner an entry should go.
    private ulong ScoreOf(byte* block) => _order switch
    {
        EvictionOrder.LeastRecent => (ulong)_keyspace.IdleTimeMs(EntryBlock.ClockOf(block)),
        EvictionOrder.LeastFrequent => (ulong)(255 - _keyspace.DecayedFrequency(EntryBlock.ClockOf(block))),
        _ => ulong.MaxValue - (ulong)EntryBlock.ExpireAtOf(block),
    };
}
