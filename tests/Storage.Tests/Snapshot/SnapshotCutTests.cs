using System.Diagnostics;

namespace KvServer.Storage.Tests;

/// <summary>Takes the cut, goes on writing, and compares what was handed over with the data at the cut.</summary>
public sealed partial class SnapshotCutTests : StoreTest
{
    private readonly SnapshotQueue _queue = new(limitBytes: 64L * 1024 * 1024);

    [Fact]
    public void What_is_written_after_the_cut_is_not_in_the_snapshot()
    {
        Set("same", "a");
        Set("changed", "before");
        Set("deleted", "gone");
        Set("number", "41");
        Dictionary<string, string> cut = Describe();
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        Set("changed", "after");
        Set("new", "x");
        Db.Delete(K("deleted"));
        Entry entry = Find("number");
        Db.SetInteger(ref entry, 42);
        Assert.Equal(cut, Finish(snapshot));
        Assert.Equal("42", Get("number"));
        Assert.True(Store.ResizingAllowed);
    }

    [Fact]
    public void Snapshots_follow_each_other_and_each_has_its_own_cut()
    {
        for (int round = 0; round < 5; round++)
        {
            Set("k" + round, "v");
            AddMembers(Db, "set", round * 200, 200);
            Dictionary<string, string> cut = Describe();
            SnapshotQueue queue = new();
            SnapshotCut snapshot = Store.StartSnapshot(queue);
            Set("k0", "round" + round);
            AddMembers(Db, "set", 100_000, 5);
            RemoveMembers("set", 100_000, 5);
            Assert.Equal(cut, Finish(snapshot, queue));
        }
    }

