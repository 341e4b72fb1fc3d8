namespace KvServer.Storage;

/// <summary>A handle of a collection of members, as far as taking some of them away needs it.</summary>
public interface IMemberCollection
{
    /// <summary>Number of members. O(1).</summary>
    long Count { get; }

    /// <summary>Removes a member. Command loop only.</summary>
    /// <returns>False when it was none.</returns>
    bool Remove(ReadOnlySpan<byte> member);
}
