namespace KvServer.Storage.Tests.Snapshot;

public class Crc64Tests
{
    [Fact]
    public void The_check_value_is_the_published_one() =>
        Assert.Equal(0xE9C6D914C4B8D9CAUL, Crc64.Append(0, "123456789"u8));

    [Fact]
    public void The_sum_is_the_same_however_the_bytes_are_cut()
    {
        byte[] bytes = new byte[1000];
        new Random(1).NextBytes(bytes);
        ulong whole = Crc64.Append(0, bytes);
        for (int cut = 0; cut <= bytes.Length; cut += 7)
        {
            Assert.Equal(whole, Crc64.Append(Crc64.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }

    [Fact]
    public void No_bytes_leave_the_sum_as_it_is() => Assert.Equal(42UL, Crc64.Append(42, []));
}
