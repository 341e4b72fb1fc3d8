using KvServer.Server.Net.Tls;

namespace KvServer.Server.Tests.Net;

/// <summary>Where records of TLS begin and end, however the bytes are cut.</summary>
public sealed class RecordBoundsTests
{
    private static readonly byte[] Records =
    [
        .. Record(3),
        .. Record(0),
        .. Record(300),
        .. Record(1),
    ];

    [Fact]
    public void Bounds_are_the_same_wherever_the_bytes_are_cut()
    {
        for (int cut = 0; cut <= Records.Length; cut++)
        {
            RecordBounds bounds = default;
            bounds.Follow(Records.AsSpan(0, cut));
            (int count, bool isAtEnd) = cut switch
            {
                0 => (0, true),
                < 8 => (0, false),
                8 => (1, true),
                < 13 => (1, false),
                13 => (2, true),
                < 318 => (2, false),
                318 => (3, true),
                < 324 => (3, false),
                _ => (4, true),
            };
            Assert.Equal((count, isAtEnd), (bounds.Count, bounds.IsAtEnd));
            bounds.Follow(Records.AsSpan(cut));
            Assert.Equal((4, true), (bounds.Count, bounds.IsAtEnd));
        }
    }

    [Fact]
    public void Bytes_may_come_one_by_one()
    {
        RecordBounds bounds = default;
        foreach (byte one in Records)
        {
            bounds.Follow([one]);
        }

        Assert.Equal((4, true), (bounds.Count, bounds.IsAtEnd));
    }

    private static byte[] Record(int length) => [23, 3, 3, (byte)(length >> 8), (byte)length, .. new byte[length]];
}
