using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using KvServer.Storage;
using KvServer.TestSupport.Rdb;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Fuzz;

/// <summary>Damages RDB files and DUMP payloads and loads them.</summary>
/// <remarks>The oracle is stronger than no crash. A payload is restored whole or leaves the key as it was; what was
/// restored, dumped again and restored, is the same value; a file loads whole or leaves an empty store; native memory
/// stays in proportion to the input, nothing is written outside a block, and nothing leaks.</remarks>
public sealed class RdbFuzz : IDisposable
{
    // Compressed bytes stand for at most 88 times as many; tables and blocks add a small factor.
    private const long MaxGrowth = 1024;
    private const long SlackBytes = 4 << 20;
    private const int FooterBytes = RdbFormat.PayloadFooterBytes;

    private readonly List<byte[]> _payloads;
    private readonly List<byte[]> _files;
    private readonly Random _random;
    private readonly TrackingHeap _heap = new();
    private readonly Keyspace _store;

    /// <summary>Makes a run from seed files and a random seed that repeats it.</summary>
    public RdbFuzz(IEnumerable<byte[]> files, int randomSeed)
    {
        _random = new Random(randomSeed);
        _store = new Keyspace(new KeyspaceOptions { Heap = _heap, Random = _random });
        _payloads = [.. RdbSamples.All.Select(sample => (byte[])[(byte)sample.Type, .. sample.Value, .. new byte[FooterBytes]])];
        _files = [.. files, FileOfSamples()];
    }

