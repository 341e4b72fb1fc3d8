using System.Globalization;
using System.Text;

namespace KvServer.Storage.Tests.Values;

/// <summary>What a stream is, in sorted dictionaries; and how both are told as text to be compared.</summary>
internal sealed class StreamModel
{
    public SortedDictionary<StreamId, (string Name, string Value)[]> Entries { get; } = [];

    public SortedDictionary<string, Group> Groups { get; } = new(StringComparer.Ordinal);

    public StreamId LastId { get; set; }

    public StreamId MaxDeletedId { get; set; }

    public long Added { get; set; }

    /// <summary>A stream as text; files do not hold when consumers were active.</summary>
    public static string Describe(StreamValue stream, bool hasActiveTimes = true)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{stream.Length} {stream.FirstId} {stream.LastId} {stream.MaxDeletedId} ");
        text.Append(CultureInfo.InvariantCulture, $"{stream.EntriesAdded} {stream.GroupCount}\n");
        foreach (StreamEntry entry in stream)
        {
            text.Append(Describe(entry)).Append('\n');
        }

        StreamGroupEnumerator groups = stream.Groups();
        while (groups.MoveNext())
        {
            StreamGroup group = groups.Current;
            text.Append(CultureInfo.InvariantCulture, $"group {Text(group.Name)} {group.LastId} {group.EntriesRead} ");
            text.Append(CultureInfo.InvariantCulture, $"{group.PendingCount} {group.ConsumerCount}\n");
            foreach (StreamPending pending in group.Pending(StreamId.Min))
            {
                group.TryGetConsumer(pending.Consumer, out StreamConsumer consumer);
                text.Append(CultureInfo.InvariantCulture, $"  {pending.Id} {pending.DeliveredMs} {pending.Deliveries} ");
                text.Append(CultureInfo.InvariantCulture, $"{Text(consumer.Name)}\n");
            }

            foreach (StreamConsumer consumer in group.AllConsumers())
            {
                text.Append(CultureInfo.InvariantCulture, $"  consumer {Text(consumer.Name)} {consumer.SeenMs} ");
                text.Append(CultureInfo.InvariantCulture, $"{(hasActiveTimes ? consumer.ActiveMs : 0)} {consumer.PendingCount}:");
                foreach (StreamPending pending in group.PendingOf(consumer.Number, StreamId.Min))
                {
                    text.Append(CultureInfo.InvariantCulture, $" {pending.Id}");
                }

                text.Append('\n');
            }
        }

        return text.ToString();
    }

    public static string Describe(StreamEntry entry)
    {
        StringBuilder text = new(entry.Id.ToString());
        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        foreach (StreamField field in entry)
        {
            text.Append(' ').Append(Text(field.Name.AsText(scratch)));
            text.Append('=').Append(Text(field.Value.AsText(scratch)));
        }

        return text.ToString();
    }

    public string Describe()
    {
        StringBuilder text = new();
        StreamId first = Entries.Count == 0 ? StreamId.Min : Entries.Keys.First();
        text.Append(CultureInfo.InvariantCulture, $"{Entries.Count} {first} {LastId} {MaxDeletedId} {Added} {Groups.Count}\n");
        foreach ((StreamId id, (string Name, string Value)[] fields) in Entries)
        {
            text.Append(id).Append(string.Concat(fields.Select(f => $" {f.Name}={f.Value}"))).Append('\n');
        }

        foreach ((string name, Group group) in Groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"group {name} {group.LastId} {group.EntriesRead} ");
            text.Append(CultureInfo.InvariantCulture, $"{group.Pending.Count} {group.Consumers.Count}\n");
            foreach ((StreamId id, (long ms, long deliveries, string consumer)) in group.Pending)
            {
                text.Append(CultureInfo.InvariantCulture, $"  {id} {ms} {deliveries} {consumer}\n");
            }

            foreach ((string consumer, (long seen, long active)) in group.Consumers)
            {
                StreamId[] own = [.. group.Pending.Where(p => p.Value.Consumer == consumer).Select(p => p.Key)];
                text.Append(CultureInfo.InvariantCulture, $"  consumer {consumer} {seen} {active} {own.Length}:");
                text.Append(string.Concat(own.Select(id => $" {id}"))).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    internal sealed class Group
    {
        public StreamId LastId { get; set; }

        public long EntriesRead { get; set; }

        public SortedDictionary<StreamId, (long Ms, long Deliveries, string Consumer)> Pending { get; } = [];

        public SortedDictionary<string, (long Seen, long Active)> Consumers { get; } = new(StringComparer.Ordinal);
    }
}
