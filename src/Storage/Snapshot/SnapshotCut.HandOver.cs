using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <content>Handing over states: what commands do before a change, and what the walker does with each entry.</content>
public sealed unsafe partial class SnapshotCut
{
    // While a part is being written, whatever else is handed over waits.
    private SnapshotRecordWriter Target => _current is null ? _out : _heldBack;

    /// <summary>Hands over an entry that is about to change or to go, unless that has been done.</summary>
    /// <param name="block">The entry, as it was at the cut.</param>
    /// <param name="index">The number its dict had at the cut.</param>
    /// <remarks>O(1) beside copying at most 64 KB, or a packed value.</remarks>
    internal void BeforeChange(byte* block, int index)
    {
        if (IsOld(block))
        {
            HandedOver++;
            HandOver(block, index);
        }
    }

    /// <summary>Hands over an element of a collection that is about to be changed or removed, unless that has been
    /// done. Its entry comes first (<see cref="BeforeChange(byte*, int)"/>).</summary>
    /// <param name="elements">The collection's dict.</param>
    /// <param name="element">The element, as it was at the cut; has the new mark afterwards.</param>
    internal void BeforeElementChange(DictState* elements, byte* element)
    {
        if (ElementMark.IsSet(element) != OldMark)
        {
            return;
        }

        SnapshotPart part = PartOf((byte*)elements);
        SnapshotRecordWriter target = part == _current
            ? _out
            : part.Saved ??= new SnapshotRecordWriter(_queue, holdsBack: true) { Discards = _discards };
        HandedOver++;
        part.Done++;
        part.Collection.HandOver(target, element);
        ElementMark.Flip(element);
    }

    /// <summary>Saves what a string in a block of its own holds where it is about to be changed.</summary>
    /// <param name="start">The block.</param>
    /// <param name="from">First byte that changes.</param>
    /// <param name="length">Bytes that may change.</param>
    internal void BeforeEdit(byte* start, long from, long length)
    {
        if (_discards || !_parts.TryGetValue((nint)start, out SnapshotPart? part))
        {
            return;
        }

        long end = Math.Min(from + length, part.Count);
        for (long piece = Math.Max(from, part.Done) / PieceBytes; piece * PieceBytes < end; piece++)
        {
            part.SavedPieces ??= [];
            if (!part.SavedPieces.ContainsKey(piece))
            {
                // Copied first, so that a piece there was no memory for does not count as saved.
                part.SavedPieces.Add(piece, PieceOf(part, piece).ToArray());
                HandedOver++;
            }
        }
    }

    /// <summary>Follows the block of a string that has moved.</summary>
    internal void Moved(byte* from, byte* to)
    {
        if (from != to && _parts.Remove((nint)from, out SnapshotPart? part))
        {
            part.Start = to;
            _parts.Add((nint)to, part);
        }
    }

    /// <summary>Takes over what a value owns outside of its entry, if it is still being written.</summary>
    /// <returns>Whether the caller must not free it.</returns>
    internal bool TakesOver(byte* block)
    {
        ValueEncoding encoding = EntryBlock.EncodingOf(block);
        if (_parts.Count == 0 || (encoding != ValueEncoding.Block && !EntryBlock.IsDict(encoding)))
        {
            return false;
        }

        byte* area = EntryBlock.ValueStart(block);
        if (!_parts.TryGetValue(Unsafe.ReadUnaligned<nint>(area), out SnapshotPart? part))
        {
            return false;
        }

        part.IsOwned = true;
        if (encoding == ValueEncoding.Block)
        {
            part.Capacity = Unsafe.ReadUnaligned<BlockString>(area).Capacity;
        }

        return true;
    }

    /// <summary>Takes over the dicts of a flushed database, if something in them is still to be written.</summary>
    /// <returns>Whether the caller must not free them.</returns>
    internal bool TakesOver(DictState* keys, DictState* expires)
    {
        // A part may belong to any of them.
        bool isNeeded = _parts.Count > 0;
        foreach (SnapshotDataset dataset in _datasets)
        {
            isNeeded |= dataset.Keys == keys && !dataset.IsDone;
        }

        if (isNeeded)
        {
            _orphans.Add(((nint)keys, (nint)expires));
        }

        return isNeeded;
    }

