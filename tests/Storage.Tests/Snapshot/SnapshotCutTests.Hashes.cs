namespace KvServer.Storage.Tests;

/// <content>Hashes: their fields change in place and expire while they are being written.</content>
public sealed partial class SnapshotCutTests
{
    [Fact]
    public void A_field_that_is_set_during_the_snapshot_is_written_as_it_was()
    {
        const int Fields = 5000;
        for (int i = 0; i < Fields; i++)
        {
            PutField(Db, "hash", "f" + i, "before");
        }

        Dictionary<string, string> cut = Describe();
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        PutField(Db, "hash", "f1", "after!");
        PutField(Db, "hash", "f2", "a value in another block than before");
        snapshot.WalkUntil(0);
        snapshot.WalkUntil(0);
        for (int i = 0; i < Fields; i += 3)
        {
            PutField(Db, "hash", "f" + i, "after!");
            PutField(Db, "hash", "new" + i, "x");
        }

        Assert.Equal(cut, Finish(snapshot));
        Assert.True(snapshot.HandedOver > 1);
    }

    [Fact]
    public void Expiry_times_are_those_of_the_cut()
    {
        for (int i = 0; i < 500; i++)
        {
            PutField(Db, "hash", "f" + i, "v");
            HashValue hash = HashValue.Open(Db, Find("hash"), HashLimits.Default);
            if (i % 2 == 0)
            {
                hash.SetExpireAt(B("f" + i), StartMs + 100 + i);
            }
        }

        Dictionary<string, string> cut = Describe();
        SnapshotCut snapshot = Store.StartSnapshot(_queue);
        HashValue changed = HashValue.Open(Db, Find("hash"), HashLimits.Default);
        changed.SetExpireAt(B("f7"), StartMs + 1);
        changed.SetExpireAt(B("f0"), StartMs + 100_000);
        changed.Persist(B("f2"));
        Store.NowMs += 200;
        Store.ExpireSlowly(10);
        Assert.Equal(cut, Finish(snapshot));
    }

    private static string Field(string name, string value, long expireAtMs) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}={value}@{expireAtMs}");

    private static string FieldsOf(in SnapshotRecord record)
    {
        List<string> parts = [];
        PackedList list = new(record.Bytes.ToArray());
        Span<byte> scratch = stackalloc byte[32];
        for (int at = list.First; at != PackedList.None; at = list.Next(at))
        {
            parts.Add(S(list[at].AsText(scratch)));
        }

        return Members(parts.Chunk(2).Select(pair => Field(pair[0], pair[1], Database.NoExpiry)));
    }

    private void ChangeSomeHash(Random random, Database db, string name)
    {
        if (!db.TryFind(K(name), LookupFlags.NoTouch, out Entry entry) || entry.Type != ValueType.Hash)
        {
            int fields = random.Next(8) switch { 0 => 3000, 1 => 300, _ => 20 };
            for (int i = random.Next(fields); i > 0; i--)
            {
                PutField(db, name, "f" + random.Next(fields), "v" + i);
            }

            return;
        }

        HashValue hash = HashValue.Open(db, entry, HashLimits.Default);
        for (int i = random.Next(10); i > 0; i--)
        {
            byte[] field = B("f" + random.Next(300));
            bool exists = hash.TryGetExpiry(field, out long expireAtMs);
            switch (random.Next(6))
            {
                case 0 when exists && hash.Count > 1:
                    hash.Remove(field);
                    break;
                case 1 when exists:
                    hash.SetExpireAt(field, Store.NowMs + random.Next(3000));
                    break;
                case 2 when exists && expireAtMs >= 0:
                    hash.Persist(field);
                    break;
                default:
                    hash.Set(field, B(new string('c', random.Next(40))));
                    break;
            }
        }
    }

    private void PutField(Database db, string name, string field, string value)
    {
        if (!db.TryFind(K(name), LookupFlags.NoTouch, out Entry entry))
        {
            HashValue.InsertSingle(db, K(name), B(field), B(value), HashLimits.Default);
        }
        else if (entry.Type == ValueType.Hash)
        {
            HashValue hash = HashValue.Open(db, entry, HashLimits.Default);
            hash.Set(B(field), B(value));
        }
    }
}
