using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <content>Hashes whose fields expire: the queue of them, and removing fields whose time has come.</content>
public sealed unsafe partial class Database
{
    // A look-up removes at most so many fields: a few microseconds.
    private const int FieldsPerLookup = 64;

    private DueQueue<FieldExpiry> _expiring;

    /// <summary>Number of hashes that have fields with an expiry time.</summary>
    public int ExpiringHashCount => _expiring.Count;

    /// <summary>Whether a field is there whose time has come.</summary>
    internal bool HasFieldsDue => _expiring.Count > 0 && _keyspace.IsOver(FieldExpiry.DueAt(_expiring.First));

    /// <summary>Removes some fields of the hash whose earliest one is the first of all to expire.</summary>
    /// <param name="max">Remove no more than so many.</param>
    /// <returns>How many have been removed.</returns>
    /// <remarks>O(max log fields that expire). The key goes with its last field.</remarks>
    internal int ExpireFields(int max) =>
        HasFieldsDue ? ExpireFields(((FieldExpiry*)_expiring.First)->Owner, max, out _) : 0;

    /// <summary>Makes sure that one more hash can be entered.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    internal void EnsureExpiringRoom() => _expiring.EnsureRoom(_heap, 1);

    /// <summary>Notes that a hash has fields that expire; there is room.</summary>
    internal void EnterExpiring(byte* block)
    {
        EntryBlock.SetFlags(block, EntryBlock.FlagsOf(block) | EntryFlags.ExpiringFields);
        FieldExpiry* expiry = ExpiryOf(block);
        expiry->Owner = block;
        _expiring.Add((byte*)expiry);
    }

    /// <summary>Notes that a hash has no fields any more that expire, or is about to go.</summary>
    internal void LeaveExpiring(byte* block)
    {
        EntryBlock.SetFlags(block, EntryBlock.FlagsOf(block) & ~EntryFlags.ExpiringFields);
        _expiring.Remove((byte*)ExpiryOf(block));
    }

    /// <summary>Notes that the earliest time of a hash may be another one.</summary>
    internal void ExpiringChanged(FieldExpiry* expiry) => _expiring.Update((byte*)expiry);

    private static FieldExpiry* ExpiryOf(byte* block) =>
        ((HashState*)Unsafe.ReadUnaligned<nint>(EntryBlock.ValueStart(block)))->Expiry;

    private static bool HasExpiring(byte* block) =>
        (EntryBlock.FlagsOf(block) & EntryFlags.ExpiringFields) != EntryFlags.None;

    // Takes a hash whose value is about to be dropped out of the queue.
    private void ForgetFields(byte* block)
    {
        if (HasExpiring(block))
        {
            LeaveExpiring(block);
        }
    }

    // Removes fields of a hash that a look-up has found. Returns whether there is still a key.
    private bool ExpireFieldsOnAccess(byte* block)
    {
        if (!_keyspace.DeletesExpiredKeys || !_keyspace.IsOver(FieldExpiry.DueAt((byte*)ExpiryOf(block))))
        {
            return true;
        }

        ExpireFields(block, FieldsPerLookup, out bool isGone);
        return !isGone;
    }

    private int ExpireFields(byte* block, int max, out bool isGone)
    {
        HashValue hash = HashValue.Open(this, new Entry(block), default);
        int removed = hash.RemoveExpired(max);
        isGone = hash.Count == 0;
        if (removed > 0)
        {
            _keyspace.FieldsExpired?.Invoke(this, EntryBlock.KeyOf(block), isGone);
        }

        if (isGone)
        {
            RemoveAndFree(block, lazily: false);
        }

        _keyspace.Statistics.ExpiredFields += removed;
        return removed;
    }
}
