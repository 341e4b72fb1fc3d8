namespace KvServer.Storage;

/// <summary>A key with its hash, which is worked out once and used for prefetching and for every look-up.</summary>
/// <param name="bytes">The key; borrowed for the duration of the command.</param>
/// <param name="hash">What <see cref="Keyspace.HashOf"/> gives for these bytes.</param>
public readonly ref struct Key(ReadOnlySpan<byte> bytes, ulong hash)
{
    /// <summary>The key itself.</summary>
    public readonly ReadOnlySpan<byte> Bytes = bytes;

    /// <summary>The 64-bit hash of the bytes.</summary>
    public readonly ulong Hash = hash;
}