    // The mark of elements that belong to the snapshot and have not been handed over.
    private bool OldMark => _newMark == EntryFlags.None;

    private bool IsOld(byte* block) => (EntryBlock.FlagsOf(block) & EntryFlags.SnapshotMark) != _newMark;

    private void HandOver(byte* block, int index)
    {
        byte* area = EntryBlock.ValueStart(block);
        ReadOnlySpan<byte> key = EntryBlock.KeyOf(block);
        long expireAtMs = EntryBlock.ExpireAtOf(block);
        uint clock = EntryBlock.ClockOf(block);
        SnapshotRecordWriter target = Target;
        switch (EntryBlock.EncodingOf(block))
        {
            case ValueEncoding.Integer:
                target.SelectDatabase(_byIndex[index]!);
                target.Number(
                    SnapshotRecordKind.Integer, key, expireAtMs, clock, Unsafe.ReadUnaligned<long>(area));
                break;
            case ValueEncoding.Inline:
                target.SelectDatabase(_byIndex[index]!);
                target.Value(SnapshotRecordKind.String, key, expireAtMs, clock, EntryBlock.InlineOf(area));
                break;
            case ValueEncoding.IntSet:
                target.SelectDatabase(_byIndex[index]!);
                target.Value(SnapshotRecordKind.IntSet, key, expireAtMs, clock, EntryBlock.InlineOf(area));
                break;
            case ValueEncoding.PackedList:
                target.SelectDatabase(_byIndex[index]!);
                target.Value(PackedKindOf(EntryBlock.TypeOf(block)), key, expireAtMs, clock, EntryBlock.InlineOf(area));
                break;
            case ValueEncoding.Block:
                var text = Unsafe.ReadUnaligned<BlockString>(area);
                if (text.Length > PieceBytes)
                {
                    if (!_discards)
                    {
                        Begin(text.Start, ValueType.String, text.Length, index, key, expireAtMs, clock);
                    }

                    break;
                }

                target.SelectDatabase(_byIndex[index]!);
                target.Value(
                    SnapshotRecordKind.String, key, expireAtMs, clock, new ReadOnlySpan<byte>(text.Start, (int)text.Length));
                break;
            case ValueEncoding.HashTable or ValueEncoding.SkipList:
                ValueType type = EntryBlock.TypeOf(block);
                var elements = (DictState*)Unsafe.ReadUnaligned<nint>(area);
                long count = DictCollection.CountOf(elements);
                if (count > WholeElements || !TryHandOverWhole(elements, type, count, index, key, expireAtMs, clock))
                {
                    Begin((byte*)elements, type, count, index, key, expireAtMs, clock);
                }

                break;
            case ValueEncoding.QuickList when !_discards:
                BeginList((ListState*)Unsafe.ReadUnaligned<nint>(area), index, key, expireAtMs, clock);
                break;
            case ValueEncoding.Stream when !_discards:
                var stream = (StreamState*)Unsafe.ReadUnaligned<nint>(area);
                if (!SnapshotStreamWalk.IsSmall(stream))
                {
                    BeginStream(stream, index, key, expireAtMs, clock);
                    break;
                }

                target.SelectDatabase(_byIndex[index]!);
                target.Number(SnapshotRecordKind.Stream, key, expireAtMs, clock, stream->NodeCount);
                _smallStream.Begin(stream);
                _smallStream.Write(target, long.MaxValue);
                target.End();
                break;
            case ValueEncoding.QuickList or ValueEncoding.Stream:
                break; // Given up: there are no marks to set right.
            default:
                Invariant.Check(false, "a snapshot knows every encoding that a key can have");
                break;
        }

        // Last, so that an entry there was no memory to copy stays what it is.
        EntryBlock.SetFlags(block, EntryBlock.FlagsOf(block) ^ EntryFlags.SnapshotMark);
        KeysProcessed++;
    }

    private static SnapshotRecordKind PackedKindOf(ValueType type) => type switch
    {
        ValueType.Set => SnapshotRecordKind.PackedSet,
        ValueType.Hash => SnapshotRecordKind.PackedHash,
        ValueType.List => SnapshotRecordKind.PackedList,
        ValueType.SortedSet => SnapshotRecordKind.PackedSortedSet,
        _ => throw new InvalidOperationException("A snapshot knows every type that can be packed."),
    };

