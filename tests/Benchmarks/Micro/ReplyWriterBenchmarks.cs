using System.Buffers;
using BenchmarkDotNet.Attributes;
using KvServer.Resp;

namespace KvServer.Benchmarks.Micro;

/// <summary>Writing replies: time per reply, and that nothing is allocated.</summary>
[MemoryDiagnoser]
public class ReplyWriterBenchmarks : IDisposable
{
    private const int Replies = 16;

    private readonly ArrayBufferWriter<byte> _output = new(64 * 1024);
    private readonly byte[] _value = new byte[64];
    private readonly ReplyWriter _writer;

    /// <summary>Makes a writer over an array.</summary>
    public ReplyWriterBenchmarks() => _writer = new ReplyWriter(_output);

    /// <summary>Sixteen times OK.</summary>
    [Benchmark(OperationsPerInvoke = Replies)]
    public int Ok()
    {
        for (int i = 0; i < Replies; i++)
        {
            _writer.Ok();
        }

        return Take();
    }

    /// <summary>Sixteen integers of one to seven digits.</summary>
    [Benchmark(OperationsPerInvoke = Replies)]
    public int Integer()
    {
        for (int i = 0; i < Replies; i++)
        {
            _writer.Integer(1L << i << (i / 2));
        }

        return Take();
    }

    /// <summary>Sixteen bulk strings of 64 bytes.</summary>
    [Benchmark(OperationsPerInvoke = Replies)]
    public int BulkString()
    {
        for (int i = 0; i < Replies; i++)
        {
            _writer.BulkString(_value);
        }

        return Take();
    }

    /// <summary>An array of fifteen bulk strings of 64 bytes.</summary>
    [Benchmark]
    public int Array()
    {
        _writer.Array(Replies - 1);
        for (int i = 1; i < Replies; i++)
        {
            _writer.BulkString(_value);
        }

        return Take();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        GC.SuppressFinalize(this);
    }

    private int Take()
    {
        _writer.Commit();
        int count = _output.WrittenCount;
        _output.ResetWrittenCount();
        return count;
    }
}
