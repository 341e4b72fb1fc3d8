using State = (string Value, long ExpireAtMs);

namespace KvServer.Storage.Tests;

/// <summary>Random operations across databases, with keys and values around every limit of the layout, agree with
/// dictionaries; so do the tables, whatever resizing is allowed and whatever is freed in the background.</summary>
public sealed class KeyspacePropertyTests : StoreTest
{
    private const int Databases = 3;

    private static readonly int[] KeyLengths = [1, 8, 253, 254, 255, 256, 700, 40_000];

    private static readonly int[] ValueLengths =
        [0, 1, 19, 20, 21, 253, 254, 255, 256, 4095, 4096, 4097, 32_767, 32_768, 32_769, 70_000];

    private readonly Dictionary<string, State>[] _models =
        [.. Enumerable.Range(0, Databases).Select(_ => new Dictionary<string, State>(StringComparer.Ordinal))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_operations_across_databases_agree_with_dictionaries(int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < 6000; i++)
        {
            int at = random.Next(Databases);
            int other = (at + random.Next(Databases)) % Databases;
            Step(random, at, other);
            if (i % 200 == 0)
            {
                Store.ResizingAllowed = random.Next(3) > 0;
                Heap.Verify();
                AssertAllEqual(random);
            }
        }

        AssertAllEqual(random);
    }

    private static string NewKey(Random random)
    {
        int length = KeyLengths[random.Next(KeyLengths.Length)];
        string name = "k" + random.Next(60);
        return length < name.Length ? name[..length] : name.PadRight(length, '.');
    }

    private static string NewValue(Random random) => random.Next(4) switch
    {
        0 => random.NextInt64(long.MinValue, long.MaxValue).ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => new string((char)('a' + random.Next(26)), ValueLengths[random.Next(ValueLengths.Length)]),
    };

    private void Step(Random random, int at, int other)
    {
        Database database = Store[at];
        Dictionary<string, State> model = _models[at];
        string key = NewKey(random);
        bool exists = model.TryGetValue(key, out State state);
        switch (random.Next(14))
        {
            case 0 or 1 or 2 or 3:
                long expireAtMs = random.Next(2) == 0 ? Database.NoExpiry : Store.NowMs + random.Next(1, 500);
                State set = (NewValue(random), expireAtMs);
                Write(random, database, key, set);
                model[key] = set;
                break;
            case 4:
                Assert.Equal(model.Remove(key), database.Delete(K(key), lazily: random.Next(2) == 0));
                break;
            case 5 or 6 when exists:
                string name = NewKey(random);
                Assert.True(database.Rename(K(key), K(name)));
                model.Remove(key);
                model[name] = state;
                break;
            case 7 or 8 when exists:
                string copy = NewKey(random);
                Assert.True(database.Copy(K(key), Store[other], K(copy)));
                _models[other][copy] = state;
                break;
            case 9 when at != other:
                bool moves = exists && !_models[other].ContainsKey(key);
                Assert.Equal(moves, database.Move(K(key), Store[other]));
                if (moves)
                {
                    model.Remove(key);
                    _models[other][key] = state;
                }

                break;
            case 10:
                Store.Swap(at, other);
                (_models[at], _models[other]) = (_models[other], _models[at]);
                break;
            case 11 when random.Next(20) == 0:
                Assert.Equal(database.Count, database.Flush(inBackground: random.Next(2) == 0));
                model.Clear();
                break;
            case 12 when exists:
                Assert.True(database.TryFind(K(key), LookupFlags.None, out Entry entry));
                database.EditString(ref entry, state.Value.Length + 5, out Span<byte> bytes);
                bytes[^5..].Fill((byte)'+');
                model[key] = (state.Value + "+++++", state.ExpireAtMs);
                break;
            default:
                Store.NowMs += random.Next(20);
                Store.Cron(1);
                Store.ExpireSlowly(10);
                break;
        }

        foreach (Dictionary<string, State> each in _models)
        {
            each.Where(p => p.Value.ExpireAtMs != Database.NoExpiry && p.Value.ExpireAtMs < Store.NowMs)
                .Select(p => p.Key).ToList().ForEach(dead => each.Remove(dead));
        }
    }

    private void Write(Random random, Database database, string key, State state)
    {
        if (random.Next(3) > 0)
        {
            database.SetString(K(key), B(state.Value), state.ExpireAtMs);
            return;
        }

        using var large = new LargeString(Heap);
        large.Append(B(state.Value));
        database.AdoptString(K(key), large, state.ExpireAtMs);
    }

    private void AssertAllEqual(Random random)
    {
        for (int i = 0; i < Databases; i++)
        {
            var seen = new NameVisitor { Names = [] };
            ulong cursor = 0;
            do
            {
                cursor = Store[i].Scan(cursor, random.Next(1, 20), ref seen);
            }
            while (cursor != 0);

            Assert.Equal(_models[i].Keys.Order(StringComparer.Ordinal), seen.Names.Order(StringComparer.Ordinal));
            Assert.Equal(_models[i].Count, Store[i].Count);
            Assert.Equal(_models[i].Values.Count(s => s.ExpireAtMs != Database.NoExpiry), Store[i].ExpireCount);
            foreach ((string key, State state) in _models[i])
            {
                Assert.Equal(state.Value, Get(Store[i], key));
            }
        }
    }

    private struct NameVisitor : IEntryVisitor
    {
        public HashSet<string> Names;

        public readonly void Visit(in Entry entry) => Names.Add(S(entry.KeyBytes));
    }
}
