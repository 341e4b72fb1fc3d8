namespace KvServer.Storage;

/// <summary>The collections of one type whose elements have a layout and that own nothing beside them.</summary>
internal unsafe class DictCollection<TLayout>(SnapshotRecordKind recordKind) : DictCollection
    where TLayout : struct, IElementLayout
{
    /// <inheritdoc/>
    public override SnapshotRecordKind RecordKind => recordKind;

    /// <inheritdoc/>
    public override void Free(NativeHeap heap, DictState* state, FreeFrom from) =>
        Dict<TLayout>.FreeAll(heap, state, from);

    /// <inheritdoc/>
    public override DictState* Copy(DictRuntime runtime, DictState* source)
    {
        Dict<TLayout> copy = Dict<TLayout>.Create(runtime);
        try
        {
            copy.TryExpand(CountOf(source));
            copy.EnsureTable();
            new Dict<TLayout>(source, runtime).ForEach<DictRuntime, Dict<TLayout>, CopyElement>(runtime, ref copy);
        }
        catch (OutOfMemoryException)
        {
            Free(runtime.Heap, copy.State, FreeFrom.CommandLoop);
            throw;
        }

        return copy.State;
    }

    /// <inheritdoc/>
    public override long BytesOf(DictState* state, long sampleSize)
    {
        long tables = ((state->Table0.BucketCount + state->Table1.BucketCount) * sizeof(byte*)) + TLayout.StateBytes;
        long count = CountOf(state);
        long limit = sampleSize == 0 ? long.MaxValue : sampleSize;
        long seen = 0;
        long bytes = 0;
        for (int i = 0; i < 2; i++)
        {
            ref DictTable table = ref i == 0 ? ref state->Table0 : ref state->Table1;
            for (long bucket = 0; bucket < table.BucketCount && seen < limit; bucket++)
            {
                for (byte* entry = table.Buckets[bucket]; entry != null && seen < limit; entry = EntryLink.Next(entry))
                {
                    bytes += (long)NativeHeap.UsableSize(TLayout.BlockBytesOf(entry));
                    seen++;
                }
            }
        }

        return tables + (seen == 0 ? 0 : (long)((double)bytes / seen * count));
    }

    /// <inheritdoc/>
    public override ulong MoveParts(DictRuntime runtime, ref DictState* state, ulong cursor, ref MoveBudget budget)
    {
        if (cursor == 0)
        {
            MoveState(runtime.Heap, ref state, ref budget);
            new Dict<TLayout>(state, runtime).MoveTables(ref budget);
        }

        budget.CountLook();
        return new Dict<TLayout>(state, runtime).Scan<Owner, MoveBudget, MoveElement>(
            cursor, new Owner(this, runtime, (nint)state), ref budget);
    }

    /// <summary>Lets everything that points to an element point to its copy.</summary>
    protected virtual void Replace(DictRuntime runtime, DictState* state, byte* element, byte* copy) =>
        new Dict<TLayout>(state, runtime).Replace(element, copy);

    // Only the key's entry points to it.
    private static void MoveState(NativeHeap heap, ref DictState* state, ref MoveBudget budget)
    {
        byte* moved = heap.CopyOut((byte*)state, (nuint)TLayout.StateBytes, HeapTag.State, ref budget);
        if (moved != null)
        {
            heap.Free((byte*)state, (nuint)TLayout.StateBytes, HeapTag.State);
            state = (DictState*)moved;
        }
    }

    /// <inheritdoc/>
    public override long ChainBytes(byte* chain)
    {
        long bytes = 0;
        for (; chain != null; chain = EntryLink.Next(chain))
        {
            bytes += (long)TLayout.BlockBytesOf(chain);
        }

        return bytes;
    }

    /// <inheritdoc/>
    public override void HandOver(SnapshotRecordWriter writer, byte* element) => TLayout.HandOver(writer, element);

    /// <inheritdoc/>
    public override int HandOverChain(SnapshotRecordWriter writer, byte* chain, bool mark)
    {
        int count = 0;
        for (; chain != null; chain = EntryLink.Next(chain))
        {
            if (ElementMark.IsSet(chain) == mark)
            {
                ElementMark.Flip(chain);
                TLayout.HandOver(writer, chain);
                count++;
            }
        }

        return count;
    }

    /// <inheritdoc/>
    public override void Describe(DictRuntime runtime, DictState* state, System.Text.StringBuilder text) =>
        new Dict<TLayout>(state, runtime).Describe(text);

    private readonly record struct Owner(DictCollection<TLayout> Collection, DictRuntime Runtime, nint State);

    private readonly struct MoveElement : IEntryAction<Owner, MoveBudget>
    {
        public static void Visit(Owner context, ref MoveBudget state, byte* entry)
        {
            nuint bytes = TLayout.BlockBytesOf(entry);
            byte* copy = context.Runtime.Heap.CopyOut(entry, bytes, HeapTag.Member, ref state);
            if (copy != null)
            {
                context.Collection.Replace(context.Runtime, (DictState*)context.State, entry, copy);
                context.Runtime.Heap.Free(entry, bytes, HeapTag.Member);
            }
        }
    }

    private readonly struct CopyElement : IEntryAction<DictRuntime, Dict<TLayout>>
    {
        public static void Visit(DictRuntime context, ref Dict<TLayout> state, byte* entry) =>
            state.Add(TLayout.Copy(context, entry));
    }
}
