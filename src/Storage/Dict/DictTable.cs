using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>One bucket array of a dict.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct DictTable
{
    /// <summary>The buckets, each the first entry of its chain; null while the table has no memory.</summary>
    public byte** Buckets;

    /// <summary>Entries in the table.</summary>
    public long Used;

    /// <summary>Number of buckets less one; zero while there are none.</summary>
    public ulong Mask;

    /// <summary>Number of buckets: a power of two, or zero.</summary>
    public readonly long BucketCount => Buckets == null ? 0 : (long)Mask + 1;
}
