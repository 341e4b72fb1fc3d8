using System.Buffers;
using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using KvServer.Resp;

namespace KvServer.Benchmarks.Micro;

/// <summary>Slicing received bytes into requests: time per request, and that nothing is allocated.</summary>
[MemoryDiagnoser]
public class RequestReaderBenchmarks : IDisposable
{
    private const int Pipeline = 16;

    private readonly RequestReader _reader = new(ProtocolLimits.Default);
    private readonly RequestBatch _batch = new();
    private readonly byte[] _get = Repeat("*2\r\n$3\r\nGET\r\n$11\r\nkey:{0:D7}\r\n", 1);
    private readonly byte[] _gets = Repeat("*2\r\n$3\r\nGET\r\n$11\r\nkey:{0:D7}\r\n", Pipeline);
    private readonly byte[] _set = Repeat(SetRequest, 1);
    private readonly byte[] _sets = Repeat(SetRequest, Pipeline);
    private readonly byte[] _inlines = Repeat("GET key:{0:D7}\r\n", Pipeline);

    private static string SetRequest => "*3\r\n$3\r\nSET\r\n$11\r\nkey:{0:D7}\r\n$64\r\n" + new string('v', 64) + "\r\n";

    /// <summary>One GET.</summary>
    [Benchmark]
    public int Get() => Read(new ReadOnlySequence<byte>(_get));

    /// <summary>Sixteen GETs in one buffer.</summary>
    [Benchmark(OperationsPerInvoke = Pipeline)]
    public int PipelinedGet() => Read(new ReadOnlySequence<byte>(_gets));

    /// <summary>One SET of 64 bytes.</summary>
    [Benchmark]
    public int Set() => Read(new ReadOnlySequence<byte>(_set));

    /// <summary>Sixteen SETs of 64 bytes in one buffer.</summary>
    [Benchmark(OperationsPerInvoke = Pipeline)]
    public int PipelinedSet() => Read(new ReadOnlySequence<byte>(_sets));

    /// <summary>Sixteen inline GETs in one buffer.</summary>
    [Benchmark(OperationsPerInvoke = Pipeline)]
    public int PipelinedInline() => Read(new ReadOnlySequence<byte>(_inlines));

    /// <summary>One SET that arrives in two halves.</summary>
    [Benchmark]
    public int SetInTwoReads()
    {
        ReadOnlySequence<byte> unread = new(_set, 0, _set.Length / 2);
        _reader.ReadAll(ref unread, _batch);
        int consumed = (_set.Length / 2) - (int)unread.Length;
        return Read(new ReadOnlySequence<byte>(_set, consumed, _set.Length - consumed));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _batch.Dispose();
        GC.SuppressFinalize(this);
    }

    private static byte[] Repeat(string format, int count) => Encoding.ASCII.GetBytes(string.Concat(
        Enumerable.Range(0, count).Select(i => string.Format(CultureInfo.InvariantCulture, format, i))));

    private int Read(ReadOnlySequence<byte> unread)
    {
        _reader.ReadAll(ref unread, _batch);
        int count = _batch.Count;
        _batch.Clear();
        return count;
    }
}
