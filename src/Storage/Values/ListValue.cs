using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>A handle to one list: the value of a key, or a list being built that belongs to no key yet.</summary>
/// <remarks>
/// <para>A list has one of two encodings:</para>
/// <code>
/// listpack    elements one after the other, inside the entry     while they fit one node of the limits
/// quicklist   a tree of packed lists (<see cref="ListTree"/>)    otherwise; back when half a node is left
/// </code>
/// <para>The limits come with the handle, so a change of configuration counts from the next change of a list on. Before
/// elements are added the caller says how much will come (<see cref="PrepareToGrow"/>), and after removals it calls
/// <see cref="Settle"/>: both may change the encoding.</para>
/// <para>Get one from <see cref="Database"/> for a key, where it is valid until something else changes the database,
/// or from <see cref="Create"/>, and then dispose it, whether a key has adopted it or not. A call that runs out of memory leaves
/// the list as it was. Command loop only.</para>
/// </remarks>
public unsafe ref partial struct ListValue
{
    private readonly ListLimits _limits;
    private readonly Keyspace _keyspace;
    private readonly Database? _database;
    private Entry _entry;
    private ListState* _state;
    private Span<byte> _bytes;
    private byte* _block;
    private int _blockBytes;

    /// <summary>How the list is stored.</summary>
    public ValueEncoding Encoding { get; private set; }

    /// <summary>Number of elements.</summary>
    public readonly long Count => IsPacked ? new PackedList(_bytes).Count : _state->Count;

    /// <summary>Number of nodes that snapshots and dumps write: the leaves of a tree, or one.</summary>
    public readonly long NodeCount => IsPacked ? 1 : _state->LeafCount;

    private readonly bool IsPacked => Encoding == ValueEncoding.PackedList;

    private readonly ListTree Tree => new(_state, _keyspace, _limits);

    /// <summary>The element at an index that exists.</summary>
    /// <returns>Valid until the next change of any list.</returns>
    /// <remarks>O(log n) and the elements of one node.</remarks>
    public readonly PackedElement this[long index]
    {
        get
        {
            ListEnumerator at = Walk(index, 1, forward: true);
            at.MoveNext();
            return at.Current;
        }
    }

    /// <summary>Walks over elements in a row.</summary>
    /// <param name="start">Index of the first one to visit.</param>
    /// <param name="count">How many; there are so many in that direction.</param>
    /// <param name="forward">From there towards the end, or towards the beginning.</param>
    /// <remarks>The first step is O(log n) and the elements of one node.</remarks>
    public readonly ListEnumerator Walk(long start, long count, bool forward) => IsPacked
        ? new ListEnumerator(new PackedList(_bytes), start, count, forward)
        : new ListEnumerator(Tree, start, count, forward);

    /// <summary>Walks over all elements.</summary>
    public readonly ListEnumerator GetEnumerator() => Walk(0, Count, forward: true);

    /// <summary>Walks over the nodes as snapshots and dumps write them.</summary>
    public readonly ListNodeEnumerator Nodes() => IsPacked
        ? new ListNodeEnumerator(new PackedList(_bytes))
        : new ListNodeEnumerator(Tree);

    /// <summary>Says how much is about to be added: a packed list that could not hold it becomes a tree.</summary>
    /// <param name="textBytes">Bytes of all elements together.</param>
    /// <param name="count">How many.</param>
    public void PrepareToGrow(long textBytes, long count)
    {
        if (!IsPacked)
        {
            return;
        }

        PackedList list = new(_bytes);
        if (_limits.AreExceededBy(list.LengthBytes + textBytes, list.Count + count))
        {
            ConvertToTree();
        }
    }

    /// <summary>Adds an element at an end. O(1) amortized for a tree, O(bytes) for a packed list.</summary>
    /// <param name="text">Its bytes; not a part of this list.</param>
    /// <param name="atHead">At the first end rather than the last.</param>
    public void Push(scoped ReadOnlySpan<byte> text, bool atHead)
    {
        BeforeChange();
        if (!IsPacked)
        {
            Tree.Push(text, atHead);
            return;
        }

        PackedElement element = PackedElement.Of(text);
        PackedList list = new(_bytes);
        Reserve(list.LengthBytes + PackedList.SizeOf(element));
        list = new PackedList(_bytes);
        list.Insert(atHead ? list.First : PackedList.None, element);
    }

    /// <summary>The element at an end of a list that has some.</summary>
    /// <returns>Valid until the next change of any list.</returns>
    public readonly PackedElement Peek(bool atHead)
    {
        if (!IsPacked)
        {
            return Tree.Peek(atHead);
        }

        PackedList list = new(_bytes);
        return list[atHead ? list.First : list.Last];
    }

    /// <summary>Makes <see cref="RemoveEnd"/> certain to succeed: called before a first change that could not be undone.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public readonly void PrepareRemoveEnd(bool atHead)
    {
        BeforeChange();
        if (!IsPacked)
        {
            Tree.PrepareRemoveEnd(atHead);
        }
    }

    /// <summary>Removes the element at an end of a list that has some. O(1) amortized for a tree. A key whose list is
    /// empty afterwards must be deleted by the caller.</summary>
    public void RemoveEnd(bool atHead)
    {
        BeforeChange();
        if (!IsPacked)
        {
            Tree.RemoveEnd(atHead);
            return;
        }

        PackedList list = new(_bytes);
        if (atHead)
        {
            list.Remove(list.First);
        }
        else
        {
            list.Truncate(list.Last, 1);
        }

        Trim();
    }

    /// <summary>Puts an element in place of another.</summary>
    /// <param name="index">That of an element.</param>
    /// <param name="text">Its bytes; not a part of this list.</param>
    /// <remarks>O(log n) and the bytes of one node.</remarks>
    public void Set(long index, scoped ReadOnlySpan<byte> text)
    {
        BeforeChange();
        if (!IsPacked)
        {
            Tree.Set(index, text);
            return;
        }

        PackedElement element = PackedElement.Of(text);
        PackedList list = new(_bytes);
        int position = list.PositionAt((int)index);
        Reserve(list.LengthBytes + PackedList.SizeOf(element) - list.SizeAt(position));
        new PackedList(_bytes).Replace(position, element);
        Trim();
    }

    /// <summary>Puts an element before another.</summary>
    /// <param name="index">From 0 to the number of elements.</param>
    /// <param name="text">Its bytes; not a part of this list.</param>
    /// <remarks>O(log n) and the bytes of one node.</remarks>
    public void Insert(long index, scoped ReadOnlySpan<byte> text)
    {
        BeforeChange();
        if (!IsPacked)
        {
            Tree.Insert(index, text);
            return;
        }

        PackedElement element = PackedElement.Of(text);
        PackedList list = new(_bytes);
        Reserve(list.LengthBytes + PackedList.SizeOf(element));
        list = new PackedList(_bytes);
        list.Insert(list.PositionAt((int)index), element);
    }

    /// <summary>Makes <see cref="RemoveRange"/> of these elements certain to succeed.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public readonly void PrepareRemoveRange(long start, long count)
    {
        BeforeChange();
        if (!IsPacked && count > 0)
        {
            Tree.PrepareRemoveRange(start, count);
        }
    }

    /// <summary>Removes elements that stand in a row. A key whose list is empty afterwards must be deleted by the
    /// caller.</summary>
    /// <param name="start">The first one.</param>
    /// <param name="count">How many; there are so many.</param>
    /// <remarks>O(log n), and one step for a few hundred elements removed.</remarks>
    public void RemoveRange(long start, long count)
    {
        if (count == 0)
        {
            return;
        }

        BeforeChange();
        if (!IsPacked)
        {
            Tree.RemoveRange(start, count);
            return;
        }

        PackedList list = new(_bytes);
        list.RemoveRange(list.PositionAt((int)start), (int)count);
        Trim();
    }

    /// <summary>Removes all elements but some that stand in a row.</summary>
    /// <param name="start">The first one that stays.</param>
    /// <param name="count">How many stay, at least 1; there are so many.</param>
    /// <remarks>O(log n), and one step for a few hundred elements removed.</remarks>
    public void Keep(long start, long count)
    {
        if (count == Count)
        {
            return;
        }

        BeforeChange();
        if (!IsPacked)
        {
            Tree.Keep(start, count);
            return;
        }

        PackedList list = new(_bytes);
        int end = list.PositionAt((int)(start + count));
        if (end != PackedList.None)
        {
            list.Truncate(end, list.Count - (int)(start + count));
        }

        list.RemoveRange(list.First, (int)start);
        Trim();
    }

    /// <summary>Removes elements equal to a value. A key whose list is empty afterwards must be deleted by the caller.</summary>
    /// <param name="text">The value; not a part of this list.</param>
    /// <param name="limit">How many at most, at least 1.</param>
    /// <param name="fromTail">Begin with the last ones.</param>
    /// <returns>How many there were.</returns>
    /// <remarks>O(elements passed).</remarks>
    public long RemoveEqual(scoped ReadOnlySpan<byte> text, long limit, bool fromTail)
    {
        PackedElement value = PackedElement.Of(text);
        if (!IsPacked)
        {
            BeforeChange();
            return Tree.RemoveEqual(value, limit, fromTail);
        }

        PackedList list = new(_bytes);
        int count = list.Count;
        int found = list.CountEqual(value, 0, count);
        if (found == 0)
        {
            return 0;
        }

        BeforeChange();
        int take = (int)Math.Min(found, limit);
        list.RemoveEqual(value, 0, count, fromTail ? found - take : 0, take);
        Trim();
        return take;
    }

    /// <summary>Makes a tree that fits half a packed list one again. Called after removals and replacements.</summary>
    /// <remarks>O(bytes of the list) then, otherwise O(1). Without memory it stays as it is.</remarks>
    public void Settle()
    {
        if (IsPacked || !Tree.TryGetSinglePacked(out PackedList list))
        {
            return;
        }

        if (list.LengthBytes <= _limits.NodeBytes / 2 && list.Count <= _limits.NodeCount / 2)
        {
            Debug.Assert(_database is not null, "a list that is being built only grows");
            ConvertToPacked(list);
        }
    }

    /// <summary>For tests: what is wrong with how the list is kept, or null.</summary>
    internal readonly string? FindFault() =>
        IsPacked ? (PackedList.IsValid(new PackedList(_bytes).Bytes) ? null : "no packed list") : Tree.FindFault();

    // The snapshot that is being taken wants to see a key's list as it was at the cut.
    private readonly void BeforeChange()
    {
        if (_database is not null)
        {
            _database.BeforeChange(_entry.Block);
        }
    }
}