    [Fact]
    public void A_flushed_database_is_still_written_and_then_freed()
    {
        for (int i = 0; i < 1000; i++)
        {
            Set("k" + i, "value" + i, i % 3 == 0 ? StartMs + 1000 : Database.NoExpiry);
        }

        AddMembers(Db, "set", 0, 500);
        Dictionary<string, string> cut = Describe();
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        snapshot.WalkUntil(0);
        Store.FlushAll(inBackground: false);
        Set("k1", "new");
        Store.Swap(0, 1);
        Assert.Equal(cut, Finish(snapshot));
        Store.FlushAll(inBackground: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Whatever_is_done_during_a_snapshot_it_equals_the_data_at_the_cut(int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 3000; i++)
        {
            ChangeSomething(random, 400);
        }

        for (int round = 0; round < 6; round++)
        {
            // Often in the middle of a rehash.
            int fill = random.Next(800);
            for (int i = 0; i < fill; i++)
            {
                Store[random.Next(3)].SetString(K($"f{round}.{i}"), B("fill"));
            }

            Dictionary<string, string> cut = Describe();
            SnapshotQueue queue = new(limitBytes: long.MaxValue);
            SnapshotCut snapshot = Store.StartSnapshot(queue);
            Dictionary<string, string> written = [];
            bool finished = false;
            while (!finished)
            {
                int changes = random.Next(12);
                for (int i = 0; i < changes; i++)
                {
                    ChangeSomething(random, 400);
                }

                if (random.Next(60) == 0)
                {
                    GrowBeyondTheForcedRatio(random, round);
                }

                finished = snapshot.WalkUntil(0);
            }

            Collect(queue, written);
            AssertSame(cut, written, seed);
            Heap.Verify();
        }
    }

    [Fact]
    public void A_forced_resize_in_the_middle_loses_nothing()
    {
        for (int i = 0; i < 1000; i++)
        {
            Set("k" + i, "v");
        }

        AddMembers(Db, "set", 0, 1000);
        Dictionary<string, string> cut = Describe();
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        long refused = Db.GetFigures().Statistics.ResizesRefused;
        int next = 0;
        do
        {
            for (int i = 0; i < 300 && next < 15_000; i++)
            {
                Set("n" + next, "new");
                AddMembers(Db, "set", 1000 + next, 1);
                next++;
            }
        }
        while (!snapshot.WalkUntil(0));
        Assert.Equal(cut, Finish(snapshot));
        Assert.True(Db.GetFigures().Statistics.ResizesRefused > refused);
        Assert.True(Db.GetFigures().Statistics.ResizesForced > 0);
        Assert.Equal(1, Store.ResizePolicy.Pauses);
        Assert.Equal(1, Store.ResizePolicy.Resumptions);
    }

    private void GrowBeyondTheForcedRatio(Random random, int round)
    {
        Database database = Store[random.Next(3)];
        for (int i = 0; i < 2500; i++)
        {
            database.SetString(K($"g{round}.{i}"), B("g"));
        }
    }

    // As when the memory limit is reached: keys of any database go, those with large values too.
    private void EvictSome(Random random)
    {
        Store.Eviction.Choose(EvictionOrder.Random, onlyVolatile: random.Next(2) == 0);
        Store.Eviction.Tenacity = 0;
        Store.Eviction.LimitBytes = Math.Max(1, Heap.UsedBytes - random.Next(20_000));
        Store.Eviction.MakeRoom();
        Store.Eviction.LimitBytes = 0;
    }

    // As when its slab is emptied.
    private static unsafe void MoveEntry(Database database, in Entry entry) => Assert.True(database.TryMove(entry.Block));

    private void ChangeSomething(Random random, int keys)
    {
        Database db = Store[random.Next(3)];
        Key key = K("k" + random.Next(keys));
        Key other = K("k" + random.Next(keys));
        bool found = db.TryFind(key, LookupFlags.NoTouch, out Entry entry);
        if (random.Next(4) == 0)
        {
            ChangeSomeHash(random, db, "k" + random.Next(keys));
            return;
        }

        switch (random.Next(26))
        {
            case 24:
                EvictSome(random);
                break;
            case 25 when found:
                MoveEntry(db, entry);
                break;
            case 0 or 1:
                db.SetString(key, B(new string((char)('a' + random.Next(26)), random.Next(60))), Expiry(random));
                break;
            case 2:
                db.SetInteger(key, random.Next(1_000_000), Expiry(random));
                break;
            case 3:
                db.SetString(key, B(new string('L', random.Next(5000, 300_000))));
                break;
            case 4:
                db.Delete(key, lazily: random.Next(2) == 0);
                break;
            case 5:
                db.Rename(key, other, lazily: random.Next(2) == 0);
                break;
            case 6:
                db.Copy(key, Store[random.Next(3)], other);
                break;
            case 7:
                Database target = Store[(db.Index + 1) % 3];
                db.Move(key, target);
                break;
            case 8 when found:
                db.SetExpireAt(ref entry, Store.NowMs + random.Next(5000));
                break;
            case 9 when found:
                db.ClearExpire(ref entry);
                break;
            case 10:
                Store.NowMs += random.Next(30);
                Store.ExpireSlowly(10);
                break;
            case 11 when found && entry.Type == ValueType.String:
                long length = entry.StringLength;
                long grown = length + random.Next(2000);
                Db_Edit(db, ref entry, grown, length, grown - length);
                break;
            case 12 when found && entry.Type == ValueType.String && entry.StringLength > 0:
                long at = random.NextInt64(entry.StringLength);
                Db_Edit(db, ref entry, entry.StringLength, at, 1);
                break;
            case 13 when random.Next(20) == 0:
                Store.Swap(random.Next(3), random.Next(3));
                break;
            case 14 when random.Next(40) == 0:
                db.Flush(inBackground: random.Next(2) == 0);
                break;
            case 15:
                Store.KeyOf("x"u8);
                db.TryFindRandom(out _);
                break;
            case 16 when found && entry.Type == ValueType.String && entry.TryGetInteger(out long number):
                db.SetInteger(ref entry, number + 1);
                break;
            case 17 when random.Next(10) == 0:
                AddMembers(db, "k" + random.Next(keys), random.Next(100), random.Next(200, 3000));
                break;
            case 18 or 19:
                AddMembers(db, "k" + random.Next(keys), random.Next(1000), random.Next(1, 10), random.Next(2) == 0);
                break;
            default:
                if (found && entry.Type == ValueType.Set)
                {
                    SetValue set = SetValue.Open(db, entry, SetLimits.Default);
                    for (int i = random.Next(8); i > 0 && set.Count > 1; i--)
                    {
                        if (random.Next(2) == 0)
                        {
                            set.PickRandom();
                            set.RemovePicked();
                        }
                        else
                        {
                            set.Remove(B("m" + random.Next(1000)));
                        }
                    }

                    if (set.Count == 0)
                    {
                        db.Delete(key);
                    }
                }

                break;
        }
    }

    private static void Db_Edit(Database db, ref Entry entry, long length, long from, long count)
    {
        db.EditString(ref entry, length, out Span<byte> bytes, from, count);
        bytes.Slice((int)from, (int)count).Fill((byte)'e');
    }

    private long Expiry(Random random) => random.Next(3) == 0 ? Store.NowMs + random.Next(1, 4000) : Database.NoExpiry;

    private void AddMembers(Database db, string name, int first, int count, bool integers = false)
    {
        Key key = K(name);
        for (int i = first; i < first + count; i++)
        {
            byte[] member = B(integers ? i.ToString(System.Globalization.CultureInfo.InvariantCulture) : "m" + i);
            if (!db.TryFind(key, LookupFlags.NoTouch, out Entry entry))
            {
                SetValue.InsertSingle(db, key, member, SetLimits.Default);
            }
            else if (entry.Type == ValueType.Set)
            {
                SetValue set = SetValue.Open(db, entry, SetLimits.Default);
                set.Add(member);
            }
            else
            {
                return;
            }
        }
    }

    private void RemoveMembers(string name, int first, int count)
    {
        SetValue set = SetValue.Open(Db, Find(name), SetLimits.Default);
        for (int i = first; i < first + count; i++)
        {
            Assert.True(set.Remove(B("m" + i)));
        }
    }

    private void RemoveAny(string name)
    {
        SetValue set = SetValue.Open(Db, Find(name), SetLimits.Default);
        set.PickRandom();
        set.RemovePicked();
    }

    private void SetLong(string key, char fill, int length) => Set(key, new string(fill, length));

    private Dictionary<string, string> Finish(SnapshotCut snapshot, SnapshotQueue? queue = null)
    {
        Dictionary<string, string> written = [];
        queue ??= _queue;
        bool finished = false;
        while (!finished)
        {
            finished = snapshot.WalkUntil(Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 1000));
            if (queue.IsFull)
            {
                Collect(queue, written, toTheEnd: false);
            }
        }

        Collect(queue, written);
        return written;
    }

