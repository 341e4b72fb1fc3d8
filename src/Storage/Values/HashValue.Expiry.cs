using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Fields that expire.</content>
public unsafe ref partial struct HashValue
{
    /// <summary>The latest time at which a field can expire, in milliseconds since 1970.</summary>
    public const long MaxExpireAtMs = (1L << 46) - 1;

    /// <summary>Whether any field expires.</summary>
    public readonly bool HasExpiring => _table != null && _table->Expiry != null;

    /// <summary>The earliest time at which a field expires, or <see cref="Database.NoExpiry"/>. O(1).</summary>
    public readonly long FirstExpiryMs => HasExpiring
        ? FieldLayout.DueAt(_table->Expiry->Fields.First)
        : Database.NoExpiry;

    /// <summary>Finds out when a field expires.</summary>
    /// <param name="field">The field.</param>
    /// <param name="expireAtMs">In milliseconds since 1970, or <see cref="Database.NoExpiry"/>.</param>
    /// <returns>False when there is no such field.</returns>
    public readonly bool TryGetExpiry(scoped ReadOnlySpan<byte> field, out long expireAtMs)
    {
        expireAtMs = Database.NoExpiry;
        if (Encoding != ValueEncoding.HashTable)
        {
            return Contains(field);
        }

        byte* element = FindLive(field, _keyspace.HashOf(field));
        if (element == null)
        {
            return false;
        }

        expireAtMs = FieldLayout.ExpireAtOf(element);
        return true;
    }

    /// <summary>Sets when a field expires. The hash becomes a hash table.</summary>
    /// <param name="field">A field that is there.</param>
    /// <param name="expireAtMs">At least 0, in milliseconds since 1970.</param>
    /// <remarks>O(log fields that expire), beside turning a listpack into a table.</remarks>
    /// <exception cref="OutOfMemoryException">No field has changed.</exception>
    public void SetExpireAt(scoped ReadOnlySpan<byte> field, long expireAtMs)
    {
        if (Encoding != ValueEncoding.HashTable)
        {
            ConvertToTable(Count);
        }

        byte* element = FindLive(field, _keyspace.HashOf(field));
        Invariant.Check(element != null, "the caller has found the field");
        BeforeChange(element);
        if (FieldLayout.HasExpiry(element))
        {
            FieldLayout.SetExpireAt(element, expireAtMs);
            _table->Expiry->Fields.Update(element);
            _database?.ExpiringChanged(_table->Expiry);
            return;
        }

        bool isFirst = _table->Expiry == null;
        if (isFirst)
        {
            _database?.EnsureExpiringRoom();
        }

        FieldExpiry* expiry = isFirst ? FieldExpiry.Create(_keyspace.Heap) : _table->Expiry;
        byte* replacement;
        try
        {
            expiry->Fields.EnsureRoom(_keyspace.Heap, 1);
            replacement = FieldLayout.Create(
                _keyspace.MemberRuntime,
                EntryLink.Hash(element),
                FieldLayout.FieldOf(element),
                FieldLayout.ValueOf(element),
                expireAtMs);
        }
        catch (OutOfMemoryException)
        {
            if (isFirst)
            {
                FieldExpiry.Free(_keyspace.Heap, expiry, FreeFrom.CommandLoop);
            }

            throw;
        }

        Exchange(element, replacement);
        expiry->Fields.Add(replacement);
        _table->Expiry = expiry;
        if (isFirst)
        {
            _database?.EnterExpiring(_entry.Block);
        }
        else
        {
            _database?.ExpiringChanged(expiry);
        }
    }

    /// <summary>Lets a field live until it is removed.</summary>
    /// <param name="field">A field that expires.</param>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public readonly void Persist(scoped ReadOnlySpan<byte> field)
    {
        ulong hash = _keyspace.HashOf(field);
        byte* element = FindLive(field, hash);
        Invariant.Check(element != null && FieldLayout.HasExpiry(element), "the caller has found an expiring field");
        BeforeChange(element);
        Exchange(
            element,
            FieldLayout.Create(_keyspace.MemberRuntime, hash, field, FieldLayout.ValueOf(element), Database.NoExpiry));
    }

    /// <summary>Removes fields whose time has come, the earliest first, and tells of each.</summary>
    /// <param name="max">Remove no more than so many.</param>
    /// <returns>How many have been removed. The key must be deleted when none is left.</returns>
    internal readonly int RemoveExpired(int max)
    {
        int removed = 0;
        while (removed < max && HasExpiring)
        {
            byte* element = _table->Expiry->Fields.First;
            if (!IsExpired(element))
            {
                break;
            }

            Debug.Assert(_database is not null, "only the hashes of keys expire");
            _keyspace.FieldExpired?.Invoke(_database, _entry.KeyBytes, FieldLayout.FieldOf(element), Count == 1);
            Fields.StepWithoutLookup();
            Fields.StepWithoutLookup(); // In place of the look-up of whoever would have removed it: the table is to follow.
            TakeOut(element);
            removed++;
        }

        return removed;
    }

    // Takes a field out of the queue of those that expire.
    private readonly void Unqueue(byte* element)
    {
        FieldExpiry* expiry = _table->Expiry;
        expiry->Fields.Remove(element);
        if (expiry->Fields.Count > 0)
        {
            _database?.ExpiringChanged(expiry);
            return;
        }

        _database?.LeaveExpiring(_entry.Block);
        _table->Expiry = null;
        FieldExpiry.Free(_keyspace.Heap, expiry, FreeFrom.CommandLoop);
    }
}
