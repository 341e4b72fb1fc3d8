using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <content>What the snapshot that is being taken has to hear of, and whoever reads a value in parts.</content>
public sealed unsafe partial class Database
{
    // The number the present data had at the cut; goes with the data when databases are swapped.
    private int _indexAtCut;

    /// <summary>Hands an entry that is about to change, to move or to go over to the snapshot that is being taken, and has
    /// those end that read its value in parts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void BeforeChange(byte* block)
    {
        if (_keyspace.IsObserved)
        {
            TellObservers(block);
        }
    }

    /// <summary>Lists this database's data for a snapshot.</summary>
    internal void EnterSnapshot(SnapshotCut cut)
    {
        _indexAtCut = Index;
        cut.AddDataset(Index, _keys.State, _keys.Count, _expires.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TellObservers(byte* block)
    {
        _keyspace.Snapshot?.BeforeChange(block, _indexAtCut);
        _keyspace.PartialReads.BeforeChange(block);
    }
}
