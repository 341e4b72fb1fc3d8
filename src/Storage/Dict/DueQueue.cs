using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>Things ordered by when they fall due: a binary heap of addresses in native memory.</summary>
/// <remarks>
/// Each thing knows its place, so that one in the middle is taken out, moved or replaced in O(log n) without a search.
/// All zero bytes are an empty queue. It does not own the things. Command loop only, but for <see cref="Free"/>.
/// </remarks>
internal unsafe struct DueQueue<TLayout>
    where TLayout : struct, IDueLayout
{
    private const int FirstCapacity = 4;

    private byte** _items;
    private int _capacity;

    /// <summary>Number of things.</summary>
    public int Count { get; private set; }

    /// <summary>The thing that falls due first; the queue is not empty.</summary>
    public readonly byte* First => _items[0];

    /// <summary>Bytes of native memory.</summary>
    public readonly long Bytes => _items == null ? 0 : (long)NativeHeap.UsableSize(BytesOf(_capacity));

    /// <summary>Makes sure that so many more can be added without a call to the heap.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void EnsureRoom(NativeHeap heap, int count)
    {
        if (_capacity - Count >= count)
        {
            return;
        }

        long wanted = Math.Max(Math.Max(FirstCapacity, (long)Count + count), Math.Min(_capacity * 2L, int.MaxValue));
        var capacity = checked((int)wanted);
        _items = _items == null
            ? (byte**)heap.Allocate(BytesOf(capacity), HeapTag.Expiry)
            : (byte**)heap.Reallocate((byte*)_items, BytesOf(_capacity), BytesOf(capacity), HeapTag.Expiry);
        _capacity = capacity;
    }

    /// <summary>Adds a thing, for which there is room. O(log n).</summary>
    public void Add(byte* item)
    {
        Debug.Assert(Count < _capacity, "room was made");
        Count++;
        Place(Count - 1, item);
        Rise(Count - 1);
    }

    /// <summary>Takes a thing out. O(log n).</summary>
    public void Remove(byte* item)
    {
        int slot = TLayout.SlotOf(item);
        Debug.Assert(slot < Count && _items[slot] == item, "the thing knows its place");
        Count--;
        if (slot < Count)
        {
            Place(slot, _items[Count]);
            Sift(slot);
        }
    }

    /// <summary>Puts a thing where it belongs after it has another time. O(log n).</summary>
    public readonly void Update(byte* item) => Sift(TLayout.SlotOf(item));

    /// <summary>Puts a thing in the place of one with the same time. O(1).</summary>
    public readonly void Replace(byte* item, byte* replacement) => Place(TLayout.SlotOf(item), replacement);

    /// <summary>How many things fell due before an instant. O(that many).</summary>
    public readonly int CountBefore(long ms) => CountBefore(0, ms);

    /// <summary>Frees the queue's own memory; it is empty afterwards.</summary>
    public void Free(NativeHeap heap, FreeFrom from)
    {
        if (_items != null)
        {
            heap.Free((byte*)_items, BytesOf(_capacity), HeapTag.Expiry, from);
        }

        this = default;
    }

    private static nuint BytesOf(int capacity) => (nuint)capacity * (nuint)sizeof(byte*);

    // As deep as the heap is high: 31 at most.
    private readonly int CountBefore(int slot, long ms) =>
        slot >= Count || slot < 0 || TLayout.DueAt(_items[slot]) >= ms
            ? 0
            : 1 + CountBefore((2 * slot) + 1, ms) + CountBefore((2 * slot) + 2, ms);

    private readonly void Place(int slot, byte* item)
    {
        _items[slot] = item;
        TLayout.SetSlot(item, slot);
    }

    private readonly void Sift(int slot)
    {
        if (!Rise(slot))
        {
            Sink(slot);
        }
    }

    private readonly bool Rise(int slot)
    {
        byte* item = _items[slot];
        long due = TLayout.DueAt(item);
        int from = slot;
        while (slot > 0)
        {
            int parent = (slot - 1) / 2;
            if (TLayout.DueAt(_items[parent]) <= due)
            {
                break;
            }

            Place(slot, _items[parent]);
            slot = parent;
        }

        Place(slot, item);
        return slot != from;
    }

    private readonly void Sink(int slot)
    {
        byte* item = _items[slot];
        long due = TLayout.DueAt(item);
        while (true)
        {
            long child = (2L * slot) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && TLayout.DueAt(_items[child + 1]) < TLayout.DueAt(_items[child]))
            {
                child++;
            }

            if (TLayout.DueAt(_items[child]) >= due)
            {
                break;
            }

            Place(slot, _items[child]);
            slot = (int)child;
        }

        Place(slot, item);
    }
}
