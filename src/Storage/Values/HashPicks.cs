using System.Buffers;

namespace KvServer.Storage;

/// <summary>Chooses fields of a hash at random, again and again: one may come more than once.</summary>
/// <remarks>
/// In a hash table fields are drawn, and drawn anew where their time has come. Where nearly all wait to be removed, the others
/// are gathered, once for all picks: O(fields), and 8 bytes for each of those meanwhile. The hash must not change.
/// </remarks>
public unsafe ref struct HashPicks
{
    private const int MaxDraws = 64;

    private readonly HashValue _hash;
    private readonly Random _random;
    private readonly long _nowMs;
    private nint[]? _live;
    private int _liveCount;

    internal HashPicks(scoped in HashValue hash, Random random, long nowMs)
    {
        _hash = hash;
        _random = random;
        _nowMs = nowMs;
    }

    /// <summary>Chooses a field.</summary>
    /// <remarks>The hash must have one whose time has not come. O(1), or O(fields) for a listpack and for the first pick of
    /// a hash nearly all of whose fields wait to be removed.</remarks>
    public HashField Next()
    {
        if (_hash.Encoding == ValueEncoding.PackedList)
        {
            PackedList list = _hash.Packed;
            int position = list.PositionAt(2 * _random.Next(list.Count / 2));
            return new HashField(list[position], list[list.Next(position)]);
        }

        for (int i = 0; _live is null && i < MaxDraws; i++)
        {
            byte* element = _hash.Fields.FindFairRandom(_random);
            if (!FieldLayout.HasExpiry(element) || _nowMs <= FieldLayout.DueAt(element))
            {
                return HashField.Of(element);
            }
        }

        if (_live is null)
        {
            Gather();
        }

        return HashField.Of((byte*)_live![_random.Next(_liveCount)]);
    }

    /// <summary>Ends the picking.</summary>
    public void Dispose()
    {
        if (_live is not null)
        {
            ArrayPool<nint>.Shared.Return(_live);
            _live = null;
        }
    }

    private void Gather()
    {
        _live = ArrayPool<nint>.Shared.Rent(checked((int)_hash.LiveCount));
        HashEnumerator fields = _hash.GetEnumerator();
        while (fields.MoveNext())
        {
            _live[_liveCount++] = (nint)fields.Element;
        }

        fields.Dispose();
        Invariant.Check(_liveCount > 0, "a hash that is picked from has a field");
    }
}
