using System.Buffers;

namespace KvServer.Resp;

/// <summary>A large bulk in an array of the shared pool, for when no factory is given.</summary>
internal sealed class PooledLargeBulk : LargeBulk
{
    private byte[] _array = [];

    public PooledLargeBulk(int lengthBytes)
        : base(lengthBytes)
    {
    }

    protected override Span<byte> Block => _array;

    protected override void Resize(int capacityBytes, int usedBytes)
    {
        byte[] next = ArrayPool<byte>.Shared.Rent(capacityBytes);
        _array.AsSpan(0, usedBytes).CopyTo(next);
        Return();
        _array = next;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Return();
        }
    }

    private void Return()
    {
        if (_array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_array);
            _array = [];
        }
    }

    /// <summary>The factory used when none is given.</summary>
    internal sealed class Factory : ILargeBulkFactory
    {
        public static readonly Factory Instance = new();

        public LargeBulk Create(int lengthBytes) => new PooledLargeBulk(lengthBytes);
    }
}
