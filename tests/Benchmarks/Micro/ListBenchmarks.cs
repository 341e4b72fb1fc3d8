using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using KvServer.Storage;

namespace KvServer.Benchmarks.Micro;

/// <summary>One list of a million short elements: both ends, places in the middle, and a range of 300.</summary>
[MemoryDiagnoser]
public class ListBenchmarks : IDisposable
{
    private const int ElementCount = 1_000_000;
    private const int Operations = 256;
    private const int RangeLength = 300;

    private readonly byte[] _element = Encoding.ASCII.GetBytes("element:0123");
    private Keyspace? _store;
    private int _next;

    /// <summary>Fills the list.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _store = new Keyspace(new KeyspaceOptions { DatabaseCount = 1 });
        ListValue list = ListValue.Create(_store, ListLimits.Default);
        for (int i = 0; i < ElementCount; i++)
        {
            byte[] text = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"element:{i:D7}"));
            list.PrepareToGrow(text.Length, 1);
            list.Push(text, atHead: false);
        }

        list.InsertAs(_store[0], _store.KeyOf("list"u8));
        list.Dispose();
    }

    /// <summary>A push at the tail; as many are popped there afterwards, which is part of the time.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public void PushAndPopAtTail() => PushAndPop(pushAtHead: false, popAtHead: false);

    /// <summary>A push and a pop at the head.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public void PushAndPopAtHead() => PushAndPop(pushAtHead: true, popAtHead: true);

    /// <summary>A push at the head and a pop at the tail: a queue, which goes through all leaves.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public void Queue() => PushAndPop(pushAtHead: true, popAtHead: false);

    /// <summary>An element at a random place.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public int Index()
    {
        ListValue list = Open();
        int bytes = 0;
        for (int i = 0; i < Operations; i++)
        {
            bytes += list[NextPlace()].Bytes.Length;
        }

        return bytes;
    }

    /// <summary>Another element of the same length at a random place.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public void Set()
    {
        ListValue list = Open();
        for (int i = 0; i < Operations; i++)
        {
            list.Set(NextPlace(), _element);
        }
    }

    /// <summary>An element before one at a random place, and that one removed again.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public void InsertAndRemove()
    {
        ListValue list = Open();
        for (int i = 0; i < Operations; i++)
        {
            long place = NextPlace();
            list.Insert(place, _element);
            list.RemoveRange(place, 1);
        }
    }

    /// <summary>One of 300 elements read in a row.</summary>
    [Benchmark(OperationsPerInvoke = RangeLength)]
    public int Range()
    {
        int bytes = 0;
        foreach (PackedElement element in Open().Walk(NextPlace() / 2, RangeLength, forward: true))
        {
            bytes += element.Bytes.Length;
        }

        return bytes;
    }

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _store?.Dispose();
        _store = null;
        GC.SuppressFinalize(this);
    }

    private void PushAndPop(bool pushAtHead, bool popAtHead)
    {
        ListValue list = Open();
        for (int i = 0; i < Operations; i++)
        {
            list.Push(_element, pushAtHead);
        }

        for (int i = 0; i < Operations; i++)
        {
            list.RemoveEnd(popAtHead);
        }
    }

    private ListValue Open()
    {
        Database database = _store![0];
        database.TryFind(_store.KeyOf("list"u8), LookupFlags.NoTouch, out Entry entry);
        return ListValue.Open(database, entry, ListLimits.Default);
    }

    // Far apart, and the same in every run.
    private long NextPlace() => (long)((uint)++_next * 0x9E3779B1u % (ElementCount / 2));
}
