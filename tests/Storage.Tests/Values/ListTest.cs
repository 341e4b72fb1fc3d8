namespace KvServer.Storage.Tests.Values;

/// <summary>What the tests of lists share: short ways to change and read a list under a key.</summary>
public abstract class ListTest : StoreTest
{
    protected ListLimits Limits { get; set; } = ListLimits.Default;

    protected ListValue Open(string key) => ListValue.Open(Db, Find(key), Limits);

    /// <summary>Pushes elements as RPUSH and LPUSH do.</summary>
    protected void Push(string key, bool atHead, params string[] elements)
    {
        if (Db.FindForWrite(K(key), ValueType.List, out Entry entry) == Lookup.Missing)
        {
            ListValue.InsertSingle(Db, K(key), B(elements[0]), Limits);
            if (elements.Length == 1)
            {
                return;
            }

            elements = elements[1..];
            entry = Find(key);
        }

        ListValue list = ListValue.Open(Db, entry, Limits);
        list.PrepareToGrow(elements.Sum(element => (long)element.Length), elements.Length);
        foreach (string element in elements)
        {
            list.Push(B(element), atHead);
        }
    }

    /// <summary>Makes a list of numbers in a tree whose nodes are small.</summary>
    protected void MakeTree(string key, int count, int nodeCount = 4)
    {
        Limits = new ListLimits(128, nodeCount, 0);
        for (int i = 0; i < count; i++)
        {
            Push(key, false, "e" + i);
        }
    }

    protected List<string> Elements(string key) => Elements(Open(key));

    protected static List<string> Elements(ListValue list)
    {
        List<string> all = [];
        foreach (PackedElement element in list)
        {
            all.Add(Text(element));
        }

        return all;
    }

    protected static string Text(PackedElement element) => S(element.AsText(stackalloc byte[IntegerText.MaxLength]));

    protected static string[] Numbered(int count) => [.. Enumerable.Range(0, count).Select(i => "e" + i)];
}
