namespace KvServer.Server.Acl;

/// <summary>The last refusals, the newest first: what ACL LOG shows.</summary>
/// <remarks>Like refusals within a minute share an entry, so that one client can't push the others out. Command loop
/// only.</remarks>
internal sealed class AclLog
{
    private const int ComparedEntries = 10;
    private const long GroupedWithinMs = 60_000;

    private readonly LinkedList<AclLogEntry> _entries = [];

    /// <summary>The newest first.</summary>
    public IReadOnlyCollection<AclLogEntry> Entries => _entries;

    /// <summary>Adds a refusal, to an entry of like ones if one of the last few is. O(1).</summary>
    /// <param name="entry">The refusal.</param>
    /// <param name="maxEntries">The oldest go when there are more: <c>acllog-max-len</c>.</param>
    public void Add(AclLogEntry entry, long maxEntries)
    {
        LinkedListNode<AclLogEntry>? node = _entries.First;
        for (int i = 0; i < ComparedEntries && node is not null; i++, node = node.Next)
        {
            if (node.Value.IsLike(entry, GroupedWithinMs))
            {
                node.Value.Count++;
                node.Value.LastAtMs = entry.LastAtMs;
                node.Value.Client = entry.Client;
                _entries.Remove(node);
                _entries.AddFirst(node);
                return;
            }
        }

        _entries.AddFirst(entry);
        while (_entries.Count > maxEntries)
        {
            _entries.RemoveLast();
        }
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear() => _entries.Clear();
}
