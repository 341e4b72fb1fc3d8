namespace KvServer.Storage;

/// <summary>Hashes that are dicts: beside their fields they own what keeps track of those that expire.</summary>
internal sealed unsafe class HashCollection() : DictCollection<FieldLayout>(SnapshotRecordKind.Hash)
{
    /// <inheritdoc/>
    public override void Free(NativeHeap heap, DictState* state, FreeFrom from)
    {
        FieldExpiry* expiry = ((HashState*)state)->Expiry;
        if (expiry != null)
        {
            FieldExpiry.Free(heap, expiry, from);
        }

        base.Free(heap, state, from);
    }

    /// <inheritdoc/>
    public override DictState* Copy(DictRuntime runtime, DictState* source)
    {
        DictState* copy = base.Copy(runtime, source);
        FieldExpiry* expiry = ((HashState*)source)->Expiry;
        if (expiry == null)
        {
            return copy;
        }

        try
        {
            FieldExpiry* copied = FieldExpiry.Create(runtime.Heap);
            ((HashState*)copy)->Expiry = copied;
            copied->Fields.EnsureRoom(runtime.Heap, expiry->Fields.Count);
            nint at = (nint)copied;
            new Dict<FieldLayout>(copy, runtime).ForEach<int, nint, QueueField>(0, ref at);
        }
        catch (OutOfMemoryException)
        {
            Free(runtime.Heap, copy, FreeFrom.CommandLoop);
            throw;
        }

        return copy;
    }

    /// <inheritdoc/>
    public override long BytesOf(DictState* state, long sampleSize)
    {
        FieldExpiry* expiry = ((HashState*)state)->Expiry;
        return base.BytesOf(state, sampleSize)
            + (expiry == null ? 0 : (long)NativeHeap.UsableSize((nuint)sizeof(FieldExpiry)) + expiry->Fields.Bytes);
    }

    /// <inheritdoc/>
    public override long FirstExpiryMsOf(DictState* state)
    {
        FieldExpiry* expiry = ((HashState*)state)->Expiry;
        return expiry == null ? Database.NoExpiry : FieldLayout.DueAt(expiry->Fields.First);
    }

    /// <inheritdoc/>
    protected override void Replace(DictRuntime runtime, DictState* state, byte* element, byte* copy)
    {
        if (FieldLayout.HasExpiry(element))
        {
            ((HashState*)state)->Expiry->Fields.Replace(element, copy);
        }

        base.Replace(runtime, state, element, copy);
    }

    private readonly struct QueueField : IEntryAction<int, nint>
    {
        public static void Visit(int context, ref nint state, byte* entry)
        {
            if (FieldLayout.HasExpiry(entry))
            {
                ((FieldExpiry*)state)->Fields.Add(entry);
            }
        }
    }
}
