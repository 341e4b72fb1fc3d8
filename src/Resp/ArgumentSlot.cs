using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Resp;

/// <summary>Where one argument lies: 16 bytes, so that a SET takes less than one cache line.</summary>
/// <remarks>Three states. A slice of an array: <see cref="Source"/> is a <c>byte[]</c> and <see cref="Offset"/> is not
/// negative; the reader has checked that the slice lies inside. A large bulk: <see cref="Source"/> is a
/// <see cref="LargeBulk"/>, or null once somebody took it, and <see cref="Offset"/> is -1. Only while its request is
/// incomplete, inside the reader: <see cref="Source"/> is null and <see cref="Offset"/> counts from the first unread
/// byte.</remarks>
internal struct ArgumentSlot
{
    /// <summary>The offset that marks a large bulk.</summary>
    public const int LargeOffset = -1;

    public object? Source;
    public int Offset;
    public int Length;

    public ArgumentSlot(object? source, int offset, int length)
    {
        Source = source;
        Offset = offset;
        Length = length;
    }

    public readonly bool IsLarge => Offset < 0;

    public readonly ReadOnlySpan<byte> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (Offset < 0)
            {
                return LargeSpan;
            }

            // The bounds were checked when the slot was made, once, instead of at each use.
            ref byte first = ref MemoryMarshal.GetArrayDataReference(Unsafe.As<byte[]>(Source!));
            return MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref first, Offset), Length);
        }
    }

    private readonly ReadOnlySpan<byte> LargeSpan => Source is LargeBulk large ? large.Span : default;
}
