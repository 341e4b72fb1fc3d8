using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KvServer.Fuzz;

namespace KvServer.Resp.Tests;

/// <summary>Short ways to read input in tests.</summary>
internal static class Reading
{
    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static string[][] Strings(this ReadOutcome outcome) =>
        [.. outcome.Requests.Select(r => r.Select(a => Text(a)).ToArray())];

    public static ReadOutcome Read(string input, ProtocolLimits? limits = null) => Read(Bytes(input), limits);

    public static ReadOutcome Read(byte[] input, ProtocolLimits? limits = null) =>
        new Arrival(input, [], ArrivalKind.GrowingArray).Read(limits ?? ProtocolLimits.Default);

    public static string[] ReadSingle(ReadOnlySequence<byte> bytes)
    {
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        Assert.Equal(ReadStatus.Complete, reader.ReadAll(ref bytes, batch));
        Assert.Equal(1, batch.Count);
        Assert.True(bytes.IsEmpty);
        return Strings(batch, 0);
    }

    public static string[] Strings(RequestBatch batch, int index)
    {
        Arguments arguments = batch.ArgumentsOf(index);
        var strings = new string[arguments.Count];
        for (int i = 0; i < strings.Length; i++)
        {
            strings[i] = Text(arguments[i]);
        }

        return strings;
    }

    /// <summary>Flushes a pipe that never makes its writer wait.</summary>
    public static void FlushAtOnce(Pipe pipe)
    {
        ValueTask<FlushResult> flush = pipe.Writer.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("The pipe made its writer wait.");
        }
    }

    public static string Written(Action<ReplyWriter> write, int protocol = 2)
    {
        var output = new ArrayBufferWriter<byte>();
        using var writer = new ReplyWriter(output) { Protocol = protocol };
        write(writer);
        writer.Commit();
        Assert.Equal(output.WrittenCount, writer.TotalBytesWritten);
        return Text(output.WrittenSpan);
    }
}
