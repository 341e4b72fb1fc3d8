using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>The dataset at one instant, handed over piece by piece while commands go on: a snapshot without a fork.</summary>
/// <remarks>
/// <para>Every entry, and every element of a collection kept as a dict, has one bit, the mark. Between two snapshots all of them
/// have the same. Starting one flips what new ones get: from then on the other value says "belongs to the snapshot and
/// has not been handed over". So the cut takes no longer than listing the databases.</para>
/// <code>
///   walker  ->  visits the buckets in slices on the command loop; hands over what has the old mark, sets the new one
///   writers ->  hand over an entry's old state just before they change, move or delete it; the walker then passes it
///   queue   ->  copies of states, in chunks; a background thread encodes and writes them
/// </code>
/// <para>New entries carry the new mark and are never written. When the walker has been everywhere, all marks are the
/// same again. A snapshot that is given up has to go on walking, for the marks alone.</para>
/// <para>Large collections and strings are parts (<see cref="SnapshotPart"/>): handing one over only notes its key and count.
/// The walker goes on with it before anything else. Meanwhile elements have marks of their own, so that a command that
/// changes or removes one hands over just that, and a change inside a string first saves the 64 KB around it. What other
/// commands hand over while a part is being written is held back until the part has ended, because in the file a value
/// has to lie in one piece.</para>
/// <para>Flushed databases and deleted parts are kept until they have been written. Command loop only.</para>
/// </remarks>
public sealed unsafe partial class SnapshotCut
{
    // A dict that is at most so large is handed over whole: a few microseconds.
    private const long WholeElements = 64;
    private const long WholeBytes = 16 * 1024;

    // Strings up to this size are copied at once; longer ones in pieces of it.
    private const int PieceBytes = 64 * 1024;

    private readonly Keyspace _keyspace;
    private readonly SnapshotQueue _queue;
    private readonly SnapshotRecordWriter _out;
    private readonly SnapshotRecordWriter _heldBack;
    private readonly List<SnapshotDataset> _datasets = [];
    private readonly SnapshotDataset?[] _byIndex;
    private readonly List<(nint Keys, nint Expires)> _orphans = [];
    private readonly Dictionary<nint, SnapshotPart> _parts = [];
    private readonly Queue<SnapshotPart> _waiting = new();
    private readonly EntryFlags _newMark;
    private readonly SnapshotStreamWalk _smallStream;
    private SnapshotPart? _current;
    private int _dataset;
    private bool _discards;

    internal SnapshotCut(Keyspace keyspace, SnapshotQueue queue)
    {
        _keyspace = keyspace;
        _queue = queue;
        _out = new SnapshotRecordWriter(queue, holdsBack: false);
        _heldBack = new SnapshotRecordWriter(queue, holdsBack: true);
        _newMark = keyspace.NewMark;
        _byIndex = new SnapshotDataset?[keyspace.DatabaseCount];
        _smallStream = new SnapshotStreamWalk(keyspace, PieceBytes);
    }

    /// <summary>Keys at the cut.</summary>
    public long KeysTotal { get; private set; }

    /// <summary>Of these: how many have been handed over, or begun.</summary>
    public long KeysProcessed { get; private set; }

    /// <summary>Entries, elements and pieces of strings that were handed over because a command was about to change them.</summary>
    public long HandedOver { get; private set; }

    /// <summary>Bytes that wait, in the queue or held back, for the background thread.</summary>
    public long BytesQueued
    {
        get
        {
            long bytes = _queue.QueuedBytes + _heldBack.HeldBytes;
            foreach (SnapshotPart part in _parts.Values)
            {
                bytes += (part.Saved?.HeldBytes ?? 0) + ((part.SavedPieces?.Count ?? 0) * (long)PieceBytes);
            }

            return bytes;
        }
    }

    /// <summary>Steps the walk has made.</summary>
    internal long StepsDone { get; private set; }

    /// <summary>The longest slice of the walk, in ticks of <see cref="Stopwatch"/>.</summary>
    public long LongestSliceTicks { get; private set; }

    /// <summary>Whether everything has been handed over and all marks are the same again.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>Whether it was given up, by either side; the walk goes on for the marks.</summary>
    public bool IsGivenUp => _discards;

    /// <summary>Gives the snapshot up. The walk has to go on until it is finished; it writes nothing any more.</summary>
    public void Abort()
    {
        if (!_discards && !IsFinished)
        {
            _discards = true;
            _out.Discards = true;
            _heldBack.Discards = true;
            _queue.Abort();
        }
    }

    /// <summary>Lists what belongs to the snapshot.</summary>
    internal void AddDataset(int index, DictState* keys, long keyCount, long expireCount)
    {
        if (keyCount > 0)
        {
            SnapshotDataset dataset = new(index, keys, keyCount, expireCount);
            _byIndex[index] = dataset;
            _datasets.Add(dataset);
            KeysTotal += keyCount;
        }
    }

    /// <summary>Ends a snapshot that was given up without the rest of its walk: all databases are empty.</summary>
    internal void EndEmpty()
    {
        Free();
        _waiting.Clear();
        _current = null;
        IsFinished = true;
        _keyspace.EndSnapshot();
    }

    /// <summary>Frees what only the snapshot holds, at the end of the store's life.</summary>
    internal void Free()
    {
        Abort();
        foreach (SnapshotPart part in _parts.Values)
        {
            Release(part);
        }

        _parts.Clear();
        foreach (SnapshotPart part in _waiting)
        {
            part.EndShares();
        }

        _current?.EndShares();
        FreeOrphans();
    }

    private void FreeOrphans()
    {
        while (_orphans.Count > 0)
        {
            (nint keys, nint expires) = _orphans[^1];
            _orphans.RemoveAt(_orphans.Count - 1);
            _keyspace.Reclaimer.FreeDataset((DictState*)keys, (DictState*)expires);
        }
    }

    private void Release(SnapshotPart part)
    {
        part.EndShares();
        if (!part.IsOwned)
        {
            return;
        }

        if (part.IsString)
        {
            _keyspace.Reclaimer.FreeBlock(part.Start, part.Capacity);
        }
        else
        {
            _keyspace.Reclaimer.FreeElements(part.Type, (DictState*)part.Start);
        }
    }
}
