using System.Diagnostics;

namespace KvServer.Storage.Tests.Values;

/// <summary>Random operations on hashes against a dictionary: in mid-rehash, in mid-snapshot, saved and loaded again.</summary>
public class HashPropertyTests : HashTest
{
    private readonly Dictionary<string, Dictionary<string, (string Value, long ExpireAtMs)>> _model = [];

    [Theory]
    [InlineData(1, 0, 64)]
    [InlineData(2, 8, 12)]
    [InlineData(3, 128, 64)]
    [InlineData(4, 3, 64)]
    [InlineData(5, 20, 20)]
    [InlineData(6, 0, 0)]
    public void Hashes_hold_what_a_dictionary_holds(int seed, int entries, int bytes)
    {
        Limits = new HashLimits(entries, bytes);
        Random random = new(seed);
        SnapshotCut? snapshot = null;
        for (int i = 0; i < 6000; i++)
        {
            string key = "h" + random.Next(4);
            Step(random, key);
            if (i % 19 == 0)
            {
                MoveParts();
            }

            if (snapshot is null)
            {
                if (random.Next(200) == 0)
                {
                    snapshot = Store.StartSnapshot(new SnapshotQueue(limitBytes: long.MaxValue));
                }
            }
            else if (random.Next(3) == 0 && snapshot.WalkUntil(0))
            {
                snapshot = null;
            }

            if (random.Next(50) == 0)
            {
                Compare(seed, i);
            }

            if (random.Next(300) == 0)
            {
                SaveAndLoad(key);
            }
        }

        while (snapshot is not null && !snapshot.WalkUntil(Stopwatch.GetTimestamp()))
        {
        }

        Compare(seed, -1);
        Heap.Verify();
    }

    private void Step(Random random, string key)
    {
        Dictionary<string, (string Value, long ExpireAtMs)> model = _model.TryGetValue(key, out var found) ? found : _model[key] = [];
        string field = random.Next(3) == 0 ? "" + random.Next(50) : "f" + random.Next(random.Next(2) == 0 ? 8 : 200);
        string value = random.Next(4) switch
        {
            0 => "" + random.Next(-100_000, 100_000),
            1 => new string('v', random.Next(10)),
            2 => new string('w', random.Next(30)),
            _ => random.Next(30) == 0 ? new string('x', random.Next(700)) : "v" + random.Next(10),
        };
        bool exists = Db.FindForWrite(K(key), ValueType.Hash, out _) == Lookup.Found;
        switch (random.Next(12))
        {
            case 0 or 1 or 2 or 3:
                Assert.Equal(!model.ContainsKey(field), Put(key, field, value));
                model[field] = (value, Database.NoExpiry);
                break;
            case 4 or 5 when exists:
                Assert.Equal(model.Remove(field), Remove(key, field));
                break;
            case 6 when exists:
                HashValue kept = Open(key);
                long before = model.TryGetValue(field, out var old) ? old.ExpireAtMs : Database.NoExpiry;
                Assert.Equal(!model.ContainsKey(field), kept.SetKeepingExpiry(B(field), B(value)));
                model[field] = (value, before);
                break;
            case 7 when model.ContainsKey(field):
                long at = Store.NowMs + random.Next(1, 3000);
                Expire(key, field, at);
                model[field] = (model[field].Value, at);
                break;
            case 8 when model.TryGetValue(field, out var current) && current.ExpireAtMs >= 0:
                HashValue persisted = Open(key);
                persisted.Persist(B(field));
                model[field] = (current.Value, Database.NoExpiry);
                break;
            case 9:
                Store.NowMs += random.Next(100);
                if (random.Next(2) == 0)
                {
                    Store.ExpireSlowly(10);
                }

                foreach (Dictionary<string, (string Value, long ExpireAtMs)> each in _model.Values)
                {
                    foreach (string gone in each.Where(pair => pair.Value.ExpireAtMs >= 0 && pair.Value.ExpireAtMs < Store.NowMs)
                        .Select(pair => pair.Key).ToList())
                    {
                        each.Remove(gone);
                    }
                }

                break;
            case 10 when random.Next(20) == 0 && exists:
                string target = "h" + random.Next(4);
                if (target != key)
                {
                    Db.Copy(K(key), Db, K(target));
                    _model[target] = new(model);
                }

                break;
            case 11 when random.Next(60) == 0:
                Db.Delete(K(key), lazily: random.Next(2) == 0);
                model.Clear();
                break;
            default:
                Assert.Equal(model.TryGetValue(field, out var read) ? read.Value : null, Read(key, field));
                break;
        }
    }

    private void SaveAndLoad(string key)
    {
        if (Db.FindForRead(K(key), ValueType.Hash, out Entry entry) != Lookup.Found)
        {
            return;
        }

        RdbOutput output = new(null);
        RdbPayload.Write(output, Db, entry, compress: true);
        Assert.True(RdbPayload.HasValidFooter(output.Buffered));
        Assert.True(RdbPayload.TryRestore(
            Db, K(key), output.Buffered, Database.NoExpiry, new ValueLimits { Hashes = Limits }, out _));
    }

    private void Compare(int seed, int step)
    {
        foreach ((string key, Dictionary<string, (string Value, long ExpireAtMs)> model) in _model)
        {
            string where = $"seed {seed}, step {step}, {key}";
            if (Db.FindForRead(K(key), ValueType.Hash, out _) != Lookup.Found)
            {
                Assert.True(model.Count == 0, where);
                continue;
            }

            HashValue hash = Open(key);
            Assert.True(model.Count == hash.LiveCount, where);
            int seen = 0;
            foreach (HashField field in hash)
            {
                Assert.True(model.TryGetValue(Text(field.Name), out var expected), where);
                Assert.True(expected == (Text(field.Value), field.ExpireAtMs), where);
                seen++;
            }

            Assert.True(seen == model.Count, where);
            Assert.True(hash.HasExpiring || model.Values.All(value => value.ExpireAtMs < 0), where);
        }
    }
}
