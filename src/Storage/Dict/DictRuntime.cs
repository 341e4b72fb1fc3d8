namespace KvServer.Storage;

/// <summary>What all dicts of one family share, so that a dict itself is nothing but native memory.</summary>
/// <param name="heap">Where tables come from.</param>
/// <param name="policy">Whether resizing is allowed.</param>
/// <param name="reclaimer">Takes large old tables; without one they are freed at once.</param>
public sealed class DictRuntime(NativeHeap heap, ResizePolicy policy, Reclaimer? reclaimer = null)
{
    /// <summary>Where tables come from.</summary>
    public NativeHeap Heap { get; } = heap;

    /// <summary>Whether resizing is allowed.</summary>
    public ResizePolicy Policy { get; } = policy;

    /// <summary>What the dicts of this family have done.</summary>
    public DictStatistics Statistics { get; } = new();

    /// <summary>Whether members made now carry the mark; see <see cref="SnapshotCut"/>.</summary>
    internal bool MarksMembers { get; set; }

    /// <summary>The thread that frees large tables, if there is one.</summary>
    public Reclaimer? Reclaimer { get; } = reclaimer;
}
