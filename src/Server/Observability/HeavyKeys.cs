using System.Runtime.InteropServices;

namespace KvServer.Server.Observability;

/// <summary>The keys that weigh most in a stream with any number of different ones, in bounded memory.</summary>
/// <remarks>
/// <para>The Space-Saving algorithm: a fixed number of counters, each with the key it counts for. A key that has none takes
/// over the smallest, and goes on counting from what that had reached; how much that was is noted.</para>
/// <code>
///   heap    slot numbers, the smallest count first
///   index   open addressing by the key's hash -> slot number
///   slots   [id | count | taken over | variance | of late | database, length, place in the heap]
///   names   128 bytes per slot
/// </code>
/// <para>What it guarantees of a stream of weight W: a key that weighs more than W / <see cref="Capacity"/> has a counter;
/// the counter says no less than the key's weight, and what was taken over at the start says how much more it may say, which
/// is at most W / <see cref="Capacity"/>. So count less taken over is what the key has weighed since it got the counter: that
/// is what <see cref="Top"/> goes by. Weights that are samples of others bring the variance of the sampling along.</para>
/// <para>A key is known by its 64-bit hash, which is keyed with a secret of this process: that two share one does not happen,
/// by chance or by design. Adding allocates nothing. Command loop only.</para>
/// </remarks>
internal sealed class HeavyKeys
{
    /// <summary>Counters.</summary>
    public const int Capacity = 256;

    /// <summary>Bytes of a key that are kept.</summary>
    public const int KeptNameBytes = 128;

    private const int IndexMask = (4 * Capacity) - 1;
    private const double Deviations = 3;
    private const double KeptPerSecond = 0.9; // Of late means the last ten seconds, mostly.

    private readonly Slot[] _slots = new Slot[Capacity];
    private readonly byte[] _names = new byte[Capacity * KeptNameBytes];
    private readonly short[] _index = new short[IndexMask + 1]; // Slot number + 1; 0 is free.
    private readonly short[] _heap = new short[Capacity];
    private int _count;

    /// <summary>All that was ever added.</summary>
    public long Total { get; private set; }

    /// <summary>Counts for a key. O(log counters).</summary>
    /// <param name="database">The number of the key's database.</param>
    /// <param name="name">The key; copied if it gets a counter.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="weight">How much it weighs, at least 1.</param>
    /// <param name="variance">The variance of that figure, 0 when it is exact.</param>
    public void Add(int database, ReadOnlySpan<byte> name, ulong hash, long weight, double variance)
    {
        Total += weight;
        ulong id = hash + ((ulong)database * 0x9E3779B97F4A7C15);
        int place = FindPlace(id);
        int number = _index[place] - 1;
        if (number < 0)
        {
            number = TakeSlot(id, place, database, name);
        }

        ref Slot slot = ref _slots[number];
        slot.Count += weight;
        slot.Variance += variance;
        slot.OfLate += weight;
        SiftDown(slot.HeapPlace);
    }

    /// <summary>The heaviest keys, heaviest first. Those whose amount may be owed to chance alone are left out.</summary>
    /// <param name="count">How many at most.</param>
    /// <param name="leastAmount">What a key has to reach to be told at all.</param>
    public List<HeavyKey> Top(int count, long leastAmount = 0)
    {
        List<HeavyKey> keys = [];
        for (int i = 0; i < _count; i++)
        {
            ref readonly Slot slot = ref _slots[i];
            long amount = slot.Count - slot.TakenOver;
            long chance = (long)Math.Ceiling(Deviations * Math.Sqrt(slot.Variance));
            if (amount > chance && amount >= leastAmount)
            {
                keys.Add(new HeavyKey(
                    slot.Database,
                    _names.AsSpan(i * KeptNameBytes, Math.Min(slot.NameBytes, KeptNameBytes)).ToArray(),
                    slot.NameBytes,
                    amount,
                    chance + slot.TakenOver,
                    (long)Math.Round(slot.OfLate * (1 - KeptPerSecond))));
            }
        }

        keys.Sort((a, b) => a.Amount != b.Amount ? b.Amount.CompareTo(a.Amount) : a.Name.AsSpan().SequenceCompareTo(b.Name));
        return keys.Count <= count ? keys : keys[..count];
    }

