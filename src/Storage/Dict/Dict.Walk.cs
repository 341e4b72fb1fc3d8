
namespace KvServer.Storage;

/// <content>Walking over entries: everything, by cursor, and at random.</content>
public readonly unsafe partial struct Dict<TLayout>
{
    // Entries sampled for a fair random choice.
    private const int FairSampleSize = 15;

    /// <summary>Visits every entry once; the action may take out the entry it is given.</summary>
    /// <remarks>O(entries + buckets). Rehash is paused meanwhile.</remarks>
    public void ForEach<TContext, TState, TAction>(TContext context, ref TState state)
        where TAction : struct, IEntryAction<TContext, TState>
        where TState : allows ref struct
    {
        PauseRehash();
        try
        {
            for (int i = 0; i < 2; i++)
            {
                ref DictTable table = ref i == 0 ? ref _state->Table0 : ref _state->Table1;
                for (long bucket = 0; bucket < table.BucketCount; bucket++)
                {
                    VisitBucket<TContext, TState, TAction>(ref table, (ulong)bucket, context, ref state);
                }
            }
        }
        finally
        {
            ResumeRehash();
        }
    }

    /// <summary>Visits the entries at a cursor and returns the next one; 0 starts and 0 ends.</summary>
    /// <remarks>
    /// The cursor counts with its highest bit first. When a table doubles, the bucket b splits into b and b + n, which
    /// the reversed order visits one after the other; so whatever resizes happen between two calls, what has been
    /// visited stays visited. An entry that is present throughout is returned at least once, perhaps more than once
    /// after a shrink. During a rehash the bucket of the smaller table is visited with all buckets of the larger one
    /// that it splits into. O(entries visited).
    /// </remarks>
    public ulong Scan<TContext, TState, TAction>(ulong cursor, TContext context, ref TState state)
        where TAction : struct, IEntryAction<TContext, TState>
        where TState : allows ref struct
    {
        if (Count == 0)
        {
            return 0;
        }

        PauseRehash();
        try
        {
            if (!IsRehashing)
            {
                ulong mask = _state->Table0.Mask;
                VisitBucket<TContext, TState, TAction>(ref _state->Table0, cursor & mask, context, ref state);
                return NextCursor(cursor, mask);
            }

            bool grows = _state->Table0.BucketCount <= _state->Table1.BucketCount;
            ref DictTable small = ref grows ? ref _state->Table0 : ref _state->Table1;
            ref DictTable large = ref grows ? ref _state->Table1 : ref _state->Table0;
            ulong smallMask = small.Mask;
            ulong largeMask = large.Mask;
            VisitBucket<TContext, TState, TAction>(ref small, cursor & smallMask, context, ref state);
            do
            {
                VisitBucket<TContext, TState, TAction>(ref large, cursor & largeMask, context, ref state);
                cursor = NextCursor(cursor, largeMask);
            }
            while ((cursor & (smallMask ^ largeMask)) != 0);
            return cursor;
        }
        finally
        {
            ResumeRehash();
        }
    }

    /// <summary>Chooses an entry at random: a random bucket, then a random place in its chain.</summary>
    /// <returns>An entry, or null if there is none.</returns>
    /// <remarks>Entries in short chains are chosen more often; see <see cref="FindFairRandom"/>.</remarks>
    public byte* FindRandom(Random random)
    {
        if (Count == 0)
        {
            return null;
        }

        if (IsRehashing)
        {
            StepForCommand();
        }

        long size0 = _state->Table0.BucketCount;
        byte* first;
        do
        {
            if (IsRehashing)
            {
                // Buckets before the rehash index are empty in table 0.
                long moved = _state->RehashIndex;
                long at = moved + random.NextInt64(size0 + _state->Table1.BucketCount - moved);
                first = at >= size0 ? _state->Table1.Buckets[at - size0] : _state->Table0.Buckets[at];
            }
            else
            {
                first = _state->Table0.Buckets[random.NextInt64(size0)];
            }
        }
        while (first == null);

        int length = 0;
        for (byte* entry = first; entry != null; entry = EntryLink.Next(entry))
        {
            length++;
        }

        for (int steps = random.Next(length); steps > 0; steps--)
        {
            first = EntryLink.Next(first);
        }

        return first;
    }

    /// <summary>Chooses an entry at random, nearly uniformly: one of fifteen neighbours.</summary>
    public byte* FindFairRandom(Random random)
    {
        byte** sample = stackalloc byte*[FairSampleSize];
        int count = Sample(random, sample, FairSampleSize);
        return count == 0 ? FindRandom(random) : sample[random.Next(count)];
    }

    /// <summary>Fetches some entries that lie next to each other at a random place; may repeat none, may be fewer.</summary>
    /// <param name="random">Where to start.</param>
    /// <param name="entries">Room for <paramref name="wanted"/> entries.</param>
    /// <param name="wanted">How many to fetch; fewer come when the buckets there are mostly empty.</param>
    /// <remarks>O(wanted): visits at most ten buckets per entry wanted.</remarks>
    public int Sample(Random random, byte** entries, int wanted)
    {
        wanted = (int)Math.Min(wanted, Count);
        if (wanted == 0)
        {
            return 0;
        }

        for (int i = 0; i < wanted && IsRehashing; i++)
        {
            StepForCommand();
        }

        // First the buckets, so that the processor fetches all entries from memory at once instead of one after the other.
        byte** chains = stackalloc byte*[wanted];
        int found = FindChains(random, chains, wanted);
        int count = 0;
        for (int i = 0; i < found && count < wanted; i++)
        {
            for (byte* entry = chains[i]; entry != null && count < wanted; entry = EntryLink.Next(entry))
            {
                entries[count++] = entry;
            }
        }

        return count;
    }

    // Buckets in use that lie next to each other, of both tables in a rehash.
    private int FindChains(Random random, byte** chains, int wanted)
    {
        int tables = IsRehashing ? 2 : 1;
        ulong mask = Math.Max(_state->Table0.Mask, _state->Table1.Mask);
        ulong at = (ulong)random.NextInt64() & mask;
        int emptyInRow = 0;
        int found = 0;
        for (int steps = wanted * 10; steps > 0 && found < wanted; steps--)
        {
            for (int i = 0; i < tables; i++)
            {
                if (tables == 2 && i == 0 && (long)at < _state->RehashIndex)
                {
                    // Moved already. Where table 1 is smaller, nothing is left to see before the rehash index.
                    if ((long)at >= _state->Table1.BucketCount)
                    {
                        at = (ulong)_state->RehashIndex;
                    }
                    else
                    {
                        continue;
                    }
                }

                ref DictTable table = ref i == 0 ? ref _state->Table0 : ref _state->Table1;
                if ((long)at >= table.BucketCount)
                {
                    continue;
                }

                byte* entry = table.Buckets[at];
                if (entry == null)
                {
                    emptyInRow++;
                    if (emptyInRow >= 5 && emptyInRow > wanted)
                    {
                        at = (ulong)random.NextInt64() & mask;
                        emptyInRow = 0;
                    }

                    continue;
                }

                emptyInRow = 0;
                if (found < wanted)
                {
                    Prefetch(entry);
                    chains[found++] = entry;
                }
            }

            at = (at + 1) & mask;
        }

        return found;
    }

    /// <summary>The cursor that follows, for a table with this mask.</summary>
    internal static ulong NextCursor(ulong cursor, ulong mask)
    {
        // Set the bits above the mask, so that the carry of the reversed increment starts at the mask's highest bit.
        cursor = Reverse(cursor | ~mask);
        return Reverse(cursor + 1);
    }

    private static ulong Reverse(ulong value)
    {
        value = ((value >> 1) & 0x5555_5555_5555_5555) | ((value & 0x5555_5555_5555_5555) << 1);
        value = ((value >> 2) & 0x3333_3333_3333_3333) | ((value & 0x3333_3333_3333_3333) << 2);
        value = ((value >> 4) & 0x0F0F_0F0F_0F0F_0F0F) | ((value & 0x0F0F_0F0F_0F0F_0F0F) << 4);
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
    }

    private static void VisitBucket<TContext, TState, TAction>(
        ref DictTable table, ulong bucket, TContext context, ref TState state)
        where TAction : struct, IEntryAction<TContext, TState>
        where TState : allows ref struct
    {
        byte* entry = table.Buckets[bucket];
        while (entry != null)
        {
            byte* next = EntryLink.Next(entry); // Now: the action may free the entry.
            TAction.Visit(context, ref state, entry);
            entry = next;
        }
    }
}
