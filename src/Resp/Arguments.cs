using System.Runtime.CompilerServices;

namespace KvServer.Resp;

/// <summary>The arguments of one request, the command name first.</summary>
/// <remarks>They borrow the receive buffer: spans are valid until the <see cref="RequestBatch"/> they come from is
/// cleared. Copying this struct copies no argument.</remarks>
public readonly ref struct Arguments
{
    private readonly Span<ArgumentSlot> _slots;

    internal Arguments(Span<ArgumentSlot> slots) => _slots = slots;

    /// <summary>The number of arguments, the command name included.</summary>
    public int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _slots.Length;
    }

    /// <summary>The bytes of one argument; empty when it was a large bulk that has been taken.</summary>
    public ReadOnlySpan<byte> this[int argIndex]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _slots[argIndex].Span;
    }

    /// <summary>The arguments from <paramref name="firstArgIndex"/> on.</summary>
    public Arguments Slice(int firstArgIndex) => new(_slots[firstArgIndex..]);

    /// <summary>A run of <paramref name="count"/> arguments.</summary>
    public Arguments Slice(int firstArgIndex, int count) => new(_slots.Slice(firstArgIndex, count));

    /// <summary>Whether an argument came as a large bulk that nobody has taken yet.</summary>
    public bool IsLarge(int argIndex) => _slots[argIndex].IsLarge && _slots[argIndex].Source is not null;

    /// <summary>Whether an argument came as a large bulk that somebody has taken.</summary>
    public bool IsTaken(int argIndex) => _slots[argIndex].IsLarge && _slots[argIndex].Source is null;

    /// <summary>Hands the block of a large argument to the caller, who disposes it or keeps it as the value.</summary>
    /// <returns>Null for an argument that is not over <see cref="ProtocolLimits.LargeBulkBytes"/> or was inline.</returns>
    /// <remarks>O(1), copies nothing. Afterwards the argument reads as empty.</remarks>
    public LargeBulk? TakeLarge(int argIndex)
    {
        ref ArgumentSlot slot = ref _slots[argIndex];
        if (!slot.IsLarge)
        {
            return null;
        }

        LargeBulk? large = slot.Source as LargeBulk;
        slot.Source = null;
        slot.Length = 0;
        return large;
    }

    internal Span<ArgumentSlot> Slots => _slots;
}
