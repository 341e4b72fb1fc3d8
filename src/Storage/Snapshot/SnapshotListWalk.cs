namespace KvServer.Storage;

/// <summary>Walks over the leaves of a list as it was at the cut, and gives up its share in what it has passed.</summary>
/// <remarks>
/// <para>The snapshot is one more owner of the list's root (<see cref="ListNode"/>), so nothing the walk has yet to see is
/// ever changed: commands copy what they change. A node the walk alone owns, because the list has another one in its
/// place or is gone, loses the children that have been passed. What the list still uses is then the list's alone again
/// and changed in place, what it does not use is freed.</para>
/// <para>Command loop only.</para>
/// </remarks>
internal sealed unsafe class SnapshotListWalk
{
    private readonly Keyspace _keyspace;
    private readonly int _height;
    private readonly nint[] _nodes;
    private readonly int[] _indices;
    private readonly int[] _released;
    private byte* _root;
    private bool _isStarted;

    /// <summary>Becomes one more owner of a list. O(height).</summary>
    public SnapshotListWalk(Keyspace keyspace, ListState* list)
    {
        _keyspace = keyspace;
        _height = list->Height;
        _nodes = new nint[_height + 1];
        _indices = new int[_height];
        _released = new int[_height];
        _root = ListTree.ShareRoot(list);
    }

    /// <summary>The leaf <see cref="MoveNext"/> has come to; valid until it goes on.</summary>
    public byte* Leaf => (byte*)_nodes[_height];

    /// <summary>Bytes of a long element that have been handed over.</summary>
    public long Done { get; set; }

    /// <summary>Goes to the next leaf.</summary>
    /// <returns>False behind the last one.</returns>
    /// <remarks>O(height), and freeing at most a few hundred nodes.</remarks>
    public bool MoveNext()
    {
        Done = 0;
        if (!_isStarted)
        {
            _isStarted = true;
            Descend(0, _root);
            return true;
        }

        int level = _height - 1;
        while (level >= 0 && _indices[level] + 1 == ListNode.UsedOf((byte*)_nodes[level]))
        {
            level--;
        }

        if (level < 0)
        {
            return false;
        }

        _indices[level]++;
        ReleasePassed(level);
        Descend(level + 1, ListNode.ChildOf((byte*)_nodes[level], _indices[level]));
        return true;
    }

    /// <summary>Gives up the share in what has not been given up yet.</summary>
    public void End()
    {
        if (_root != null)
        {
            ListTree.Drop(_keyspace, _root, _height);
            _root = null;
        }
    }

    private void Descend(int level, byte* node)
    {
        for (; level < _height; level++)
        {
            _nodes[level] = (nint)node;
            _indices[level] = 0;
            _released[level] = 0;
            node = ListNode.ChildOf(node, 0);
        }

        _nodes[_height] = (nint)node;
    }

    // Only a node that nobody else can come to may lose its children.
    private void ReleasePassed(int level)
    {
        for (int i = 0; i <= level; i++)
        {
            if (ListNode.IsShared((byte*)_nodes[i]))
            {
                return;
            }
        }

        var node = (byte*)_nodes[level];
        for (; _released[level] < _indices[level]; _released[level]++)
        {
            byte** slot = ListNode.SlotOf(node, _released[level]);
            ListTree.Drop(_keyspace, *slot, _height - level - 1);
            *slot = null;
        }
    }
}
