using System.Buffers;
using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class ArgumentsTests
{
    [Fact]
    public void Arguments_can_be_sliced()
    {
        using OwnedRequest request = OwnedRequest.Of("SET", "k", "v", "EX", "10");
        Arguments arguments = request.Arguments;
        Assert.Equal(5, arguments.Count);
        Assert.Equal(2, arguments.Slice(3).Count);
        Assert.Equal("EX", Text(arguments.Slice(3)[0]));
        Assert.Equal("v", Text(arguments.Slice(1, 2)[1]));
        Assert.False(arguments.IsLarge(0));
    }

    [Fact]
    public void A_copied_request_outlives_the_receive_buffer()
    {
        byte[] bytes = Bytes("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$1\r\nv\r\n");
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        var unread = new ReadOnlySequence<byte>(bytes);
        reader.ReadAll(ref unread, batch);
        using OwnedRequest owned = OwnedRequest.From(batch.ArgumentsOf(0));
        batch.Clear();
        Array.Clear(bytes);
        Assert.Equal("SET", Text(owned.Arguments[0]));
        Assert.Equal("", Text(owned.Arguments[1]));
        Assert.Equal("v", Text(owned.Arguments[2]));
    }

    [Fact]
    public void Byte_arrays_become_a_request_as_they_are()
    {
        byte[] key = [0, 255];
        using OwnedRequest request = OwnedRequest.Of("GET"u8.ToArray(), key);
        Assert.True(request.Arguments[1].Overlaps(key));
    }
}
