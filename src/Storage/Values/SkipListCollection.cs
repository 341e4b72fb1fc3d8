namespace KvServer.Storage;

/// <summary>Sorted sets that are skip lists, as the rest of the store sees them.</summary>
internal sealed unsafe class SkipListCollection() : DictCollection<SortedMemberLayout>(SnapshotRecordKind.SortedSet)
{
    /// <inheritdoc/>
    public override DictState* Copy(DictRuntime runtime, DictState* source)
    {
        SkipList from = new((SkipListState*)source, runtime);
        SkipList copy = SkipList.Create(runtime);
        SkipListBuilder builder = new(copy.State);
        try
        {
            copy.Dict.TryExpand(from.Count);
            copy.Dict.EnsureTable();
            for (byte* node = from.First; node != null; node = SkipList.NextOf(node))
            {
                byte* own = SortedMemberLayout.Copy(runtime, node);
                builder.Append(own);
                copy.Dict.Add(own);
            }
        }
        catch (OutOfMemoryException)
        {
            SkipList.FreeAll(runtime.Heap, copy.State, FreeFrom.CommandLoop);
            throw;
        }

        builder.Finish();
        return &copy.State->Dict;
    }

    /// <inheritdoc/>
    protected override void Replace(DictRuntime runtime, DictState* state, byte* element, byte* copy) =>
        new SkipList((SkipListState*)state, runtime).Replace(element, copy);
}
