using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The elements of a collection on the way to their order: texts, and what each is sorted by.</summary>
/// <remarks>
/// <para>The collection keeps its own order, and its texts may lie where the next look at it writes over them, so they
/// are copied, one after the other into chunks:</para>
/// <code>
/// items    [rank:8|text:8|key:8|lengths:4+4|place:4] x capacity
/// chunks   [next:8|bytes:8] text text key text ...  ->  [next|bytes] text text ...
/// </code>
/// <para>What an element is sorted by is a number and then a key: a score and the text, or the first bytes of the key
/// and the key. Long keys are not copied, since many elements may be sorted by the same long string.</para>
/// <para>Memory: 40 bytes and the text for each element, all of it given back by <see cref="Dispose"/>. Command loop
/// only.</para>
/// </remarks>
public unsafe ref struct SortVector
{
    /// <summary>Keys of so many bytes are copied. Longer ones must stay where they are until the vector is disposed, as
    /// values of the store do while nothing changes.</summary>
    public const int CopiedKeyBytes = 64;

    private const int FirstChunkBytes = 1024;
    private const int MaxChunkBytes = 256 * 1024;

    private readonly NativeHeap _heap;
    private readonly int _capacity;
    private readonly SortItem* _items;
    private Chunk* _chunk;
    private byte* _room;
    private int _roomBytes;

    /// <summary>Makes a vector without elements.</summary>
    /// <param name="keyspace">The store whose memory it uses.</param>
    /// <param name="capacity">How many elements it will get at most.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public SortVector(Keyspace keyspace, long capacity)
    {
        _heap = keyspace.Heap;
        if (capacity > Array.MaxLength)
        {
            HeapFailure.ThrowOutOfMemory();
        }

        _capacity = (int)capacity;
        if (capacity > 0)
        {
            _items = (SortItem*)_heap.Allocate(ItemBytes, HeapTag.Buffer);
        }
    }

    /// <summary>Number of elements so far.</summary>
    public int Count { readonly get; private set; }

    private readonly nuint ItemBytes => (nuint)_capacity * (nuint)sizeof(SortItem);

    /// <summary>The text of the element in a place.</summary>
    /// <returns>Valid until the vector is disposed.</returns>
    public readonly ReadOnlySpan<byte> this[int place] => ItemAt(place).TextSpan;

    /// <summary>Copies a text to the end.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory; the vector is as it was.</exception>
    public void Add(scoped ReadOnlySpan<byte> text)
    {
        Debug.Assert(Count < _capacity, "the caller has said how many there will be");
        _items[Count] = new SortItem { Text = Copy(text), TextLength = text.Length, Place = Count };
        Count++;
    }

    /// <summary>Has an element sorted by a score, and then by its text.</summary>
    /// <param name="place">Which one.</param>
    /// <param name="score">No NaN.</param>
    public readonly void SortByScore(int place, double score)
    {
        Debug.Assert(!double.IsNaN(score), "what is no number has no place");

        // The bits of positive numbers ascend as the numbers do, those of negative ones descend. Zero has one form.
        long bits = BitConverter.DoubleToInt64Bits(score + 0.0);
        ref SortItem item = ref ItemAt(place);
        item.Rank = bits < 0 ? (ulong)~bits : (ulong)bits | (1UL << 63);
        item.Key = item.Text;
        item.KeyLength = item.TextLength;
    }

    /// <summary>Has an element sorted by its own text.</summary>
    /// <param name="place">Which one.</param>
    /// <param name="lengthBytes">How much of the text counts.</param>
    public readonly void SortByText(int place, int lengthBytes)
    {
        ref SortItem item = ref ItemAt(place);
        SetKey(ref item, item.Text, lengthBytes);
    }

    /// <summary>Has an element sorted by a text that is not its own. One that is given none comes before all that have
    /// one.</summary>
    /// <param name="place">Which one.</param>
    /// <param name="key">The text; see <see cref="CopiedKeyBytes"/> for how long it must stay.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory; the vector is as it was.</exception>
    public void SortByKey(int place, scoped ReadOnlySpan<byte> key)
    {
        byte* start = key.Length <= CopiedKeyBytes
            ? Copy(key)
            : (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(key));
        SetKey(ref ItemAt(place), start, key.Length);
    }

    /// <summary>Puts elements in order, those in a range of places; the others come in any order.</summary>
    /// <param name="from">The first place.</param>
    /// <param name="to">The last one; before the first for none.</param>
    /// <param name="descending">Whether ranks and keys descend.</param>
    /// <param name="keepsTies">Whether elements that compare equal stay in the order they were added in, or else come
    /// in that of their texts.</param>
    /// <remarks>O(n) and O(m log m) for m places of n on average; O(n log n) at worst.</remarks>
    public readonly void Sort(int from, int to, bool descending, bool keepsTies) =>
        PartialSort.Sort(new Span<SortItem>(_items, Count), from, to, new SortOrder(descending, keepsTies));

    /// <summary>Gives all memory back.</summary>
    public void Dispose()
    {
        while (_chunk != null)
        {
            Chunk* next = _chunk->Next;
            _heap.Free((byte*)_chunk, _chunk->Bytes, HeapTag.Buffer);
            _chunk = next;
        }

        if (_items != null)
        {
            _heap.Free((byte*)_items, ItemBytes, HeapTag.Buffer);
        }

        this = default;
    }

    private readonly ref SortItem ItemAt(int place)
    {
        Debug.Assert(place >= 0 && place < Count, "there is such an element");
        return ref _items[place];
    }

    private static void SetKey(ref SortItem item, byte* key, int lengthBytes)
    {
        item.Key = key;
        item.KeyLength = lengthBytes;
        if (lengthBytes >= sizeof(ulong))
        {
            item.Rank = BinaryPrimitives.ReadUInt64BigEndian(new ReadOnlySpan<byte>(key, sizeof(ulong)));
            return;
        }

        ulong rank = 0;
        for (int i = 0; i < lengthBytes; i++)
        {
            rank |= (ulong)key[i] << (56 - (8 * i));
        }

        item.Rank = rank;
    }

    // Never null, also for an empty text: null is for no key at all.
    private byte* Copy(scoped ReadOnlySpan<byte> text)
    {
        if (_roomBytes < text.Length || _chunk == null)
        {
            AddChunk(text.Length);
        }

        byte* copy = _room;
        text.CopyTo(new Span<byte>(copy, text.Length));
        _room += text.Length;
        _roomBytes -= text.Length;
        return copy;
    }

    // Chunks double up to a size, so that a short list takes little; a longer text has one of its own.
    private void AddChunk(int textBytes)
    {
        nuint doubled = _chunk == null ? FirstChunkBytes : Math.Min(_chunk->Bytes * 2, MaxChunkBytes);
        nuint bytes = Math.Max(doubled, (nuint)textBytes + (nuint)sizeof(Chunk));
        var chunk = (Chunk*)_heap.Allocate(bytes, HeapTag.Buffer);
        chunk->Next = _chunk;
        chunk->Bytes = bytes;
        _chunk = chunk;
        _room = (byte*)(chunk + 1);
        _roomBytes = (int)(bytes - (nuint)sizeof(Chunk));
    }

    private struct Chunk
    {
        public Chunk* Next;
        public nuint Bytes;
    }
}
