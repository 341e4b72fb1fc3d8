using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace KvServer.Server.Acl;

/// <summary>The key patterns of a selector that grant some rights, laid out for looking a key up.</summary>
/// <remarks>
/// Most patterns are a prefix and a star, one for each tenant, say. Their prefixes are sorted, without those that a shorter one
/// covers; so no prefix begins another, and the only one that can begin a key is the last one that is not above it. Finding it
/// is a binary search; the one that was found last is tried before, since a user's keys are often of one kind. Other patterns
/// are tried one by one. Command loop only.
/// </remarks>
internal sealed class AclKeyTable
{
    private readonly byte[][] _prefixes;
    private readonly ulong[] _starts; // The first eight bytes of each, which mostly decide.
    private readonly AclKeyPattern[] _others;
    private byte[]? _last; // The prefix that was found last.

    /// <summary>Takes those patterns that grant all of some rights.</summary>
    public AclKeyTable(IEnumerable<AclKeyPattern> patterns, KeyRights rights)
    {
        AclKeyPattern[] granting = [.. patterns.Where(pattern => (pattern.Rights & rights) == rights)];
        _others = [.. granting.Where(pattern => pattern.Prefix is null)];
        List<byte[]> prefixes = [];
        foreach (byte[] prefix in granting.Select(pattern => pattern.Prefix).OfType<byte[]>()
            .Order(Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b))))
        {
            if (prefixes.Count == 0 || !prefix.AsSpan().StartsWith(prefixes[^1]))
            {
                prefixes.Add(prefix);
            }
        }

        _prefixes = [.. prefixes];
        _starts = [.. prefixes.Select(static prefix => StartOf(prefix))];
    }

    /// <summary>Whether one of the patterns matches a key.</summary>
    /// <remarks>O(log prefixes + other patterns).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Matches(ReadOnlySpan<byte> key) => (_last is not null && key.StartsWith(_last)) || Search(key);

    // As a number that is in the order of the bytes, with zeros behind a text that is shorter.
    private static ulong StartOf(ReadOnlySpan<byte> text)
    {
        if (text.Length >= sizeof(ulong))
        {
            return BinaryPrimitives.ReadUInt64BigEndian(text);
        }

        Span<byte> start = stackalloc byte[sizeof(ulong)];
        start.Clear();
        text.CopyTo(start);
        return BinaryPrimitives.ReadUInt64BigEndian(start);
    }

    private bool Search(ReadOnlySpan<byte> key)
    {
        ulong start = StartOf(key);
        int low = 0;
        int high = _prefixes.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            ulong other = _starts[middle];
            if (start < other || (start == other && key.SequenceCompareTo(_prefixes[middle]) < 0))
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        if (low > 0 && key.StartsWith(_prefixes[low - 1]))
        {
            _last = _prefixes[low - 1];
            return true;
        }

        foreach (AclKeyPattern pattern in _others)
        {
            if (pattern.Matches(key))
            {
                return true;
            }
        }

        return false;
    }
}
