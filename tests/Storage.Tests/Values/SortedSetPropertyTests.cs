using System.Globalization;

namespace KvServer.Storage.Tests.Values;

/// <summary>Random operations on sorted sets of both encodings agree with a model: members, scores, ranks and ranges, in
/// mid-rehash, during snapshots, and after a save and a load at random moments.</summary>
public sealed class SortedSetPropertyTests : SortedSetTest
{
    private const int Keys = 4;

    private static readonly double[] Specials =
        [0, -0.0, 1.5, -2.25, 1e300, -1e-300, double.PositiveInfinity, double.NegativeInfinity, 1L << 53, 0.1];

    private readonly Dictionary<string, SortedSetModel> _models = new(StringComparer.Ordinal);
    private Dictionary<string, SortedSetModel>? _cut;
    private SnapshotCut? _snapshot;
    private SnapshotQueue _queue = new();

    [Theory]
    [InlineData(1, 128)]
    [InlineData(2, 128)]
    [InlineData(3, 20)]
    [InlineData(4, 20)]
    [InlineData(5, 0)]
    [InlineData(6, 0)]
    [InlineData(7, 100_000)]
    public void Random_operations_agree_with_a_model(int seed, int packedEntries)
    {
        Random random = new(seed);
        Limits = SortedSetLimits.Default with { PackedEntries = packedEntries };
        int steps = 6000;
        for (int i = 0; i < steps; i++)
        {
            string key = "z" + Number(random.Next(Keys));
            try
            {
                Step(random, key);
                StepSnapshot(random);
                if (i % 23 == 0)
                {
                    MoveParts();
                }

                if (i % 250 == 0)
                {
                    Heap.Verify();
                    CheckAll();
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, step {i}: {e.Message}", e);
            }
        }

        if (_snapshot is not null)
        {
            FinishSnapshot();
        }

        CheckAll();
    }

    private static double NewScore(Random random) => random.Next(4) switch
    {
        0 => Specials[random.Next(Specials.Length)],
        1 => random.Next(-5, 5),
        2 => random.NextInt64(),
        _ => random.Next(1000) / 8.0,
    };

    private static string NewMember(Random random) => random.Next(5) switch
    {
        0 => Number(random.Next(-100, 100)),
        1 => Number(random.NextInt64()),
        2 when random.Next(20) == 0 => new string((char)('a' + random.Next(3)), random.Next(60, 70)),
        3 when random.Next(40) == 0 => new string('L', random.Next(2040, 2060)),
        _ => "m" + Number(random.Next(300)),
    };

    private static SortedSetAddFlags NewFlags(Random random) => random.Next(8) switch
    {
        0 => SortedSetAddFlags.OnlyNew,
        1 => SortedSetAddFlags.OnlyExisting,
        2 => SortedSetAddFlags.OnlyGreater,
        3 => SortedSetAddFlags.OnlyLess | SortedSetAddFlags.OnlyExisting,
        4 => SortedSetAddFlags.Increment,
        5 => SortedSetAddFlags.Increment | SortedSetAddFlags.OnlyGreater,
        _ => SortedSetAddFlags.None,
    };

    private void Step(Random random, string key)
    {
        if (!_models.TryGetValue(key, out SortedSetModel? model))
        {
            model = new SortedSetModel();
            _models.Add(key, model);
            string first = NewMember(random);
            double score = NewScore(random);
            Assert.Equal(SortedSetChange.Added, Add(key, score, first));
            model.Add(first, score, SortedSetAddFlags.None);
        }

        switch (random.Next(24))
        {
            case < 12:
                AddOne(random, key, model);
                break;
            case 12 or 13 or 14:
                string gone = NewMember(random);
                Assert.Equal(model.Remove(gone), Remove(key, gone));
                break;
            case 15 when random.Next(4) == 0:
                RemoveRange(random, key, model);
                break;
            case 16 or 17 or 18:
                CheckRange(random, key, model);
                break;
            case 19:
                CheckMember(random, key, model);
                break;
            case 20 when random.Next(5) == 0:
                string copy = "z" + Number(random.Next(Keys));
                if (copy != key)
                {
                    Assert.True(Db.Copy(K(key), Db, K(copy)));
                    _models[copy] = new SortedSetModel(model);
                    Verify(Open(copy));
                }

                break;
            case 21 when random.Next(20) == 0:
                Db.Delete(K(key), lazily: random.Next(2) == 0);
                _models.Remove(key);
                return;
            case 22 when random.Next(5) == 0:
                DumpAndRestore(key, model);
                break;
            default:
                CheckSample(random, key, model);
                break;
        }

        if (model.Count == 0)
        {
            _models.Remove(key);
            Db.Delete(K(key));
        }
    }

    private void AddOne(Random random, string key, SortedSetModel model)
    {
        string member = NewMember(random);
        double score = NewScore(random);
        SortedSetAddFlags flags = NewFlags(random);
        SortedSetValue set = Open(key);
        SortedSetChange change = set.Add(B(member), score, flags, out double newScore);
        Assert.Equal(model.Add(member, score, flags), change);
        if (change is SortedSetChange.Added or SortedSetChange.Updated or SortedSetChange.Same)
        {
            model.TryGet(member, out double expected);
            Assert.Equal(expected + 0.0, newScore + 0.0);
        }
    }

    private void RemoveRange(Random random, string key, SortedSetModel model)
    {
        SortedSetValue set = Open(key);
        List<(string Member, double Score)> sorted = model.Sorted;
        int start = random.Next(sorted.Count);
        int count = Math.Min(random.Next(1, 20), sorted.Count - start);
        SortedSetSlice slice = set.Slice(start, count);
        if (random.Next(2) == 0)
        {
            ScoreRange range = new(sorted[start].Score, sorted[start + count - 1].Score, false, random.Next(2) == 0);
            slice = set.Locate(range);
            start = (int)slice.Start;
            count = (int)slice.Count;
        }

        set.RemoveRange(slice);
        for (int i = start; i < start + count; i++)
        {
            model.Remove(sorted[i].Member);
        }
    }

    private void CheckRange(Random random, string key, SortedSetModel model)
    {
        SortedSetValue set = Open(key);
        List<(string Member, double Score)> sorted = model.Sorted;
        double min = NewScore(random);
        double max = NewScore(random);
        ScoreRange range = new(min, max, random.Next(2) == 0, random.Next(2) == 0);
        bool reversed = random.Next(2) == 0;
        List<(string Member, double Score)> expected =
        [
            .. sorted.Where(m => (range.IsMinExclusive ? m.Score > min : m.Score >= min)
                && (range.IsMaxExclusive ? m.Score < max : m.Score <= max)),
        ];
        SortedSetSlice slice = set.Locate(range);
        Assert.Equal(expected.Count, slice.Count);
        if (reversed)
        {
            expected.Reverse();
        }

        Assert.Equal(expected, Members(set.Range(slice, reversed)));
        int offset = random.Next(10);
        int limit = random.Next(-1, 10);
        Assert.Equal(
            limit < 0 ? expected.Skip(offset) : expected.Skip(offset).Take(limit),
            Members(set.Range(slice.Cut(offset, limit, reversed), reversed)));
        int start = random.Next(sorted.Count);
        int count = random.Next(20);
        List<(string, double)> byRank = Members(set.Range(set.Slice(start, count), reversed));
        if (reversed)
        {
            byRank.Reverse();
        }

        Assert.Equal(sorted.Skip(start).Take(count), byRank);
    }

    private void CheckMember(Random random, string key, SortedSetModel model)
    {
        SortedSetValue set = Open(key);
        List<(string Member, double Score)> sorted = model.Sorted;
        int rank = random.Next(sorted.Count);
        Assert.Equal(rank, set.RankOf(B(sorted[rank].Member), out double score));
        Assert.Equal(sorted[rank].Score + 0.0, score + 0.0);
        string other = NewMember(random);
        Assert.Equal(model.TryGet(other, out double expected), set.TryGetScore(B(other), out score));
        Assert.Equal(expected + 0.0, score + 0.0);
        Assert.Equal(sorted.FindIndex(m => m.Member == other), set.RankOf(B(other), out _));
    }

    private void CheckSample(Random random, string key, SortedSetModel model)
    {
        SortedSetValue set = Open(key);
        Assert.True(model.TryGet(Text(set.PickRandom()), out _));
        int count = random.Next(1, 12);
        HashSet<string> seen = [];
        foreach (SortedSetMember member in set.Sample(count))
        {
            Assert.True(model.TryGet(Text(member), out double score));
            Assert.Equal(score + 0.0, member.Score + 0.0);
            Assert.True(seen.Add(Text(member)));
        }

        Assert.Equal(Math.Min(count, model.Count), seen.Count);
        Collector collector = new() { Seen = [] };
        ulong cursor = 0;
        do
        {
            cursor = set.Scan(cursor, ref collector);
        }
        while (cursor != 0);
        Assert.Equal(model.Count, collector.Seen.Distinct().Count());
    }

    private void DumpAndRestore(string key, SortedSetModel model)
    {
        RdbOutput output = new(null);
        RdbPayload.Write(output, Db, Find(key), compress: true);
        Assert.True(RdbPayload.TryRestore(
            Db, K(key), output.Buffered, Database.NoExpiry, new ValueLimits { SortedSets = Limits }, out string reason), reason);
        Check(Db, key, model);
    }

    private void StepSnapshot(Random random)
    {
        if (_snapshot is null)
        {
            if (random.Next(200) == 0)
            {
                _queue = new SnapshotQueue(limitBytes: 64 * 1024 * 1024);
                _cut = _models.ToDictionary(pair => pair.Key, pair => new SortedSetModel(pair.Value), StringComparer.Ordinal);
                _snapshot = Store.StartSnapshot(_queue);
            }
        }
        else if (random.Next(30) == 0 && _snapshot.WalkUntil(0))
        {
            FinishSnapshot();
        }
        else if (random.Next(300) == 0)
        {
            FinishSnapshot();
        }
    }

    private void FinishSnapshot()
    {
        while (!_snapshot!.WalkUntil(long.MaxValue))
        {
        }

        _snapshot = null;
        using MemoryStream file = new();
        RdbWriter writer = new(new RdbOutput(file, hasChecksum: true, bufferBytes: 1024), new RdbWriterOptions(true));
        writer.WriteHeader(new RdbFileInfo(StartMs / 1000, 1, IsAofBase: false));
        SnapshotEncoder encoder = new(writer, Store, AccessHintKind.None);
        while (_queue.TryTake(out SnapshotChunk chunk))
        {
            encoder.Encode(chunk);
            _queue.Return(chunk);
        }

        writer.WriteEnd();
        file.Position = 0;
        using Keyspace loaded = new(new KeyspaceOptions { Heap = new TrackingHeap() }) { NowMs = StartMs };
        new RdbLoader(
            new RdbReader(file, file.Length),
            loaded,
            new RdbLoadOptions { Limits = new ValueLimits { SortedSets = Limits } }).LoadAll();
        Assert.Equal(_cut!.Count, loaded[0].Count);
        foreach ((string key, SortedSetModel model) in _cut)
        {
            Check(loaded[0], key, model);
        }
    }

    private void CheckAll()
    {
        Assert.Equal(_models.Count, Db.Count);
        foreach ((string key, SortedSetModel model) in _models)
        {
            Check(Db, key, model);
        }
    }

    private void Check(Database database, string key, SortedSetModel model)
    {
        SortedSetValue set = Open(database, key);
        Assert.Equal(model.Count, set.Count);
        Assert.Equal(
            string.Join(' ', model.Sorted.Select(Format)), string.Join(' ', Members(set).Select(Format)));
        Verify(set);
    }

    private static string Format((string Member, double Score) member) =>
        string.Create(CultureInfo.InvariantCulture, $"{member.Member}={member.Score + 0.0}");

    private struct Collector : ISortedSetMemberReceiver
    {
        public List<string> Seen;

        public readonly void Receive(SortedSetMember member) => Seen.Add(Text(member));

        public readonly void Receive(SetMember member, long wholeScore) => Receive(new SortedSetMember(member, wholeScore));
    }
}