    /// <summary>The seed files stored beside the program.</summary>
    public static IEnumerable<byte[]> StoredSeeds() =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Seeds", "Rdb"))
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes);

    /// <summary>Runs for a while.</summary>
    /// <returns>How many inputs were checked.</returns>
    /// <exception cref="FuzzFailureException">An input was read wrongly; it is in the exception.</exception>
    public long Run(TimeSpan duration)
    {
        foreach (byte[] file in _files)
        {
            CheckFile(file);
        }

        var watch = Stopwatch.StartNew();
        long count = _files.Count;
        while (watch.Elapsed < duration)
        {
            if (_random.Next(4) == 0)
            {
                CheckFile(RdbDamage.Inflict(_random, _files));
            }
            else
            {
                CheckPayload(RdbDamage.Inflict(_random, _payloads));
            }

            count++;
        }

        return count;
    }

    /// <summary>Checks one payload, whose footer is made right first.</summary>
    public void CheckPayload(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        Expect(payload, payload.Length > FooterBytes || !RdbPayload.HasValidFooter(payload), "a payload of a footer is accepted");
        if (payload.Length <= FooterBytes)
        {
            return;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(payload.AsSpan(payload.Length - FooterBytes), RdbFormat.NewestVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(payload.Length - 8), Crc64.Append(0, payload.AsSpan(0, payload.Length - 8)));
        Database database = _store[0];
        Key key = _store.KeyOf("key"u8);
        database.SetString(key, "before"u8);
        bool isRestored;
        try
        {
            isRestored = RdbPayload.TryRestore(database, key, payload, Database.NoExpiry, new ValueLimits(), out _);
        }
        catch (Exception e)
        {
            throw new FuzzFailureException($"A payload throws: {e}", payload);
        }

        string value = Describe(database, key);
        if (!isRestored)
        {
            Expect(payload, value == "before", "a refused payload changed the key");
            return;
        }

        RdbOutput output = new(null);
        Expect(payload, database.TryFind(key, LookupFlags.None, out Entry entry), "a restored key is missing");
        RdbPayload.Write(output, database, entry, compress: true);
        Expect(
            payload,
            RdbPayload.TryRestore(database, key, output.Buffered, Database.NoExpiry, new ValueLimits(), out _)
                && Describe(database, key) == value,
            "what was restored does not survive a second dump");
        Expect(payload, _heap.UsedBytes <= (payload.Length * MaxGrowth) + SlackBytes, "memory out of proportion");
        if (database.TryFind(key, LookupFlags.None, out entry) && entry.Type == ValueType.Stream)
        {
            Change(payload, StreamValue.Open(database, entry, StreamLimits.Default));
        }

        database.Delete(key);
        _store.Reclaimer.WaitUntilIdle();
        _heap.Verify();
    }

    /// <summary>Checks one file.</summary>
    public void CheckFile(byte[] file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using TrackingHeap heap = new();
        using Keyspace store = new(new KeyspaceOptions { Heap = heap, Random = _random });
        using MemoryStream stream = new(file);
        RdbReader reader = new(stream, _random.Next(2) == 0 ? file.Length : -1);
        try
        {
            new RdbLoader(reader, store, new RdbLoadOptions()).LoadAll();
        }
        catch (RdbFormatException)
        {
            long left = Enumerable.Range(0, store.DatabaseCount).Sum(index => store[index].Count);
            Expect(file, left == 0, $"a refused file left {left} keys");
        }
        catch (Exception e)
        {
            throw new FuzzFailureException($"A file throws: {e}", file);
        }

        store.Reclaimer.WaitUntilIdle();
        heap.Verify();
        Expect(file, heap.UsedBytes <= (file.Length * MaxGrowth) + SlackBytes, "memory out of proportion");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _store.Dispose();
        _heap.Dispose();
    }

    private static void Expect(byte[] input, bool isTrue, string fault)
    {
        if (!isTrue)
        {
            throw new FuzzFailureException(fault, input);
        }
    }

    private static string Describe(Database database, Key key)
    {
        if (!database.TryFind(key, LookupFlags.None, out Entry entry))
        {
            return "nothing";
        }

        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        if (entry.Type == ValueType.String)
        {
            return Encoding.Latin1.GetString(entry.GetStringSpan(scratch));
        }

        List<string> members = [];
        if (entry.Type == ValueType.Hash)
        {
            foreach (HashField field in HashValue.Open(database, entry, default).WalkAll())
            {
                members.Add(Encoding.Latin1.GetString(field.Name.AsText(scratch)) + "="
                    + Encoding.Latin1.GetString(field.Value.AsText(scratch)) + "@" + field.ExpireAtMs);
            }

            members.Sort(StringComparer.Ordinal);
            return string.Join('|', members);
        }

        if (entry.Type == ValueType.List)
        {
            foreach (PackedElement element in ListValue.Open(database, entry, default))
            {
                members.Add(Encoding.Latin1.GetString(element.AsText(scratch)));
            }

            return string.Join('|', members);
        }

        if (entry.Type == ValueType.SortedSet)
        {
            foreach (SortedSetMember member in SortedSetValue.Open(database, entry, default))
            {
                string text = Encoding.Latin1.GetString(member.Member.AsText(scratch));
                members.Add(FormattableString.Invariant($"{text}={member.Score}"));
            }

            return string.Join('|', members);
        }

        if (entry.Type == ValueType.Stream)
        {
            return Describe(StreamValue.Open(database, entry, default));
        }

        foreach (SetMember member in SetValue.Open(database, entry, default))
        {
            members.Add(Encoding.Latin1.GetString(member.AsText(scratch)));
        }

        members.Sort(StringComparer.Ordinal);
        return string.Join('|', members);
    }

    // All of a stream that a dump holds; what stands twice in it is looked at from both sides.
    private static string Describe(StreamValue stream)
    {
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        StringBuilder text = new($"{stream.Counters}\n");
        foreach (StreamEntry entry in stream)
        {
            text.Append(entry.Id);
            foreach (StreamField field in entry)
            {
                text.Append('|').Append(Encoding.Latin1.GetString(field.Name.AsText(scratch)));
                text.Append('=').Append(Encoding.Latin1.GetString(field.Value.AsText(scratch)));
            }
        }

        foreach (StreamGroup group in stream.Groups())
        {
            text.Append('\n').Append(Encoding.Latin1.GetString(group.Name));
            text.Append(CultureInfo.InvariantCulture, $" {group.LastId} {group.EntriesRead} {group.PendingCount}");
            foreach (StreamPending pending in group.Pending(StreamId.Min))
            {
                text.Append(CultureInfo.InvariantCulture, $"|{pending.Id} {pending.DeliveredMs} {pending.Deliveries}");
            }

            foreach (StreamConsumer consumer in group.AllConsumers())
            {
                text.Append('\n').Append(Encoding.Latin1.GetString(consumer.Name));
                text.Append(CultureInfo.InvariantCulture, $" {consumer.SeenMs} {consumer.PendingCount}");
                foreach (StreamPending pending in group.PendingOf(consumer.Number, StreamId.Min))
                {
                    text.Append(' ').Append(pending.Id);
                }
            }
        }

        return text.ToString();
    }

    // What was let in must also bear to be changed, however its numbers are encoded.
    private void Change(byte[] payload, StreamValue stream)
    {
        List<StreamId> ids = [];
        foreach (StreamEntry entry in stream.Range(StreamId.Min, StreamId.Max, forward: false))
        {
            ids.Add(entry.Id);
        }

        Expect(payload, ids.Count == stream.Length, "walking back meets other entries");
        Expect(payload, ids.Count == 0 || stream.Delete(ids[_random.Next(ids.Count)]), "an entry cannot be deleted");
        stream.TrimToLength(_random.NextInt64(stream.Length + 1), approximate: false, limit: 0);
        if (stream.LastId.TryGetNext(out StreamId next))
        {
            Expect(payload, stream.TryAppend(next, new OneField()), "an entry cannot be added");
            Expect(payload, stream.Contains(next), "an added entry is missing");
        }

        long left = 0;
        foreach (StreamEntry entry in stream)
        {
            Expect(payload, entry.FieldCount > 0, "an entry has no fields");
            left++;
        }

        Expect(payload, left == stream.Length, "a changed stream is counted wrongly");
        StreamGroupEnumerator groups = stream.Groups();
        if (groups.MoveNext())
        {
            StreamGroup group = groups.Current;
            if (group.TryGetPendingFrom(StreamId.Min, out StreamPending pending))
            {
                Expect(payload, group.RemovePending(pending.Id), "a pending entry cannot be removed");
            }

            StreamConsumerEnumerator consumers = group.AllConsumers();
            if (consumers.MoveNext())
            {
                group.RemoveConsumer(consumers.Current.Number);
            }

            Expect(payload, stream.RemoveGroup(group.Name.ToArray()), "a group cannot be removed");
        }
    }

    private static byte[] FileOfSamples()
    {
        RdbBytes file = new RdbBytes().Header(12).Raw(0xFE, 0).Raw(0xFB).Length(4).Length(1);
        foreach (RdbSamples sample in RdbSamples.All)
        {
            file.Raw(0xFC).Int64(long.MaxValue).Key(sample.Type, sample.Name).Raw(sample.Value);
        }

        return file.End().ToArray();
    }

    private readonly struct OneField : IStreamFields
    {
        public int Count => 1;

        public ReadOnlySpan<byte> NameAt(int index) => "f"u8;

        public ReadOnlySpan<byte> ValueAt(int index) => "value"u8;
    }
}
