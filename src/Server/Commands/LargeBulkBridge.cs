using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Receives large bulk strings into blocks of the store's heap, so that a value is adopted, not copied.</summary>
/// <remarks>Any thread may create bulks; each is filled by one thread at a time.</remarks>
internal sealed class LargeBulkBridge(Keyspace keyspace) : ILargeBulkFactory
{
    /// <inheritdoc/>
    public LargeBulk Create(int lengthBytes) => new Bulk(keyspace.Heap, lengthBytes);

    /// <summary>A bulk string in a block that <see cref="Database.AdoptString"/> takes over.</summary>
    internal sealed class Bulk(NativeHeap heap, int lengthBytes) : LargeBulk(lengthBytes)
    {
        /// <summary>The block; null before the first byte. Once the bulk is complete it is just as long as announced.
        /// </summary>
        public LargeString? String { get; private set; }

        /// <inheritdoc/>
        protected override Span<byte> Block => String is null ? default : String.Bytes;

        /// <inheritdoc/>
        protected override void Resize(int capacityBytes, int usedBytes)
        {
            // The block's own length counts all of it as used: what has arrived is the base class's business, and the
            // last block asked for is never longer than the bulk.
            String ??= new LargeString(heap, capacityBytes);
            int added = capacityBytes - String.Length;
            if (added > 0)
            {
                String.GetFreeSpan(added, LengthBytes);
                String.Advance(added);
            }
        }

        /// <inheritdoc/>
        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                String?.Dispose();
            }
        }
    }
}
