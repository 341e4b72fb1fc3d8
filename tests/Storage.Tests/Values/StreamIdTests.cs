namespace KvServer.Storage.Tests.Values;

public sealed class StreamIdTests
{
    [Fact]
    public void Ids_are_ordered_by_time_and_then_by_sequence()
    {
        StreamId[] sorted = [StreamId.Min, new(0, 1), new(0, ulong.MaxValue), new(1, 0), new(5, 3), StreamId.Max];
        for (int i = 1; i < sorted.Length; i++)
        {
            Assert.True(sorted[i - 1] < sorted[i] && sorted[i] > sorted[i - 1] && sorted[i] >= sorted[i - 1]);
            Assert.True(sorted[i - 1].CompareTo(sorted[i]) < 0 && sorted[i].CompareTo(sorted[i - 1]) > 0);
        }

        Assert.True(StreamId.Max <= new StreamId(ulong.MaxValue, ulong.MaxValue));
    }

    [Fact]
    public void Next_and_previous_carry_into_the_time()
    {
        Assert.True(new StreamId(4, ulong.MaxValue).TryGetNext(out StreamId next));
        Assert.Equal(new StreamId(5, 0), next);
        Assert.True(next.TryGetPrevious(out StreamId previous));
        Assert.Equal(new StreamId(4, ulong.MaxValue), previous);
        Assert.False(StreamId.Max.TryGetNext(out _));
        Assert.False(StreamId.Min.TryGetPrevious(out _));
    }

    [Fact]
    public void The_longest_id_has_as_many_characters_as_it_says()
    {
        Span<byte> text = stackalloc byte[StreamId.MaxTextLength];
        Assert.Equal(StreamId.MaxTextLength, StreamId.Max.Format(text));
        Assert.Equal("18446744073709551615-18446744073709551615", System.Text.Encoding.ASCII.GetString(text));
        Assert.Equal("7-0", System.Text.Encoding.ASCII.GetString(text[..new StreamId(7, 0).Format(text)]));
    }
}
