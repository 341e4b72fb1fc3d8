using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <content>Choosing sizes, and moving buckets from table 0 to table 1.</content>
public readonly unsafe partial struct Dict<TLayout>
{
    // The cron looks at the clock after this many buckets.
    private const int BucketsPerClockRead = 100;

    /// <summary>Moves buckets from table 0 to table 1 while a rehash is under way.</summary>
    /// <param name="bucketCount">Non-empty buckets to move, at least 1; up to ten empty ones are skipped for each.</param>
    /// <returns><see langword="true"/> while table 0 still holds entries.</returns>
    /// <remarks>O(entries moved), never O(table size). Does nothing while an iterator or a scan is open.</remarks>
    public bool RehashStep(int bucketCount)
    {
        DictState* state = _state;
        if (state->RehashIndex < 0)
        {
            return false;
        }

        if (state->PauseCount > 0)
        {
            return true;
        }

        int emptyLeft = bucketCount * EmptyBucketsPerStep;
        ref DictTable from = ref state->Table0;
        ref DictTable to = ref state->Table1;
        while (bucketCount-- > 0 && from.Used > 0)
        {
            Debug.Assert((ulong)state->RehashIndex <= from.Mask, "entries are left, so a bucket is");
            while (from.Buckets[state->RehashIndex] == null)
            {
                state->RehashIndex++;
                if (--emptyLeft == 0)
                {
                    return true;
                }
            }

            byte* entry = from.Buckets[state->RehashIndex];
            from.Buckets[state->RehashIndex] = null;
            while (entry != null)
            {
                byte* next = EntryLink.Next(entry);
                byte** bucket = to.Buckets + (EntryLink.Hash(entry) & to.Mask);
                EntryLink.SetNext(entry, *bucket);
                *bucket = entry;
                from.Used--;
                to.Used++;
                entry = next;
            }

            state->RehashIndex++;
        }

        if (from.Used > 0)
        {
            // What the next step will read is known now, so it need not wait for memory then.
            if ((ulong)state->RehashIndex <= from.Mask)
            {
                Prefetch(from.Buckets[state->RehashIndex]);
            }

            return true;
        }

        FinishRehash();
        return false;
    }

    /// <summary>Moves buckets until a deadline; for the cron.</summary>
    /// <param name="deadline">A value of <see cref="Stopwatch.GetTimestamp"/>.</param>
    /// <returns>The number of buckets asked to move.</returns>
    public long RehashUntil(long deadline)
    {
        long steps = 0;
        if (_state->PauseCount > 0)
        {
            return 0;
        }

        while (IsRehashing)
        {
            steps += BucketsPerClockRead;
            if (!RehashStep(BucketsPerClockRead) || Stopwatch.GetTimestamp() >= deadline)
            {
                break;
            }
        }

        _runtime.Statistics.StepsByCron += steps;
        return steps;
    }

    /// <summary>Whether less than a tenth of the buckets is filled.</summary>
    public bool WantsShrink
    {
        get
        {
            long buckets = _state->Table0.BucketCount;
            return buckets > InitialBucketCount && Count * 100 / buckets < 10;
        }
    }

    /// <summary>Begins to shrink to the first size that holds the entries, if less than a tenth is filled.</summary>
    /// <returns>Whether a rehash has begun.</returns>
    public bool TryShrink()
    {
        if (!WantsShrink || IsRehashing)
        {
            return false;
        }

        if (!_runtime.Policy.Allowed)
        {
            _runtime.Statistics.ResizesRefused++;
            return false;
        }

        return TryResize(Math.Max(Count, InitialBucketCount));
    }

    /// <summary>Begins to expand so that <paramref name="capacity"/> entries fit; for a size known beforehand.</summary>
    /// <returns>Whether there is room now or soon; <see langword="false"/> when a rehash is under way already.</returns>
    public bool TryExpand(long capacity) =>
        !IsRehashing && Count <= capacity && (BucketCountOf(0) >= capacity || TryResize(capacity));

    /// <summary>Makes the first table if there is none, so that the next <see cref="Add"/> cannot fail.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public void EnsureTable()
    {
        if (_state->Table0.Buckets == null)
        {
            const nuint Bytes = InitialBucketCount * 8;
            _state->Table0.Buckets = (byte**)_runtime.Heap.AllocateTable(Bytes);
            _state->Table0.Mask = InitialBucketCount - 1;
            _runtime.Statistics.ResizesDone++;
        }
    }

    /// <summary>Keeps buckets where they are until <see cref="ResumeRehash"/>; calls nest.</summary>
    public void PauseRehash() => _state->PauseCount++;

    /// <summary>Ends what <see cref="PauseRehash"/> began.</summary>
    public void ResumeRehash()
    {
        Debug.Assert(_state->PauseCount > 0, "every resume has its pause");
        _state->PauseCount--;
    }

    private static long BucketCountFor(long capacity) =>
        Math.Max(InitialBucketCount, (long)BitOperations.RoundUpToPowerOf2((ulong)capacity));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void StepForCommand()
    {
        if (_state->PauseCount == 0)
        {
            _runtime.Statistics.StepsByCommands++;
            RehashStep(1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ExpandIfNeeded()
    {
        ref DictTable table = ref _state->Table0;
        if (table.Buckets == null)
        {
            EnsureTable();
            return;
        }

        bool forced = false;

        // Under a limit growth may have been put off; twice the buckets have to do then.
        long capacity = _runtime.Policy.IsMemoryLimited ? table.Used + 1 : table.Used * 2;
        if (!_runtime.Policy.Allowed)
        {
            forced = table.Used / table.BucketCount > ResizePolicy.ForcedRatio;
            if (!forced)
            {
                _runtime.Statistics.ResizesRefused++;
                return;
            }
        }
        else if (!_runtime.Policy.HasMemoryFor(BucketCountFor(capacity) * sizeof(byte*)))
        {
            if (table.Used < table.BucketCount * ResizePolicy.PutOffRatio)
            {
                _runtime.Statistics.ResizesPutOff++;
                return;
            }
        }

        if (TryResize(capacity) && forced)
        {
            _runtime.Statistics.ResizesForced++;
        }
    }

    /// <summary>How much of the next table's memory is due by now, while growth is put off because there is no room for it
    /// under the limit.</summary>
    /// <remarks>
    /// It comes due with the entries between the two ratios of <see cref="ResizePolicy"/>. So what has to go for the table
    /// goes key by key before it is there, and not all at once when it is. O(1).
    /// </remarks>
    public long PlannedBytes
    {
        get
        {
            ref DictTable table = ref _state->Table0;
            if (IsRehashing || table.Buckets == null || !_runtime.Policy.IsMemoryLimited)
            {
                return 0;
            }

            long bytes = 2 * (long)BytesOf(table);
            double ratio = (double)table.Used / table.BucketCount;
            double due = (ratio - ResizePolicy.PlanningRatio) / (ResizePolicy.PutOffRatio - ResizePolicy.PlanningRatio);
            return bytes <= _runtime.Policy.SmallTableBytes ? 0 : (long)(Math.Clamp(due, 0, 1) * bytes);
        }
    }

    // A shrink passes millions of empty buckets ten at a time. Entries added meanwhile would pile up in the few buckets
    // of table 1, so the larger table serves again and what is in the smaller one moves back.
    private void TurnBackIfCrowded()
    {
        DictState* state = _state;
        if (state->Table1.Used >= state->Table1.BucketCount && state->Table1.Mask < state->Table0.Mask)
        {
            (state->Table0, state->Table1) = (state->Table1, state->Table0);
            state->RehashIndex = 0;
            state->Generation++;
        }
    }

    private bool TryResize(long capacity)
    {
        long buckets = BucketCountFor(capacity);
        if (buckets == _state->Table0.BucketCount || buckets > MaxBucketCount)
        {
            return false;
        }

        byte** table;
        try
        {
            table = (byte**)_runtime.Heap.AllocateTable((nuint)buckets * (nuint)sizeof(byte*));
        }
        catch (OutOfMemoryException)
        {
            _runtime.Statistics.ResizesFailed++;
            return false;
        }

        _runtime.Statistics.ResizesDone++;
        ref DictTable target = ref _state->Table0.Buckets == null ? ref _state->Table0 : ref _state->Table1;
        target.Buckets = table;
        target.Mask = (ulong)buckets - 1;
        target.Used = 0;
        if (_state->Table1.Buckets != null)
        {
            _state->RehashIndex = 0;
        }

        return true;
    }

    private void FinishRehash()
    {
        DictState* state = _state;
        byte** old = state->Table0.Buckets;
        nuint oldBytes = BytesOf(state->Table0);
        state->Table0 = state->Table1;
        state->Table1 = default;
        state->RehashIndex = -1;
        state->Generation++;
        if (oldBytes >= LargeTableBytes && _runtime.Reclaimer is { } reclaimer)
        {
            reclaimer.FreeTable((byte*)old, oldBytes);
            return;
        }

        _runtime.Heap.FreeTable((byte*)old, oldBytes, FreeFrom.CommandLoop);
    }
}