    /// <summary>Lets a second pass for <see cref="HeavyKey.PerSecond"/>. O(counters).</summary>
    public void SecondPassed()
    {
        for (int i = 0; i < _count; i++)
        {
            _slots[i].OfLate *= (float)KeptPerSecond;
        }
    }

    /// <summary>Begins again with nothing.</summary>
    public void Reset()
    {
        Array.Clear(_index);
        Array.Clear(_slots);
        Array.Clear(_names);
        _count = 0;
        Total = 0;
    }

    // Gives the key a counter: a free one, or the smallest.
    private int TakeSlot(ulong id, int place, int database, ReadOnlySpan<byte> name)
    {
        int number;
        long takenOver = 0;
        if (_count < Capacity)
        {
            number = _count++;
            _slots[number].HeapPlace = number;
            _heap[number] = (short)number;
            SiftUp(number); // With nothing counted yet it belongs to the front.
        }
        else
        {
            number = _heap[0];
            takenOver = _slots[number].Count;
            RemoveFromIndex(FindPlace(_slots[number].Id));
            place = FindPlace(id); // The others may have moved up.
        }

        ref Slot slot = ref _slots[number];
        slot.Id = id;
        slot.Count = takenOver;
        slot.TakenOver = takenOver;
        slot.Variance = 0;
        slot.OfLate = 0;
        slot.Database = database;
        slot.NameBytes = name.Length;
        name[..Math.Min(name.Length, KeptNameBytes)].CopyTo(_names.AsSpan(number * KeptNameBytes));
        _index[place] = (short)(number + 1);
        return number;
    }

    // Where the key's number stands in the index, or where it would.
    private int FindPlace(ulong id)
    {
        int place = (int)id & IndexMask;
        while (_index[place] != 0 && _slots[_index[place] - 1].Id != id)
        {
            place = (place + 1) & IndexMask;
        }

        return place;
    }

    // Closes the gap, so that those behind it are still found.
    private void RemoveFromIndex(int gap)
    {
        for (int next = (gap + 1) & IndexMask; _index[next] != 0; next = (next + 1) & IndexMask)
        {
            int home = (int)_slots[_index[next] - 1].Id & IndexMask;
            if (((next - home) & IndexMask) >= ((next - gap) & IndexMask))
            {
                _index[gap] = _index[next];
                gap = next;
            }
        }

        _index[gap] = 0;
    }

    private void SiftDown(int place)
    {
        short number = _heap[place];
        long count = _slots[number].Count;
        while (true)
        {
            int child = (2 * place) + 1;
            if (child >= _count)
            {
                break;
            }

            if (child + 1 < _count && _slots[_heap[child + 1]].Count < _slots[_heap[child]].Count)
            {
                child++;
            }

            if (_slots[_heap[child]].Count >= count)
            {
                break;
            }

            Put(_heap[child], place);
            place = child;
        }

        Put(number, place);
    }

    private void SiftUp(int place)
    {
        short number = _heap[place];
        while (place > 0 && _slots[_heap[(place - 1) / 2]].Count > _slots[number].Count)
        {
            Put(_heap[(place - 1) / 2], place);
            place = (place - 1) / 2;
        }

        Put(number, place);
    }

    private void Put(short number, int place)
    {
        _heap[place] = number;
        _slots[number].HeapPlace = place;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Slot
    {
        public ulong Id;
        public long Count;
        public long TakenOver;
        public double Variance;
        public float OfLate;
        public int Database;
        public int NameBytes;
        public int HeapPlace;
    }
}