    // Encodes what was handed over as a file, and reads that: everything between the cut and a loaded dataset.
    private static void Collect(SnapshotQueue queue, Dictionary<string, string> written, bool toTheEnd = true)
    {
        string? name = null;
        List<string> parts = [];
        int database = 0;
        while ((toTheEnd || queue.IsFull) && queue.TryTake(out SnapshotChunk chunk))
        {
            SnapshotRecord record = new(chunk);
            while (record.MoveNext())
            {
                switch (record.Kind)
                {
                    case SnapshotRecordKind.SelectDatabase:
                        Assert.Null(name);
                        database = (int)record.Number;
                        break;
                    case SnapshotRecordKind.Integer:
                        written.Add(Name(database, record.Key, record.ExpireAtMs), $"s{record.Number}");
                        break;
                    case SnapshotRecordKind.String:
                        written.Add(Name(database, record.Key, record.ExpireAtMs), "s" + S(record.Bytes));
                        break;
                    case SnapshotRecordKind.IntSet or SnapshotRecordKind.PackedSet:
                        written.Add(Name(database, record.Key, record.ExpireAtMs), MembersOf(record));
                        break;
                    case SnapshotRecordKind.PackedHash:
                        written.Add(Name(database, record.Key, record.ExpireAtMs), FieldsOf(record));
                        break;
                    case SnapshotRecordKind.Set
                        or SnapshotRecordKind.Hash
                        or SnapshotRecordKind.ExpiringHash
                        or SnapshotRecordKind.LongString:
                        Assert.Null(name);
                        name = Name(database, record.Key, record.ExpireAtMs);
                        parts.Add(record.Kind == SnapshotRecordKind.LongString ? "s" : "{");
                        break;
                    case SnapshotRecordKind.Field:
                        Assert.NotNull(name);
                        parts.Add(Field(S(record.Bytes), S(record.ValueBytes), record.FieldExpireAtMs));
                        break;
                    case SnapshotRecordKind.Member or SnapshotRecordKind.Piece:
                        Assert.NotNull(name);
                        parts.Add(S(record.Bytes));
                        break;
                    default:
                        written.Add(name!, parts[0] == "s" ? string.Concat(parts) : Members(parts.Skip(1)));
                        name = null;
                        parts.Clear();
                        break;
                }
            }

            queue.Return(chunk);
        }

        Assert.Null(name);
    }

