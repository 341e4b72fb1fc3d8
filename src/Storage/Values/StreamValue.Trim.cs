namespace KvServer.Storage;

/// <content>Trimming: removing the first entries.</content>
public unsafe ref partial struct StreamValue
{
    /// <summary>Removes the first entries until no more than some are left (MAXLEN).</summary>
    /// <param name="maxLength">How many may stay, at least 0.</param>
    /// <param name="approximate">Remove whole nodes only.</param>
    /// <param name="limit">Stop before a node with which more would have been removed; 0 for no limit.</param>
    /// <returns>How many were removed.</returns>
    /// <remarks>O(nodes removed). All or nothing: what could fail comes before the first change.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly long TrimToLength(long maxLength, bool approximate, long limit) =>
        Trim(maxLength, null, approximate, limit);

    /// <summary>Removes the entries whose id is less than one (MINID).</summary>
    /// <param name="minId">The smallest id that may stay.</param>
    /// <param name="approximate">Remove whole nodes only.</param>
    /// <param name="limit">Stop before a node with which more would have been removed; 0 for no limit.</param>
    /// <returns>How many were removed.</returns>
    /// <remarks>As <see cref="TrimToLength"/>.</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly long TrimBefore(StreamId minId, bool approximate, long limit) => Trim(0, minId, approximate, limit);

    private readonly long Trim(long maxLength, StreamId? minId, bool approximate, long limit)
    {
        StreamTreePath path = default;
        long removed = 0;
        long nodes = 0;
        long partly = 0;
        bool isThere = Entries.SeekEnd(first: true, ref path);
        while (isThere && (minId is not null || _state->Length - removed > maxLength))
        {
            StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref path);
            PackedList list = StreamNode.ListOf(slot->Node);
            long count = StreamNode.CountOf(list);
            if (limit > 0 && removed + count > limit)
            {
                break;
            }

            bool isWhole = minId is { } id ? LastIdOf(list, slot->Id) < id : _state->Length - removed - count >= maxLength;
            if (!isWhole)
            {
                partly = approximate ? 0 : CountFirst(list, slot->Id, _state->Length - removed - maxLength, minId);
                if (partly < count)
                {
                    break;
                }

                // Nothing but deleted entries would be left of it.
                partly = 0;
            }

            removed += count;
            nodes++;
            isThere = StreamNodeTree.Step(ref path, forward: true);
        }

        if (removed + partly == 0)
        {
            return 0;
        }

        BeforeChange();
        if (isThere)
        {
            RemoveBefore(ref path, partly);
        }
        else
        {
            Entries.Clear();
        }

        _state->Length -= removed + partly;
        _state->NodeCount -= nodes;
        FindFirstId();
        return removed + partly;
    }

    private static StreamId LastIdOf(PackedList list, StreamId id)
    {
        StreamNodeCursor cursor = new(list, id);
        cursor.MovePrevious();
        return cursor.Id;
    }

    // How many of a node's first entries go: so many, or those before an id.
    private static long CountFirst(PackedList list, StreamId id, long surplus, StreamId? minId)
    {
        if (minId is not { } end)
        {
            return surplus;
        }

        long count = 0;
        StreamNodeCursor cursor = new(list, id);
        while (cursor.MoveNext() && cursor.Id < end)
        {
            count += cursor.IsDeleted ? 0 : 1;
        }

        return count;
    }

    private readonly void RemoveBefore(ref StreamTreePath path, long partly)
    {
        Entries.Own(ref path);
        if (partly > 0)
        {
            StreamNodeSlot* slot = StreamNodeTree.SlotOf(ref path);
            StreamNode.Own(Heap, slot, StreamNode.RoomToDelete(StreamNode.ListOf(slot->Node), partly), _limits.NodeBytes);
            PackedList list = StreamNode.ListOf(slot->Node);
            StreamNodeCursor cursor = new(list, slot->Id);
            for (long left = partly; left > 0 && cursor.MoveNext();)
            {
                left -= cursor.IsDeleted ? 0 : 1;
            }

            // From there back, so that nothing moves that is still to be looked at.
            do
            {
                list.Replace(cursor.Position, PackedElement.OfInteger(cursor.Flags | StreamNode.Deleted));
            }
            while (cursor.MovePrevious());

            StreamNode.CountDeleted(list, partly);
        }

        Entries.RemoveBefore(ref path);
    }
}
