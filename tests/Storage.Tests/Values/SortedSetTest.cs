using System.Globalization;

namespace KvServer.Storage.Tests.Values;

/// <summary>What the tests of sorted sets share: short ways to change and read one under a key.</summary>
public abstract class SortedSetTest : StoreTest
{
    protected SortedSetTest()
    {
    }

    protected SortedSetTest(KeyHasher hasher)
        : base(hasher)
    {
    }

    protected SortedSetLimits Limits { get; set; } = SortedSetLimits.Default;

    protected SortedSetValue Open(string key) => Open(Db, key);

    protected SortedSetValue Open(Database database, string key)
    {
        Assert.Equal(
            Lookup.Found, database.FindForWrite(database.Keyspace.KeyOf(B(key)), ValueType.SortedSet, out Entry entry));
        return SortedSetValue.Open(database, entry, Limits);
    }

    /// <summary>Adds a member as ZADD does.</summary>
    protected SortedSetChange Add(
        string key, double score, string member, SortedSetAddFlags flags = SortedSetAddFlags.None)
    {
        if (Db.FindForWrite(K(key), ValueType.SortedSet, out Entry entry) == Lookup.Missing)
        {
            SortedSetValue.InsertSingle(Db, K(key), B(member), score, Limits);
            return SortedSetChange.Added;
        }

        SortedSetValue set = SortedSetValue.Open(Db, entry, Limits);
        return set.Add(B(member), score, flags, out _);
    }

    /// <summary>Adds members m0, m1, ... with their numbers as scores.</summary>
    protected void AddMany(string key, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Add(key, i, "m" + Number(i));
        }
    }

    /// <summary>Removes a member, and the key with the last one.</summary>
    protected bool Remove(string key, string member)
    {
        SortedSetValue set = Open(key);
        bool removed = set.Remove(B(member));
        if (set.Count == 0)
        {
            Db.Delete(K(key));
        }

        return removed;
    }

    protected double? ScoreOf(string key, string member) =>
        Open(key).TryGetScore(B(member), out double score) ? score : null;

    protected long RankOf(string key, string member) => Open(key).RankOf(B(member), out _);

    protected List<(string Member, double Score)> Members(string key) => Members(Open(key));

    protected static List<(string Member, double Score)> Members(SortedSetValue set) => Members(set.GetEnumerator());

    protected static List<(string Member, double Score)> Members(SortedSetEnumerator walk)
    {
        List<(string, double)> all = [];
        foreach (SortedSetMember member in walk)
        {
            all.Add((Text(member), member.Score));
        }

        return all;
    }

    protected static string Text(SortedSetMember member) =>
        S(member.Member.AsText(stackalloc byte[IntegerText.MaxLength]));

    protected static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Checks the links of a set that has some.</summary>
    protected static void Verify(SortedSetValue set)
    {
        if (set.Encoding == ValueEncoding.SkipList)
        {
            set.List.Verify();
        }
    }
}
