namespace KvServer.Storage;

/// <content>Moving a dict's own blocks out of slabs that are to be emptied.</content>
public readonly unsafe partial struct Dict<TLayout>
{
    /// <summary>Moves the bucket arrays, where they come from slabs.</summary>
    /// <exception cref="OutOfMemoryException">The other array may have moved.</exception>
    /// <remarks>O(buckets) of small tables. Nobody may hold a place in them by its address.</remarks>
    internal void MoveTables(ref MoveBudget budget)
    {
        MoveTable(ref _state->Table0, ref budget);
        MoveTable(ref _state->Table1, ref budget);
    }

    private void MoveTable(ref DictTable table, ref MoveBudget budget)
    {
        if (table.Buckets == null || BytesOf(table) > NativeHeap.SmallTableBytes)
        {
            return;
        }

        byte* moved = _runtime.Heap.CopyOut((byte*)table.Buckets, BytesOf(table), HeapTag.Table, ref budget);
        if (moved != null)
        {
            _runtime.Heap.Free((byte*)table.Buckets, BytesOf(table), HeapTag.Table);
            table.Buckets = (byte**)moved;
        }
    }
}
