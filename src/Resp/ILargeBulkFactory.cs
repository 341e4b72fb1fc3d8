namespace KvServer.Resp;

/// <summary>Makes the blocks that large bulk strings are received into.</summary>
public interface ILargeBulkFactory
{
    /// <summary>Blocks that are arrays of the shared pool; any thread.</summary>
    static ILargeBulkFactory Pooled => PooledLargeBulk.Factory.Instance;

    /// <summary>Makes an empty bulk for <paramref name="lengthBytes"/> announced bytes.</summary>
    /// <remarks>Must not allocate the announced length: the bytes have not arrived and may never do.</remarks>
    LargeBulk Create(int lengthBytes);
}
