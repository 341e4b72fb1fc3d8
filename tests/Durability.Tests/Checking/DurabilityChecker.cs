using System.Globalization;
using KvServer.Durability.Tests.Traffic;

namespace KvServer.Durability.Tests.Checking;

/// <summary>Decides whether what a server holds after a crash is a state that it had at one allowed instant.</summary>
/// <remarks>
/// <para>Each client's keys must be as after some position in the sequence of its writes. The state of position p was
/// there between two instants: the p-th write took effect after it had been sent, and the one after it took effect before
/// its answer had been read. So each client names the ranges of instants at which its keys can have been as they were
/// found, and all of them must have one instant in common: a state put together from two moments has none.</para>
/// <para>Which instants are allowed is what tells the kinds of durability apart: the cuts of saves, or whatever comes
/// after the last answer that had to survive.</para>
/// </remarks>
internal static class DurabilityChecker
{
    private const int MaxShown = 6;

    /// <summary>Checks a state.</summary>
    /// <param name="histories">What each client did.</param>
    /// <param name="found">All keys that were found, with exact expiry times.</param>
    /// <param name="allowed">The instants at which the state may have been taken.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? FindFault(
        IReadOnlyList<ClientHistory> histories,
        IReadOnlyDictionary<KeyId, ModelValue> found,
        IReadOnlyList<InstantRange> allowed)
    {
        List<KeyId> invented = [.. found.Keys.Where(key => histories.All(history => !IsOf(history, key)))];
        if (invented.Count > 0)
        {
            return $"keys that nobody wrote: {string.Join(", ", invented.Take(MaxShown))}";
        }

        List<(ClientHistory History, List<InstantRange> Ranges)> possible = [];
        foreach (ClientHistory history in histories)
        {
            Dictionary<KeyId, ModelValue> own = found.Where(pair => IsOf(history, pair.Key)).ToDictionary();
            List<InstantRange> ranges = FindRanges(history, own, out string nearest);
            if (ranges.Count == 0)
            {
                return $"client {history.Number} never had these keys: {nearest}";
            }

            possible.Add((history, ranges));
        }

        // Where ranges have an instant in common, they have the one right after the last beginning of them.
        IEnumerable<long> candidates =
            possible.SelectMany(client => client.Ranges).Concat(allowed).Select(range => range.After);
        if (candidates.Any(instant =>
            Holds(allowed, instant) && possible.TrueForAll(client => Holds(client.Ranges, instant))))
        {
            return null;
        }

        return $"no allowed instant has this state. Allowed: {Show(allowed)}. "
            + string.Join("; ", possible.Select(client =>
                $"client {client.History.Number} with {client.History.Writes.Count} writes, last answer "
                + $"{LastAnswer(client.History)}: {Show(client.Ranges)}"));
    }

    private static bool IsOf(ClientHistory history, KeyId key) =>
        key.Name.StartsWith(WriteGenerator.PrefixOf(history.Number), StringComparison.Ordinal);

    private static bool Holds(IReadOnlyList<InstantRange> ranges, long instant) =>
        ranges.Any(range => range.HoldsRightAfter(instant));

    private static string Show(IReadOnlyList<InstantRange> ranges) =>
        string.Join(' ', ranges.TakeLast(MaxShown)) + (ranges.Count > MaxShown ? $" (last of {ranges.Count})" : "");

    private static string LastAnswer(ClientHistory history) =>
        (history.Writes.LastOrDefault(write => write.IsAnswered)?.AnsweredAt ?? 0).ToString(CultureInfo.InvariantCulture);

    // Replays the writes and keeps count of the keys that are not as found; only those a write touches can change that.
    private static List<InstantRange> FindRanges(
        ClientHistory history, Dictionary<KeyId, ModelValue> found, out string nearest)
    {
        ClientModel model = new(history.Initial);
        HashSet<KeyId> wrong = [.. model.Values.Keys.Union(found.Keys).Where(key => !IsAsFound(model, found, key))];
        List<InstantRange> ranges = [];
        int fewest = int.MaxValue;
        nearest = "";
        for (int position = 0; ; position++)
        {
            if (wrong.Count == 0)
            {
                long after = position == 0 ? 0 : history.Writes[position - 1].SentAt;
                long before = position == history.Writes.Count ? EventClock.Never : history.Writes[position].AnsweredAt;
                ranges.Add(new InstantRange(after, before));
            }
            else if (wrong.Count < fewest)
            {
                fewest = wrong.Count;
                nearest = $"after {position} of {history.Writes.Count} writes these differ: "
                    + string.Join("; ", wrong.Take(MaxShown).Select(key => Describe(history, model, found, key, position)));
            }

            if (position == history.Writes.Count)
            {
                return ranges;
            }

            Write write = history.Writes[position];
            model.Apply(write);
            foreach (KeyId key in write.Keys)
            {
                _ = IsAsFound(model, found, key) ? wrong.Remove(key) : wrong.Add(key);
            }
        }
    }

    private static bool IsAsFound(ClientModel model, Dictionary<KeyId, ModelValue> found, KeyId key)
    {
        ModelValue? expected = model.Find(key);
        return found.TryGetValue(key, out ModelValue? actual) ? expected?.Allows(actual) == true : expected is null;
    }

    private static string Describe(
        ClientHistory history, ClientModel model, Dictionary<KeyId, ModelValue> found, KeyId key, int position)
    {
        Write? last = history.Writes.Take(position).LastOrDefault(write => write.Keys.Contains(key));
        Write? next = history.Writes.Skip(position).FirstOrDefault(write => write.Keys.Contains(key));
        string actual = found.GetValueOrDefault(key)?.ToString() ?? "missing";
        string expected = model.Find(key)?.ToString() ?? "missing";
        return $"{key} is {actual}, not {expected} [last write: {last}, next: {next}]";
    }
}
