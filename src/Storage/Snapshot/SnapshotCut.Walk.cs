using System.Diagnostics;

namespace KvServer.Storage;

/// <content>The walker.</content>
public sealed unsafe partial class SnapshotCut
{
    // Between two looks at the clock: buckets looked at, and work done (SnapshotRecordWriter.Work).
    private const int BucketsPerStep = 64;
    private const int WorkPerStep = PieceBytes;

    /// <summary>Walks on until a moment, or until the queue is full.</summary>
    /// <param name="deadline">A value of <see cref="Stopwatch.GetTimestamp"/>; at least one step is made.</param>
    /// <returns><see langword="true"/> when there is nothing left to walk over: the snapshot is over.</returns>
    /// <remarks>A step is at most 64 buckets, or some 64 KB: a few tens of microseconds. When memory runs out the snapshot is
    /// given up, and the walk goes on for the marks alone with the next call.</remarks>
    public bool WalkUntil(long deadline)
    {
        long startedAt = Stopwatch.GetTimestamp();
        long now = startedAt;
        if (_queue.IsAborted)
        {
            Abort(); // The other side has given up.
        }

        while (!IsFinished && !_queue.IsFull)
        {
            bool hadMemory = TryStep();
            now = Stopwatch.GetTimestamp();
            if (now >= deadline || !hadMemory)
            {
                break;
            }
        }

        LongestSliceTicks = Math.Max(LongestSliceTicks, now - startedAt);
        return IsFinished;
    }

    // What there was no memory to hand over has its old mark still, and the next step comes back to it.
    private bool TryStep()
    {
        StepsDone++;
        try
        {
            Step();
            return true;
        }
        catch (OutOfMemoryException)
        {
            _queue.AbortWithoutMemory();
            Abort();
            return false;
        }
    }

    private void Step()
    {
        if (_current is null && _waiting.TryDequeue(out SnapshotPart? next))
        {
            Enter(next);
        }

        if (_current is not null)
        {
            StepPart(_current);
        }
        else if (_dataset < _datasets.Count)
        {
            StepDataset(_datasets[_dataset]);
        }
        else
        {
            Finish();
        }
    }

    private void StepDataset(SnapshotDataset dataset)
    {
        int bucketsLeft = BucketsPerStep;
        long end = _out.Work + WorkPerStep;
        SnapshotTableWalk bucket = dataset.Walk;
        try
        {
            while (_out.Work < end && dataset.Walk.MoveNext(out byte* entry, ref bucketsLeft))
            {
                for (; entry != null; entry = EntryLink.Next(entry))
                {
                    if (IsOld(entry))
                    {
                        HandOver(entry, dataset.Index);
                    }
                }

                bucket = dataset.Walk;
            }
        }
        catch (OutOfMemoryException)
        {
            dataset.Walk = bucket;
            throw;
        }

        if (dataset.Walk.IsAtEnd)
        {
            dataset.IsDone = true;
            _dataset++;
        }
    }

    private void Enter(SnapshotPart part)
    {
        _current = part;
        _out.SelectDatabase(_byIndex[part.Database]!);
        if (part.IsString)
        {
            _out.Number(SnapshotRecordKind.LongString, part.Key, part.ExpireAtMs, part.Clock, part.Count);
        }
        else if (part.Type == ValueType.List)
        {
            _out.Number(SnapshotRecordKind.List, part.Key, part.ExpireAtMs, part.Clock, part.Count);
        }
        else if (part.Type == ValueType.Stream)
        {
            _out.Number(SnapshotRecordKind.Stream, part.Key, part.ExpireAtMs, part.Clock, part.Count);
        }
        else
        {
            BeginElements(
                _out, part.Collection, part.Key, part.ExpireAtMs, part.Clock, part.Count, part.FirstExpiryMs);
        }

        if (part.Saved is { Discards: false })
        {
            part.Saved.ReleaseTo(_out);
            part.Saved = null;
        }
    }

    private void StepPart(SnapshotPart part)
    {
        if (part.List is not null)
        {
            StepList(part, part.List);
            return;
        }

        if (part.Stream is not null)
        {
            // Given up, there are no marks to set right.
            if (_discards || !part.Stream.Write(_out, WorkPerStep))
            {
                Leave(part);
            }

            return;
        }

        if (part.IsString)
        {
            long piece = part.Done / PieceBytes;
            byte[]? saved = null;
            part.SavedPieces?.Remove(piece, out saved);
            _out.Part(SnapshotRecordKind.Piece, saved ?? PieceOf(part, piece));
            part.Done = Math.Min(part.Done + PieceBytes, part.Count);
            if (part.Done == part.Count)
            {
                Leave(part);
            }

            return;
        }

        int bucketsLeft = BucketsPerStep;
        long end = _out.Work + WorkPerStep;
        while (_out.Work < end && part.Walk.MoveNext(out byte* chain, ref bucketsLeft))
        {
            part.Done += part.Collection.HandOverChain(_out, chain, OldMark);
        }

        if (part.Walk.IsAtEnd)
        {
            Invariant.Check(part.Done == part.Count, "a collection is written with the elements it had at the cut");
            Leave(part);
        }
    }

    // Hands over some leaves, or a piece of a long element.
    private void StepList(SnapshotPart part, SnapshotListWalk list)
    {
        for (long end = _out.Work + WorkPerStep; _out.Work < end && !_discards;)
        {
            bool isBegun = list.Done > 0;
            if (!isBegun && !list.MoveNext())
            {
                Invariant.Check(part.Done == part.Count, "a list is written with the nodes it had at the cut");
                Leave(part);
                return;
            }

            if (ListNode.KindOf(list.Leaf) == ListNodeKind.Plain)
            {
                HandOverPlain(list);
            }
            else
            {
                HandOverPacked(list);
            }

            part.Done += list.Done == 0 ? 1 : 0;
        }

        if (_discards)
        {
            Leave(part); // There are no marks to set right.
        }
    }

    private void HandOverPacked(SnapshotListWalk list)
    {
        byte* leaf = list.Leaf;
        PackedList packed = ListNode.KindOf(leaf) == ListNodeKind.Compressed
            ? _keyspace.ListCompressor.Restore(leaf)
            : ListNode.PackedOf(leaf);
        _out.Part(SnapshotRecordKind.ListNode, packed.Bytes);
    }

    private void HandOverPlain(SnapshotListWalk list)
    {
        ReadOnlySpan<byte> element = ListNode.PlainOf(list.Leaf);
        if (element.Length <= PieceBytes)
        {
            _out.Part(SnapshotRecordKind.ListElement, element);
            return;
        }

        if (list.Done == 0)
        {
            _out.Length(SnapshotRecordKind.LongListElement, element.Length);
        }

        int length = (int)Math.Min(element.Length - list.Done, PieceBytes);
        _out.Part(SnapshotRecordKind.Piece, element.Slice((int)list.Done, length));
        list.Done += length;
        if (list.Done == element.Length)
        {
            list.Done = 0;
        }
    }

    private void Leave(SnapshotPart part)
    {
        _out.End();
        if (part.Start != null)
        {
            _parts.Remove((nint)part.Start);
        }

        _current = null; // First: nothing is released twice.
        Release(part);
        _heldBack.ReleaseTo(_out);
    }

    private void Finish()
    {
        Invariant.Check(KeysProcessed == KeysTotal, "a snapshot has all keys of its cut");
        FreeOrphans();
        _out.Flush();
        _queue.Complete();
        IsFinished = true;
        _keyspace.EndSnapshot();
    }
}
