using System.Globalization;

namespace KvServer.Storage.Tests.Values;

/// <summary>What the tests of sets share: short ways to change and read a set under a key.</summary>
public abstract class SetTest : StoreTest
{
    protected SetTest()
    {
    }

    protected SetTest(KeyHasher hasher)
        : base(hasher)
    {
    }

    protected SetLimits Limits { get; set; } = SetLimits.Default;

    protected SetValue Open(string key) => SetValue.Open(Db, Find(key), Limits);

    /// <summary>Adds members as SADD does and returns how many were new.</summary>
    protected long Add(string key, params string[] members)
    {
        long added = 0;
        if (Db.FindForWrite(K(key), ValueType.Set, out Entry entry) == Lookup.Missing)
        {
            if (members.Length == 1)
            {
                SetValue.InsertSingle(Db, K(key), B(members[0]), Limits);
                return 1;
            }

            SetValue built = SetValue.Create(Store, Limits, SetMember.OfBytes(B(members[0])), members.Length);
            try
            {
                foreach (string member in members)
                {
                    added += built.Add(B(member)) ? 1 : 0;
                }

                built.InsertAs(Db, K(key));
            }
            finally
            {
                built.Dispose();
            }

            return added;
        }

        SetValue set = SetValue.Open(Db, entry, Limits);
        set.Prepare(members.Length);
        foreach (string member in members)
        {
            added += set.Add(B(member)) ? 1 : 0;
        }

        return added;
    }

    protected bool Contains(string key, string member) => Open(key).Contains(B(member));

    /// <summary>Removes a member and the key with the last one.</summary>
    protected bool Remove(string key, string member)
    {
        SetValue set = Open(key);
        bool removed = set.Remove(B(member));
        if (set.Count == 0)
        {
            Db.Delete(K(key));
        }

        return removed;
    }

    protected List<string> Members(string key) => Members(Open(key));

    protected static List<string> Members(SetValue set)
    {
        List<string> all = [];
        foreach (SetMember member in set)
        {
            all.Add(Text(member));
        }

        return all;
    }

    protected static string Text(SetMember member) => S(member.AsText(stackalloc byte[IntegerText.MaxLength]));

    protected static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    protected static string[] Numbers(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => Number(i))];
}
