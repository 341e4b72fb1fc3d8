using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Resp;

/// <summary>The complete requests found in what a connection has received, ready to run.</summary>
/// <remarks>Reused for batch after batch; in steady state it allocates nothing. Arguments are slices of the receive
/// buffer, so the buffer must stay until <see cref="Clear"/>. Used by one thread at a time. One batch may serve several
/// connections one after the other, but not two readers between two calls of <see cref="Clear"/> unless all their
/// receive buffers stay.</remarks>
public sealed partial class RequestBatch : IDisposable
{
    private const int FirstRequests = 16;
    private const int FirstSlots = 64;
    private const int KeptSlots = 16 * 1024;

    private Request[] _requests = new Request[FirstRequests];
    private ArgumentSlot[] _slots = new ArgumentSlot[FirstSlots];
    private int _slotCount;
    private int _largeCount;
    private Scratch? _scratch;

    /// <summary>The number of requests.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the reader stopped because of a bound, so that other connections get their turn.</summary>
    public bool IsFull { get; internal set; }

    /// <summary>Index of the request to run next; kept here by the server, so that a batch can be left and resumed.</summary>
    public int Next { get; set; }

    /// <summary>Requests before this index have been looked up and their keys asked for; kept here by the server.</summary>
    public int LookedAhead { get; set; }

    /// <summary>How many bytes the requests took on the wire.</summary>
    public long ConsumedBytes { get; internal set; }

    /// <summary>One of the requests, to be read or filled by the server.</summary>
    public ref Request this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Debug.Assert((uint)index < (uint)Count, "Only requests that were read can be asked for.");
            return ref _requests[index];
        }
    }

    /// <summary>The arguments of one request, valid until <see cref="Clear"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Arguments ArgumentsOf(int index) => this[index].Arguments(this);

    /// <summary>Forgets all requests, disposes large bulks nobody took and gives pooled memory back.</summary>
    public void Clear()
    {
        DropOpenRequest();
        if (_largeCount > 0)
        {
            DisposeLarge();
        }

        // Slots and command references stay behind on purpose: clearing them costs time on every batch, and what they
        // keep alive are pooled arrays and the command table. Trim drops them.
        if (_slots.Length > KeptSlots)
        {
            _slots = new ArgumentSlot[FirstSlots];
        }

        _scratch?.Clear();
        _slotCount = 0;
        Count = 0;
        Next = 0;
        LookedAhead = 0;
        IsFull = false;
        ConsumedBytes = 0;
    }

    /// <summary>Clears and gives back everything but the smallest arrays, for a connection that has gone idle.</summary>
    public void Trim()
    {
        Clear();
        _scratch?.Clear(keepNothing: true);
        if (_requests.Length > FirstRequests)
        {
            _requests = new Request[FirstRequests];
        }

        if (_slots.Length > FirstSlots)
        {
            _slots = new ArgumentSlot[FirstSlots];
        }

        Array.Clear(_requests);
        Array.Clear(_slots);
    }

    /// <inheritdoc/>
    public void Dispose() => Trim();

    internal Scratch Scratch => _scratch ??= new Scratch();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Arguments ArgumentsAt(int firstSlot, int count) => new(_slots.AsSpan(firstSlot, count));

    /// <summary>Room for <paramref name="count"/> more slots, which become part of the batch with
    /// <see cref="AddRequest"/>. Call only when that many arguments have really arrived.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<ArgumentSlot> ReserveSlots(int count)
    {
        if (_slots.Length - _slotCount < count)
        {
            GrowSlots(count);
        }

        return _slots.AsSpan(_slotCount, count);
    }

    /// <summary>Turns the next <paramref name="argumentCount"/> reserved slots into a request.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void AddRequest(int argumentCount)
    {
        ReserveRequest();
        ref Request request = ref _requests[Count++];
        request.FirstSlot = _slotCount;
        request.ArgumentCount = argumentCount;
        request.FirstKey = 0;
        request.KeyHash = 0;
        request.Command = null;
        _slotCount += argumentCount;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ReserveRequest()
    {
        if (Count == _requests.Length)
        {
            Array.Resize(ref _requests, Count * 2);
        }
    }

    /// <summary>Notes that the request about to be added holds large bulks.</summary>
    internal void AddLarge(int count) => _largeCount += count;

    private void DisposeLarge()
    {
        foreach (ref ArgumentSlot slot in _slots.AsSpan(0, _slotCount))
        {
            if (slot.IsLarge)
            {
                (slot.Source as LargeBulk)?.Dispose();
                slot = default;
            }
        }

        _largeCount = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void GrowSlots(int count)
    {
        long wanted = Math.Max(2L * _slots.Length, (long)_slotCount + count);
        Array.Resize(ref _slots, (int)Math.Min(wanted, Array.MaxLength));
    }
}
