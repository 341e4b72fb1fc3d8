using System.Buffers;

namespace KvServer.Resp;

/// <summary>A bump allocator over pooled arrays, for the few arguments that cannot stay in the receive buffer.</summary>
/// <remarks>Blocks are handed out whole and freed all together. One small array is kept between uses.</remarks>
internal sealed class Scratch
{
    private const int SmallBytes = 4096;
    private const int LargestStepBytes = 1024 * 1024;

    private readonly List<byte[]> _full = [];
    private byte[]? _current;
    private int _used;

    /// <summary>Takes <paramref name="lengthBytes"/> contiguous bytes, not cleared.</summary>
    public Span<byte> Take(int lengthBytes, out ArgumentSlot slot)
    {
        if (_current is null || _current.Length - _used < lengthBytes)
        {
            // In this order: an array that were in both places when memory runs out would be given back twice, and then
            // belong to two.
            int step = _current is null ? SmallBytes : Math.Min(LargestStepBytes, _current.Length * 2);
            byte[] next = ArrayPool<byte>.Shared.Rent(Math.Max(step, lengthBytes));
            if (_current is not null)
            {
                _full.Add(_current);
            }

            _current = next;
            _used = 0;
        }

        slot = new ArgumentSlot(_current, _used, lengthBytes);
        _used += lengthBytes;
        return _current.AsSpan(slot.Offset, lengthBytes);
    }

    /// <summary>Gives every array to <paramref name="owner"/>, which frees them with its own.</summary>
    public void MoveTo(Scratch owner)
    {
        owner._full.AddRange(_full);
        _full.Clear();
        if (_current is not null)
        {
            owner._full.Add(_current);
            _current = null;
            _used = 0;
        }
    }

    /// <summary>Frees what was taken; keeps one small array unless <paramref name="keepNothing"/>.</summary>
    public void Clear(bool keepNothing = false)
    {
        if (_full.Count > 0)
        {
            foreach (byte[] array in _full)
            {
                ArrayPool<byte>.Shared.Return(array);
            }

            _full.Clear();
        }

        if (_current is not null && (keepNothing || _current.Length > SmallBytes))
        {
            ArrayPool<byte>.Shared.Return(_current);
            _current = null;
        }

        _used = 0;
    }
}
