namespace KvServer.Storage;

/// <content>Point-in-time snapshots.</content>
public sealed unsafe partial class Keyspace
{
    /// <summary>The snapshot that is being taken, or null.</summary>
    public SnapshotCut? Snapshot
    {
        get;
        private set
        {
            field = value;
            UpdateObserved();
        }
    }

    /// <summary>Whether anybody wants to hear of entries before they change: a snapshot, or <see cref="PartialReads"/>.</summary>
    internal bool IsObserved { get; private set; }

    /// <summary>Called when one of those who are told of changes begins or ends.</summary>
    internal void UpdateObserved() => IsObserved = Snapshot is not null || PartialReads.Count > 0;

    /// <summary>The mark of entries made now.</summary>
    internal EntryFlags NewMark { get; private set; }

    /// <summary>Takes the cut: from now on <see cref="SnapshotCut.WalkUntil"/> hands over the dataset as it is at this moment.</summary>
    /// <param name="queue">Where the states go; another thread takes them out.</param>
    /// <exception cref="OutOfMemoryException">There is no snapshot then, and nothing has changed.</exception>
    /// <remarks>O(databases). Resizing is off until the walk is finished, except at the forced ratio.</remarks>
    public SnapshotCut StartSnapshot(SnapshotQueue queue)
    {
        Invariant.Check(Snapshot is null, "one snapshot is taken at a time");
        FlipMark();
        try
        {
            SnapshotCut cut = new(this, queue);
            foreach (Database database in _databases)
            {
                database.EnterSnapshot(cut);
            }

            Snapshot = cut;
            ResizingAllowed = false;
            return cut;
        }
        catch (OutOfMemoryException)
        {
            FlipMark(); // Else everything would count as handed over at the next one.
            throw;
        }
    }

    private void FlipMark()
    {
        NewMark ^= EntryFlags.SnapshotMark;
        MemberRuntime.MarksMembers = NewMark != EntryFlags.None;
    }

    /// <summary>Ends a snapshot that was given up, once there are no entries whose marks it would have to set right.</summary>
    private void EndEmptySnapshot()
    {
        if (Snapshot is { IsGivenUp: true } cut)
        {
            cut.EndEmpty();
        }
    }

    /// <summary>Called by the walk when all marks are the same again.</summary>
    internal void EndSnapshot()
    {
        Snapshot = null;
        ResizingAllowed = true;
    }
}
