namespace KvServer.Storage;

/// <summary>Collects members with their scores in any order, and makes a sorted set of them at the end.</summary>
/// <remarks>For files, and for results of operations on several sets: members go into a dict, and are sorted once.
/// Dispose it, finished or not. Command loop only.</remarks>
public unsafe ref struct SortedSetBuilder
{
    private readonly Keyspace _keyspace;
    private readonly SortedSetLimits _limits;
    private SkipListState* _state;
    private byte* _last;
    private long _memberBytes;
    private int _longestBytes;

    /// <summary>Begins a set.</summary>
    /// <param name="keyspace">The store whose memory it uses.</param>
    /// <param name="limits">Up to where it may be packed at the end.</param>
    /// <param name="memberCount">How many members it is expected to get.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public SortedSetBuilder(Keyspace keyspace, SortedSetLimits limits, long memberCount)
    {
        _keyspace = keyspace;
        _limits = limits;
        _state = SkipList.Create(keyspace.MemberRuntime).State;
        List.Dict.TryExpand(memberCount);
    }

    /// <summary>Number of members so far.</summary>
    public readonly long Count => List.Count;

    private readonly SkipList List => new(_state, _keyspace.MemberRuntime);

    /// <summary>Adds a member.</summary>
    /// <returns>False when it is there already.</returns>
    public bool TryAdd(SetMember member, double score) => FindOrAdd(member, score) == null;

    /// <summary>Gives the member that was added last another score.</summary>
    public readonly void SetScoreOfLast(double score) => SortedMemberLayout.SetScore(_last, score);

    /// <summary>Adds a member, or combines its score with the one it has.</summary>
    public void Add(SetMember member, double score, SortedSetAggregate aggregate)
    {
        byte* existing = FindOrAdd(member, score);
        if (existing != null)
        {
            SortedMemberLayout.SetScore(
                existing, Combine(SortedMemberLayout.ScoreOf(existing), score, aggregate));
        }
    }

    /// <summary>Removes a member if it is there.</summary>
    public readonly void Remove(SetMember member)
    {
        ReadOnlySpan<byte> text = member.AsText(stackalloc byte[IntegerText.MaxLength]);
        byte* node = List.Dict.Remove(member.HashOf(text, _keyspace), text);
        if (node != null)
        {
            SortedMemberLayout.Free(_keyspace.Heap, node, FreeFrom.CommandLoop);
        }
    }

    /// <summary>Two scores as one.</summary>
    /// <param name="score">The score so far.</param>
    /// <param name="other">Another one, NaN perhaps.</param>
    /// <param name="aggregate">What to make of them.</param>
    public static double Combine(double score, double other, SortedSetAggregate aggregate)
    {
        switch (aggregate)
        {
            case SortedSetAggregate.Min:
                return other < score ? other : score;
            case SortedSetAggregate.Max:
                return other > score ? other : score;
            default:
                double sum = score + other;
                return double.IsNaN(sum) ? 0 : sum;
        }
    }

    /// <summary>Makes the set: packed where the limits allow it, else a skip list.</summary>
    /// <returns>A set without a key, which the caller disposes.</returns>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public SortedSetValue Finish()
    {
        SortedSetValue value;
        if (Count <= _limits.PackedEntries
            && _longestBytes <= _limits.PackedValueBytes
            && _memberBytes + (Count * SortedSetValue.MaxPackedOverhead) < PackedList.MaxBytes)
        {
            value = SortedSetValue.CreatePacked(_keyspace, _limits, List);
            return value;
        }

        List.Dict.EnsureTable();
        List.Order();
        value = SortedSetValue.CreateOf(_keyspace, _limits, _state);
        _state = null;
        return value;
    }

    /// <summary>Frees what no set has taken over.</summary>
    public void Dispose()
    {
        if (_state != null)
        {
            SkipList.FreeAll(_keyspace.Heap, _state, FreeFrom.CommandLoop);
            _state = null;
        }
    }

    private byte* FindOrAdd(SetMember member, double score)
    {
        ReadOnlySpan<byte> text = member.AsText(stackalloc byte[IntegerText.MaxLength]);
        ulong hash = member.HashOf(text, _keyspace);
        SkipList list = List;
        byte* existing = list.Find(hash, text);
        if (existing != null)
        {
            return existing;
        }

        list.Dict.EnsureTable(); // Before there is a member that could leak.
        _last = SortedMemberLayout.Create(
            _keyspace.MemberRuntime, hash, text, score, SkipList.ChooseLevels(_keyspace.Random));
        list.Dict.Add(_last);
        _memberBytes += text.Length;
        _longestBytes = Math.Max(_longestBytes, text.Length);
        return null;
    }
}