    private void Begin(
        byte* start, ValueType type, long count, int index, ReadOnlySpan<byte> key, long expireAtMs, uint clock)
    {
        SnapshotPart part = new(start, type, count, index, CopyOf(key), expireAtMs, clock);
        _waiting.EnsureCapacity(_waiting.Count + 1); // A part is in both or in neither.
        _parts.Add((nint)start, part);
        _waiting.Enqueue(part);
    }

    // A list's part is found by nobody: whoever changes the list leaves what the part has its share in alone.
    private void BeginList(ListState* list, int index, ReadOnlySpan<byte> key, long expireAtMs, uint clock)
    {
        _waiting.EnsureCapacity(_waiting.Count + 1);
        SnapshotListWalk walk = new(_keyspace, list);
        try
        {
            byte[] name = CopyOf(key);
            _waiting.Enqueue(new SnapshotPart(null, ValueType.List, list->LeafCount, index, name, expireAtMs, clock)
            {
                List = walk,
            });
        }
        catch (OutOfMemoryException)
        {
            walk.End();
            throw;
        }
    }

    // As for a list.
    private void BeginStream(StreamState* stream, int index, ReadOnlySpan<byte> key, long expireAtMs, uint clock)
    {
        _waiting.EnsureCapacity(_waiting.Count + 1);
        SnapshotStreamWalk walk = new(_keyspace, PieceBytes);
        SnapshotPart part = new(null, ValueType.Stream, stream->NodeCount, index, CopyOf(key), expireAtMs, clock)
        {
            Stream = walk,
        };
        walk.BeginShared(stream); // Nothing can fail any more.
        _waiting.Enqueue(part);
    }

    private byte[] CopyOf(ReadOnlySpan<byte> key)
    {
        byte[] copy = _queue.AllocateKey(key.Length);
        key.CopyTo(copy);
        return copy;
    }

    // The table may still have been made for many elements, so the buckets are limited too.
    private bool TryHandOverWhole(
        DictState* elements,
        ValueType type,
        long count,
        int index,
        ReadOnlySpan<byte> key,
        long expireAtMs,
        uint clock)
    {
        const int MaxBuckets = 1024;
        DictCollection collection = DictCollection.Of(type);
        int bucketsLeft = MaxBuckets;
        long bytes = 0;
        SnapshotTableWalk walk = new(elements);
        while (walk.MoveNext(out byte* chain, ref bucketsLeft))
        {
            bytes += collection.ChainBytes(chain);
        }

        if (!walk.IsAtEnd || bytes > WholeBytes)
        {
            return false;
        }

        SnapshotRecordWriter target = Target;
        target.SelectDatabase(_byIndex[index]!);
        BeginElements(target, collection, key, expireAtMs, clock, count, collection.FirstExpiryMsOf(elements));
        bucketsLeft = MaxBuckets;
        walk = new SnapshotTableWalk(elements);
        while (walk.MoveNext(out byte* chain, ref bucketsLeft))
        {
            collection.HandOverChain(target, chain, OldMark);
        }

        target.End();
        return true;
    }

    private static void BeginElements(
        SnapshotRecordWriter target,
        DictCollection collection,
        ReadOnlySpan<byte> key,
        long expireAtMs,
        uint clock,
        long count,
        long firstExpiryMs)
    {
        if (firstExpiryMs == Database.NoExpiry)
        {
            target.Number(collection.RecordKind, key, expireAtMs, clock, count);
        }
        else
        {
            target.ExpiringHash(key, expireAtMs, clock, count, firstExpiryMs);
        }
    }

    private SnapshotPart PartOf(byte* start)
    {
        bool found = _parts.TryGetValue((nint)start, out SnapshotPart? part);
        Invariant.Check(found, "a collection with elements of the snapshot is being written");
        return part!;
    }

    // The bytes of a piece as they are now.
    private static ReadOnlySpan<byte> PieceOf(SnapshotPart part, long piece) =>
        new(part.Start + (piece * PieceBytes), (int)Math.Min(PieceBytes, part.Count - (piece * PieceBytes)));
}
