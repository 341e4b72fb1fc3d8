namespace KvServer.Resp;

/// <summary>A bulk string over <see cref="ProtocolLimits.LargeBulkBytes"/>, in a block of its own that can become the
/// stored value without another copy.</summary>
/// <remarks>The announced length is only a promise of the client. The block starts small and doubles while bytes really
/// arrive, so a connection that announces 512 MB and sends nothing costs one small block. Implementations supply the
/// memory through <see cref="Resize"/>; one owner at a time, any thread.</remarks>
public abstract class LargeBulk : IDisposable
{
    private const int FirstCapacityBytes = 64 * 1024;

    /// <summary>Prepares a bulk of <paramref name="lengthBytes"/> announced bytes; allocates nothing.</summary>
    protected LargeBulk(int lengthBytes) => LengthBytes = lengthBytes;

    /// <summary>The announced length; also the length of <see cref="Span"/> once the bulk is complete.</summary>
    public int LengthBytes { get; }

    /// <summary>How many bytes have arrived.</summary>
    public int ReceivedBytes { get; private set; }

    /// <summary>Whether every announced byte has arrived.</summary>
    public bool IsComplete => ReceivedBytes == LengthBytes;

    /// <summary>The bytes that have arrived. Valid until the next write, until the block is given away or disposed.</summary>
    public ReadOnlySpan<byte> Span => Block[..ReceivedBytes];

    /// <summary>The current block, as long as what <see cref="Resize"/> was last asked for or longer; empty at first.</summary>
    protected abstract Span<byte> Block { get; }

    /// <summary>Appends bytes. O(bytes) amortized; throws when they exceed the announced length.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> free = GetFreeSpan();
            if (free.IsEmpty)
            {
                throw new InvalidOperationException("More bytes than the announced length of the bulk string.");
            }

            int count = Math.Min(free.Length, bytes.Length);
            bytes[..count].CopyTo(free);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Room for the next bytes, at least one byte long until the bulk is complete.</summary>
    /// <remarks>For receiving from a socket straight into the final block. Grows the block when it is full.</remarks>
    public Span<byte> GetFreeSpan()
    {
        Span<byte> block = Block;
        if (ReceivedBytes == block.Length && !IsComplete)
        {
            long wanted = Math.Max(FirstCapacityBytes, 2L * block.Length);
            Resize((int)Math.Min(wanted, LengthBytes), ReceivedBytes);
            block = Block;
        }

        return block[ReceivedBytes..Math.Min(block.Length, LengthBytes)];
    }

    /// <summary>Tells that <paramref name="count"/> bytes were written to the start of <see cref="GetFreeSpan"/>.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, LengthBytes - ReceivedBytes);
        ReceivedBytes += count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Replaces the block by one of <paramref name="capacityBytes"/> or more that begins with the first
    /// <paramref name="usedBytes"/> bytes of the old one.</summary>
    protected abstract void Resize(int capacityBytes, int usedBytes);

    /// <summary>Frees the block. Called at most once by owners; a second call does nothing.</summary>
    protected abstract void Dispose(bool disposing);
}
