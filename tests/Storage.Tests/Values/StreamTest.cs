namespace KvServer.Storage.Tests.Values;

/// <summary>What the tests of streams share: short ways to make and change a stream under a key.</summary>
public abstract class StreamTest : StoreTest
{
    protected StreamLimits Limits { get; set; } = StreamLimits.Default;

    protected static StreamId Id(ulong ms, ulong sequence = 0) => new(ms, sequence);

    protected void Make(string key)
    {
        StreamValue stream = StreamValue.Create(Store, Limits);
        stream.InsertAs(Db, K(key));
        stream.Dispose();
    }

    protected StreamValue Open(string key) => StreamValue.Open(Db, Find(key), Limits);

    protected void Append(string key, StreamId id, params string[] pairs) =>
        Assert.True(Open(key).TryAppend(id, new Fields(pairs)));

    /// <summary>Makes a stream of entries 1-0, 2-0 and so on.</summary>
    protected void MakeNumbered(string key, int count)
    {
        Make(key);
        for (int i = 1; i <= count; i++)
        {
            Append(key, Id((ulong)i), "f", "v" + i);
        }
    }

    protected List<string> Entries(string key) => Entries(Open(key), StreamId.Min, StreamId.Max, forward: true);

    private protected static List<string> Entries(StreamValue stream, StreamId start, StreamId end, bool forward)
    {
        List<string> all = [];
        foreach (StreamEntry entry in stream.Range(start, end, forward))
        {
            all.Add(StreamModel.Describe(entry));
        }

        return all;
    }

    /// <summary>Pairs of field and value.</summary>
    protected readonly struct Fields(string[] pairs) : IStreamFields
    {
        public int Count => pairs.Length / 2;

        public ReadOnlySpan<byte> NameAt(int index) => B(pairs[2 * index]);

        public ReadOnlySpan<byte> ValueAt(int index) => B(pairs[(2 * index) + 1]);
    }
}
