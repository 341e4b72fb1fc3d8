using System.Diagnostics;

namespace KvServer.Resp;

/// <content>Putting requests together argument by argument, for what is read from elsewhere than a connection.</content>
public sealed partial class RequestBatch
{
    private int _openCount;
    private int _openLargeCount;

    /// <summary>Adds an argument that stays where it lies to the request being put together.</summary>
    /// <param name="array">Holds the bytes, unchanged until <see cref="Clear"/>.</param>
    /// <param name="offset">Where they begin.</param>
    /// <param name="lengthBytes">How many there are.</param>
    /// <remarks>Call it only for arguments that are really there: each costs a slot.</remarks>
    public void AddArgument(byte[] array, int offset, int lengthBytes)
    {
        ArgumentNullException.ThrowIfNull(array);
        if ((uint)offset > (uint)array.Length || (uint)lengthBytes > (uint)(array.Length - offset))
        {
            throw new ArgumentOutOfRangeException(nameof(lengthBytes)); // Spans are made of it unchecked.
        }

        ReserveSlots(_openCount + 1)[_openCount] = new ArgumentSlot(array, offset, lengthBytes);
        _openCount++;
    }

    /// <summary>Adds a complete large bulk to the request being put together; the batch owns it from now on.</summary>
    public void AdoptArgument(LargeBulk bulk)
    {
        ArgumentNullException.ThrowIfNull(bulk);
        Debug.Assert(bulk.IsComplete, "Only bulks whose bytes have all arrived are arguments.");
        ReserveSlots(_openCount + 1)[_openCount] = new ArgumentSlot(bulk, ArgumentSlot.LargeOffset, bulk.LengthBytes);
        _openCount++;
        _openLargeCount++;
    }

    /// <summary>Adds a copy of a request of another batch, which outlives that batch's receive buffer; its large bulks
    /// are taken over, and read as empty there afterwards.</summary>
    /// <returns>The request, with nothing found out about it yet.</returns>
    /// <exception cref="OutOfMemoryException">Neither batch has changed.</exception>
    /// <remarks>O(bytes of its other arguments). No request may be being put together.</remarks>
    public ref Request AddCopy(Arguments arguments)
    {
        Debug.Assert(_openCount == 0, "One request is put together at a time.");
        Span<ArgumentSlot> slots = ReserveSlots(arguments.Count);
        ReserveRequest();
        int largeCount = 0;
        for (int i = 0; i < arguments.Count; i++)
        {
            ReadOnlySpan<byte> argument = arguments[i];
            if (arguments.IsLarge(i))
            {
                largeCount++;
            }
            else
            {
                argument.CopyTo(Scratch.Take(argument.Length, out slots[i]));
            }
        }

        // Taken last: nothing can fail any more, so each large bulk has one owner throughout.
        for (int i = 0; largeCount > 0 && i < arguments.Count; i++)
        {
            if (arguments.IsLarge(i))
            {
                int lengthBytes = arguments.Slots[i].Length;
                slots[i] = new ArgumentSlot(arguments.TakeLarge(i), ArgumentSlot.LargeOffset, lengthBytes);
            }
        }

        AddLarge(largeCount);
        AddRequest(arguments.Count);
        return ref this[Count - 1];
    }

    /// <summary>Makes a request of the arguments added since the last one; at least one.</summary>
    /// <param name="consumedBytes">What the request takes in its source, for <see cref="ConsumedBytes"/>.</param>
    public void EndRequest(long consumedBytes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(_openCount);
        AddLarge(_openLargeCount);
        AddRequest(_openCount);
        ConsumedBytes += consumedBytes;
        _openCount = 0;
        _openLargeCount = 0;
    }

    /// <summary>Forgets the arguments added since the last request and disposes large bulks among them.</summary>
    public void DropOpenRequest()
    {
        if (_openLargeCount > 0)
        {
            foreach (ref ArgumentSlot slot in _slots.AsSpan(_slotCount, _openCount))
            {
                (slot.Source as LargeBulk)?.Dispose();
                slot = default;
            }

            _openLargeCount = 0;
        }

        _openCount = 0;
    }
}