    private static string MembersOf(in SnapshotRecord record)
    {
        List<string> members = [];
        byte[] copy = record.Bytes.ToArray();
        if (record.Kind == SnapshotRecordKind.IntSet)
        {
            IntSet set = new(copy);
            for (int i = 0; i < set.Count; i++)
            {
                members.Add(set[i].ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
        }
        else
        {
            PackedList list = new(copy);
            for (int at = list.First; at != PackedList.None; at = list.Next(at))
            {
                members.Add(list[at].IsInteger
                    ? list[at].Integer.ToString(System.Globalization.CultureInfo.InvariantCulture)
                    : S(list[at].Bytes));
            }
        }

        return Members(members);
    }

    private Dictionary<string, string> Describe()
    {
        Dictionary<string, string> all = [];
        for (int i = 0; i < Store.DatabaseCount; i++)
        {
            // Also keys whose time has come: they are in the store until something removes them.
            long now = Store.NowMs;
            Store.NowMs = 0;
            Describer describer = new(Store[i], all);
            Store[i].ForEach(ref describer);
            Store.NowMs = now;
        }

        return all;
    }

    private static void AssertSame(Dictionary<string, string> cut, Dictionary<string, string> written, int seed)
    {
        Assert.True(
            cut.Keys.ToHashSet().SetEquals(written.Keys),
            $"seed {seed}: missing {string.Join(' ', cut.Keys.Except(written.Keys).Take(5))}, "
            + $"too many {string.Join(' ', written.Keys.Except(cut.Keys).Take(5))}");
        foreach ((string name, string value) in cut)
        {
            Assert.True(value == written[name], $"seed {seed}: {name}");
        }
    }

    private static string Name(int database, ReadOnlySpan<byte> key, long expireAtMs) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{database}/{S(key)}@{expireAtMs}");

    private static string Members(IEnumerable<string> members) =>
        "{" + string.Join(',', members.Order(StringComparer.Ordinal)) + "}";

    private readonly struct Describer(Database database, Dictionary<string, string> all) : IEntryVisitor
    {
        public void Visit(in Entry entry)
        {
            string name = Name(database.Index, entry.KeyBytes, entry.ExpireAtMs);
            if (entry.Type == ValueType.String)
            {
                all.Add(name, "s" + S(entry.GetStringSpan(stackalloc byte[Entry.ScratchBytes])));
                return;
            }

            List<string> members = [];
            Span<byte> scratch = stackalloc byte[32];
            if (entry.Type == ValueType.Hash)
            {
                foreach (HashField field in HashValue.Open(database, entry, HashLimits.Default).WalkAll())
                {
                    members.Add(Field(S(field.Name.AsText(scratch)), S(field.Value.AsText(scratch)), field.ExpireAtMs));
                }

                all.Add(name, Members(members));
                return;
            }

            foreach (SetMember member in SetValue.Open(database, entry, SetLimits.Default))
            {
                members.Add(S(member.AsText(scratch)));
            }

            all.Add(name, Members(members));
        }
    }
}
