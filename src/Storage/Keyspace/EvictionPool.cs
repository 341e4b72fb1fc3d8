namespace KvServer.Storage;

/// <summary>The best keys to evict that samples have shown so far.</summary>
/// <remarks>
/// A few random keys say little about the oldest of all; the best of many samples say much. So what was good and has not
/// been taken is kept here, in order. Only addresses are kept: whoever takes one looks first whether it is an entry still.
/// </remarks>
internal sealed unsafe class EvictionPool
{
    /// <summary>Candidates kept.</summary>
    public const int Capacity = 16;

    private readonly Candidate[] _candidates = new Candidate[Capacity];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Forgets all: another order holds from now on.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds an entry unless all that are kept are better. O(capacity).</summary>
    /// <param name="block">The entry.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="database">Where it is.</param>
    /// <param name="score">The higher, the sooner it should go.</param>
    public void Offer(byte* block, uint hash, Database database, ulong score)
    {
        int at = Count;
        while (at > 0 && _candidates[at - 1].Score > score)
        {
            at--;
        }

        if (at == 0 && Count == Capacity)
        {
            return;
        }

        // It may be here already, with the score of then; or something else at its old address.
        for (int i = 0; i < Count; i++)
        {
            if (_candidates[i].Block == (nint)block)
            {
                RemoveAt(i);
                at -= i < at ? 1 : 0;
                break;
            }
        }

        if (Count == Capacity)
        {
            RemoveAt(0);
            at--;
        }

        Array.Copy(_candidates, at, _candidates, at + 1, Count - at);
        _candidates[at] = new Candidate((nint)block, hash, database, score);
        Count++;
    }

    /// <summary>Takes the best candidate out.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTake(out byte* block, out uint hash, out Database database, out ulong score)
    {
        if (Count == 0)
        {
            block = null;
            (hash, database, score) = (0, null!, 0);
            return false;
        }

        Candidate best = _candidates[--Count];
        block = (byte*)best.Block;
        (hash, database, score) = (best.Hash, best.Database, best.Score);
        return true;
    }

    private void RemoveAt(int index)
    {
        Count--;
        Array.Copy(_candidates, index + 1, _candidates, index, Count - index);
    }

    private readonly record struct Candidate(nint Block, uint Hash, Database Database, ulong Score);
}
