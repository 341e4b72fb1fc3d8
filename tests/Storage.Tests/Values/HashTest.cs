namespace KvServer.Storage.Tests.Values;

/// <summary>What the tests of hashes share: short ways to change and read a hash under a key.</summary>
public abstract class HashTest : StoreTest
{
    protected HashLimits Limits { get; set; } = HashLimits.Default;

    protected HashValue Open(string key) => HashValue.Open(Db, Find(key), Limits);

    /// <summary>Sets a field as HSET does.</summary>
    protected bool Put(string key, string field, string value) => Put(Db, key, field, value);

    protected bool Put(Database database, string key, string field, string value)
    {
        if (database.FindForWrite(K(key), ValueType.Hash, out Entry entry) == Lookup.Missing)
        {
            HashValue.InsertSingle(database, K(key), B(field), B(value), Limits);
            return true;
        }

        return HashValue.Open(database, entry, Limits).Set(B(field), B(value));
    }

    protected string? Read(string key, string field) => Read(Db, key, field);

    protected string? Read(Database database, string key, string field) =>
        database.FindForRead(K(key), ValueType.Hash, out Entry entry) == Lookup.Found
            && HashValue.Open(database, entry, Limits).TryGet(B(field), out PackedElement value)
                ? Text(value)
                : null;

    /// <summary>Removes a field and the key with the last one.</summary>
    protected bool Remove(string key, string field)
    {
        HashValue hash = Open(key);
        bool removed = hash.Remove(B(field));
        if (hash.Count == 0)
        {
            Db.Delete(K(key));
        }

        return removed;
    }

    protected void Expire(string key, string field, long expireAtMs)
    {
        HashValue hash = Open(key);
        hash.SetExpireAt(B(field), expireAtMs);
    }

    /// <summary>The fields with their values, as a dictionary.</summary>
    protected SortedDictionary<string, string> All(string key) => All(Open(key));

    protected static SortedDictionary<string, string> All(HashValue hash)
    {
        SortedDictionary<string, string> all = new(StringComparer.Ordinal);
        foreach (HashField field in hash)
        {
            all.Add(Text(field.Name), Text(field.Value));
        }

        return all;
    }

    protected static string Text(PackedElement element) => S(element.AsText(stackalloc byte[IntegerText.MaxLength]));
}
