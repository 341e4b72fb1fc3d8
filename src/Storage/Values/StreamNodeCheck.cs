namespace KvServer.Storage;

/// <summary>Tells whether bytes from outside are a node of a stream (<see cref="StreamNode"/>).</summary>
/// <remarks>Ids are counted modulo 64 bits on either side of the hyphen, as redis-server writes them: what matters is
/// that they rise.</remarks>
internal ref struct StreamNodeCheck
{
    private readonly PackedList _list;
    private int _position;

    private StreamNodeCheck(PackedList list)
    {
        _list = list;
        _position = list.First;
    }

    /// <summary>Looks at a whole node. O(elements).</summary>
    /// <param name="bytes">The packed list and nothing else; it is not changed.</param>
    /// <param name="id">The id that its entries are told as differences to.</param>
    /// <param name="figures">What it holds.</param>
    /// <returns>False unless there are entries, all whole, with at least one field each, as many of them, deleted or not,
    /// as the node says, and the ids of those that are not deleted begin at the node's and rise.</returns>
    public static bool TryCheck(Span<byte> bytes, StreamId id, out StreamNodeFigures figures)
    {
        figures = default;
        return bytes.Length <= PackedList.MaxBytes
            && PackedList.IsValid(bytes)
            && new StreamNodeCheck(new PackedList(bytes)).TryCheck(id, out figures);
    }

    private bool TryCheck(StreamId id, out StreamNodeFigures figures)
    {
        figures = default;
        long deleted = 0;
        if (!TryTakeInteger(out long count)
            || !TryTakeInteger(out long expectedDeleted)
            || !TryTakeInteger(out long names)
            || names < 1
            || !TrySkip(names)
            || !TryTakeInteger(out long end)
            || end != 0
            || _position == PackedList.None)
        {
            return false;
        }

        long live = 0;
        StreamId first = default;
        StreamId last = default;
        StreamId lastOfAll = default;
        bool isOrdered = true;
        for (bool isFirst = true; _position != PackedList.None; isFirst = false)
        {
            if (!TryTakeEntry(names, out long flags, out StreamId difference))
            {
                return false;
            }

            StreamId entry = new(id.Ms + difference.Ms, id.Sequence + difference.Sequence);
            isOrdered &= isFirst ? entry >= id : entry > lastOfAll;
            lastOfAll = entry;
            if ((flags & StreamNode.Deleted) != 0)
            {
                deleted++;
                continue;
            }

            if (entry < id || (live > 0 && entry <= last))
            {
                return false;
            }

            first = live == 0 ? entry : first;
            last = entry;
            live++;
        }

        figures = new StreamNodeFigures(count, first, last, isOrdered);
        return live == count && deleted == expectedDeleted;
    }

    private bool TryTakeEntry(long names, out long flags, out StreamId difference)
    {
        difference = default;
        if (!TryTakeInteger(out flags)
            || (flags & ~(StreamNode.Deleted | StreamNode.SameFields)) != 0
            || !TryTakeInteger(out long ms)
            || !TryTakeInteger(out long sequence))
        {
            return false;
        }

        difference = new StreamId((ulong)ms, (ulong)sequence);
        long elements = 3 + names;
        if ((flags & StreamNode.SameFields) != 0)
        {
            return TrySkip(names) && TryTakeInteger(out long back) && back == elements;
        }

        // More than there are bytes cannot be there, and is nothing to reckon with.
        if (!TryTakeInteger(out long fields) || fields < 1 || fields > _list.LengthBytes)
        {
            return false;
        }

        elements = 4 + (2 * fields);
        return TrySkip(2 * fields) && TryTakeInteger(out long backAll) && backAll == elements;
    }

    private bool TryTakeInteger(out long integer)
    {
        integer = 0;
        if (_position == PackedList.None)
        {
            return false;
        }

        PackedElement element = _list[_position];
        integer = element.Integer;
        _position = _list.Next(_position);
        return element.IsInteger;
    }

    private bool TrySkip(long elements)
    {
        for (; elements > 0 && _position != PackedList.None; elements--)
        {
            _position = _list.Next(_position);
        }

        return elements == 0;
    }
}
