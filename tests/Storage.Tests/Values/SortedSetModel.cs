namespace KvServer.Storage.Tests.Values;

/// <summary>A sorted set as simple as can be: a dictionary, sorted when somebody asks.</summary>
internal sealed class SortedSetModel
{
    private readonly Dictionary<string, double> _scores;

    public SortedSetModel() => _scores = new Dictionary<string, double>(StringComparer.Ordinal);

    public SortedSetModel(SortedSetModel other) =>
        _scores = new Dictionary<string, double>(other._scores, StringComparer.Ordinal);

    public int Count => _scores.Count;

    /// <summary>All members in order.</summary>
    public List<(string Member, double Score)> Sorted =>
    [
        .. _scores
            .Select(pair => (pair.Key, pair.Value))
            .OrderBy(pair => pair.Value)
            .ThenBy(pair => pair.Key, StringComparer.Ordinal),
    ];

    public bool TryGet(string member, out double score) => _scores.TryGetValue(member, out score);

    public bool Remove(string member) => _scores.Remove(member);

    public SortedSetChange Add(string member, double score, SortedSetAddFlags flags)
    {
        if (!_scores.TryGetValue(member, out double current))
        {
            if (flags.HasFlag(SortedSetAddFlags.OnlyExisting))
            {
                return SortedSetChange.Refused;
            }

            _scores.Add(member, score);
            return SortedSetChange.Added;
        }

        double wanted = flags.HasFlag(SortedSetAddFlags.Increment) ? current + score : score;
        if (flags.HasFlag(SortedSetAddFlags.OnlyNew))
        {
            return SortedSetChange.Refused;
        }

        if (double.IsNaN(wanted))
        {
            return SortedSetChange.NotANumber;
        }

        if ((flags.HasFlag(SortedSetAddFlags.OnlyGreater) && !(wanted > current))
            || (flags.HasFlag(SortedSetAddFlags.OnlyLess) && !(wanted < current)))
        {
            return SortedSetChange.Refused;
        }

        if (wanted == current)
        {
            return SortedSetChange.Same;
        }

        _scores[member] = wanted;
        return SortedSetChange.Updated;
    }
}
