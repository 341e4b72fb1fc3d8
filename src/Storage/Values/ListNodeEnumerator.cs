namespace KvServer.Storage;

/// <summary>Walks over the nodes of a list from the first to the last, as snapshots and dumps write them.</summary>
/// <remarks>Valid until the list changes, or a compressed node of another list is looked at. Command loop only.</remarks>
public unsafe ref struct ListNodeEnumerator
{
    private readonly ListTree _tree;
    private readonly PackedList _single;
    private ListPath _path;
    private bool _isStarted;

    internal ListNodeEnumerator(PackedList single) => _single = single;

    internal ListNodeEnumerator(ListTree tree) => _tree = tree;

    /// <summary>Whether the node is one long element rather than a packed list.</summary>
    public bool IsPlain { get; private set; }

    /// <summary>The packed list, or the element.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Goes to the next node.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        if (_tree.State == null)
        {
            Bytes = _single.Bytes;
            bool isFirst = !_isStarted;
            _isStarted = true;
            return isFirst;
        }

        if (!_isStarted)
        {
            _path.DescendToEnd(_tree.State, atHead: true);
            _isStarted = true;
        }
        else if (!_path.Step(forward: true))
        {
            return false;
        }

        IsPlain = ListNode.KindOf(_path.Leaf) == ListNodeKind.Plain;
        Bytes = IsPlain ? ListNode.PlainOf(_path.Leaf) : _tree.View(_path.Leaf).Bytes;
        return true;
    }
}
