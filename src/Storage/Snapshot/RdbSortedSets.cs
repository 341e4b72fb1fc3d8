using System.Buffers;
using System.Numerics;

namespace KvServer.Storage;

/// <summary>Makes sorted sets of values in a file.</summary>
internal static class RdbSortedSets
{
    // Tables for members up to this number lie on the stack.
    private const int StackSlots = 512;

    /// <summary>The builder of this type; see <see cref="RdbBuilders.Builder"/>.</summary>
    public static bool Build(in RdbTarget target, ref RdbElements elements)
    {
        elements.Open();
        Keyspace keyspace = target.Database.Keyspace;
        Span<byte> packed = elements.PackedListBytes;
        if (!packed.IsEmpty
            && elements.Count > 0
            && elements.Count <= target.Limits.SortedSets.PackedEntries
            && IsInOrder(keyspace, new PackedSortedSet(packed), (int)elements.Count))
        {
            target.BeforeStore(elements.Input);
            Entry entry = target.Database.CreateValue(
                target.Key, ValueType.SortedSet, ValueEncoding.PackedList, packed.Length, target.ExpireAtMs);
            packed.CopyTo(entry.ValueSpan);
            return true;
        }

        // A member with its score takes at least two bytes; the count alone makes no table larger than that.
        long expected = Math.Min(elements.Count, elements.Input.SureBytes / 2);
        SortedSetBuilder builder = new(
            keyspace, target.Limits.SortedSets, packed.IsEmpty ? expected : elements.Count);
        SortedSetValue value = default;
        try
        {
            while (elements.MoveNext())
            {
                if (!builder.TryAdd(elements.Current.AsMember(), score: 0))
                {
                    elements.Input.Fail("A sorted set has the same member twice");
                }

                // Reading the score may overwrite the member where it was read.
                elements.MoveNext();
                builder.SetScoreOfLast(elements.Current.Score);
            }

            if (builder.Count == 0)
            {
                return false;
            }

            target.BeforeStore(elements.Input);
            value = builder.Finish();
            value.StoreAs(target.Database, target.Key, lazily: false, target.ExpireAtMs);
            return true;
        }
        finally
        {
            value.Dispose();
            builder.Dispose();
        }
    }

    /// <summary>Whether a packed list can be a sorted set as it stands: in order, and no member twice.</summary>
    /// <remarks>Members with the same score differ when they are in order; the others are told apart by their hashes. A
    /// false result may be wrong (two hashes that are the same): then the set is built member by member.</remarks>
    private static bool IsInOrder(Keyspace keyspace, PackedSortedSet set, int count)
    {
        int slots = (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)count * 2), 1 << 30);
        uint[]? rented = slots > StackSlots ? ArrayPool<uint>.Shared.Rent(slots) : null;
        Span<uint> hashes = rented is null ? stackalloc uint[StackSlots] : rented;
        hashes = hashes[..slots];
        hashes.Clear();
        try
        {
            Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
            Span<byte> lastScratch = stackalloc byte[IntegerText.MaxLength];
            double lastScore = double.NegativeInfinity;
            scoped ReadOnlySpan<byte> last = default;
            for (int at = set.First, seen = 0; at != PackedList.None; at = set.Next(at), seen++)
            {
                PackedElement scoreElement = set.List[set.List.Next(at)];
                if (!scoreElement.IsInteger && !ScoreText.TryParse(scoreElement.Bytes, out _))
                {
                    return false;
                }

                double score = PackedSortedSet.ScoreOf(scoreElement);
                ReadOnlySpan<byte> member = set.MemberAt(at).AsText(scratch);
                if (score < lastScore
                    || (seen > 0 && score == lastScore && last.SequenceCompareTo(member) >= 0)
                    || !TryNote(hashes, (uint)keyspace.HashOf(member)))
                {
                    return false;
                }

                lastScore = score;
                last = member;
                Span<byte> other = lastScratch;
                lastScratch = scratch;
                scratch = other;
            }

            return true;
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<uint>.Shared.Return(rented);
            }
        }
    }

    // False when the hash has been noted before. At least half of the slots stay empty.
    private static bool TryNote(Span<uint> hashes, uint hash)
    {
        hash |= 1; // Zero is an empty slot.
        int slot = (int)(hash * 0x9E3779B1 >> 1) & (hashes.Length - 1);
        while (hashes[slot] != 0)
        {
            if (hashes[slot] == hash)
            {
                return false;
            }

            slot = (slot + 1) & (hashes.Length - 1);
        }

        hashes[slot] = hash;
        return true;
    }
}
