namespace KvServer.Storage.Tests.Snapshot;

public class LzfTests
{
    private readonly Lzf _lzf = new();

    [Fact]
    public void What_was_compressed_reads_back_equal()
    {
        var random = new Random(7);
        for (int i = 0; i < 3000; i++)
        {
            byte[] input = Input(random);
            byte[] output = new byte[input.Length + (input.Length / 16) + 64];
            int length = _lzf.Compress(input, output);
            Assert.True(length > 0 || input.Length == 0);
            ReadOnlySpan<byte> compressed = output.AsSpan(0, length);
            Assert.Equal(input.Length, Lzf.MeasureLength(compressed));
            byte[] restored = new byte[input.Length];
            Assert.True(Lzf.TryDecompress(compressed, restored));
            Assert.Equal(input, restored);
        }
    }

    [Fact]
    public void Repetition_compresses_well()
    {
        byte[] input = Enumerable.Repeat((byte)'a', 100_000).ToArray();
        int length = _lzf.Compress(input, new byte[input.Length]);
        Assert.InRange(length, 1, 1500);
    }

    [Fact]
    public void What_does_not_fit_gives_nothing()
    {
        byte[] input = new byte[1000];
        new Random(3).NextBytes(input);
        Assert.Equal(0, _lzf.Compress(input, new byte[996]));
        Assert.Equal(0, _lzf.Compress(input, []));
    }

    [Theory]
    [InlineData("05 61 62", 2)] // Six literals announced, two there.
    [InlineData("00 61 20 05", 4)] // Goes back before the start.
    [InlineData("00 61 20", 4)] // The distance is missing.
    [InlineData("00 61 E0", 4)] // The length is missing.
    [InlineData("00 61 20 00", 3)] // Makes four bytes, three are wanted.
    [InlineData("00 61 20 00", 5)] // Makes four bytes, five are wanted.
    public void Damaged_input_is_refused(string hex, int length) =>
        Assert.False(Lzf.TryDecompress(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), new byte[length]));

    [Fact]
    public void Random_bytes_never_write_outside()
    {
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(1, 40)];
            random.NextBytes(bytes);
            long measured = Lzf.MeasureLength(bytes);
            byte[] output = new byte[Math.Max(measured, 1)];
            if (Lzf.TryDecompress(bytes, output))
            {
                Assert.Equal(output.Length, measured);
            }
        }
    }

    [Fact]
    public void The_table_starts_anew_before_places_run_out()
    {
        byte[] input = new byte[64 * 1024 * 1024];
        byte[] output = new byte[input.Length];
        int first = _lzf.Compress(input, output);
        for (int i = 0; i < 34; i++)
        {
            Assert.Equal(first, _lzf.Compress(input, output));
        }

        byte[] restored = new byte[input.Length];
        Assert.True(Lzf.TryDecompress(output.AsSpan(0, first), restored));
    }

    private static byte[] Input(Random random)
    {
        byte[] input = new byte[random.Next(random.Next(2) == 0 ? 40 : 20_000)];
        int letters = random.Next(1, 257);
        for (int i = 0; i < input.Length; i++)
        {
            input[i] = (byte)random.Next(letters);
        }

        return input;
    }
}
