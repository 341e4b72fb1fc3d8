using System.Text;
using KvServer.Fuzz;
using KvServer.Resp;
using KvServer.Server.Persistence.Aof;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Persistence.Aof;

public sealed class AofReaderTests
{
    private static readonly byte[] Select = AofText.Request("SELECT", "0");
    private static readonly byte[] Set = AofText.Request("SET", "k", "v");

    [Fact]
    public void Requests_come_with_their_offsets_and_annotations_are_passed_by()
    {
        byte[] file = [.. "RDB.."u8, .. AofText.Line("#TS:100"), .. Select, .. AofText.Line("# a note"), .. Set, .. Set];
        using MemoryStream stream = new(file);
        using RequestBatch batch = new();
        AofReader reader = new(stream, offset: 5);
        Assert.Equal(5, reader.EndOffset);

        Assert.True(reader.Read(batch));
        Assert.Equal(1, batch.Count);
        Assert.Equal(14, reader.OffsetOf(0));
        Assert.Equal(14 + Select.Length, reader.EndOffset);
        Assert.Equal(100, reader.Timestamp);
        Assert.True(batch.ArgumentsOf(0)[0].SequenceEqual("SELECT"u8));

        Assert.True(reader.Read(batch));
        Assert.Equal(2, batch.Count);
        Assert.Equal(file.Length - (2 * Set.Length), reader.OffsetOf(0));
        Assert.Equal(file.Length - Set.Length, reader.OffsetOf(1));
        Assert.Equal(2 * Set.Length, batch.ConsumedBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.OffsetOf(2));

        Assert.False(reader.Read(batch));
        Assert.Equal(0, batch.Count);
        Assert.Equal((AofEnding.Clean, (long)file.Length, ""), (reader.Ending, reader.EndingOffset, reader.Reason));
        Assert.False(reader.Read(batch));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1 << 20)]
    public void A_file_cut_anywhere_is_clean_or_truncated_behind_its_last_whole_request(int bufferBytes)
    {
        byte[][] parts =
        [
            Select, AofText.Line("#TS:1628217470"), Set, AofText.Request("DEL", ""), AofText.Request("SADD", "s", "*1\r\n$1\r\n", "\0\0"),
            AofText.Request("SET", "k", new string('x', 300)),
        ];
        byte[] file = [.. parts.SelectMany(part => part)];
        for (int length = 0; length <= file.Length; length++)
        {
            int ends = 0;
            int whole = 0;
            int requests = 0;
            foreach (byte[] part in parts)
            {
                if (ends + part.Length > length)
                {
                    break;
                }

                ends += part.Length;
                whole++;
                requests += part[0] == '*' ? 1 : 0;
            }

            Outcome outcome = Read(file[..length], bufferBytes);
            Assert.Equal(ends == length ? AofEnding.Clean : AofEnding.Truncated, outcome.Ending);
            Assert.Equal(ends, outcome.EndingOffset);
            Assert.Equal(ends, outcome.EndOffset);
            Assert.Equal(requests, outcome.Requests.Count);
            Assert.Equal(outcome.Requests, NaiveAof.Read(file[..length]).Requests.Select(r => Show(r.Arguments)));
        }
    }

    [Fact]
    public void A_flipped_bit_changes_no_request_in_front_of_it()
    {
        byte[] file = [.. Select, .. Set, .. AofText.Request("SADD", "s", "a", "bc"), .. Set];
        List<string> good = Read(file, 64).Requests;
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            byte[] damaged = [.. file];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            NaiveAof expected = NaiveAof.Read(damaged);
            Outcome outcome = Read(damaged, 1 + (bit % 50));
            Assert.Equal(expected.Requests.Select(r => Show(r.Arguments)), outcome.Requests);
            Assert.Equal((expected.Ending, expected.EndingOffset), (outcome.Ending, outcome.EndingOffset));
            int intact = expected.Requests.TakeWhile((r, i) => r.Offset <= bit / 8 && Show(r.Arguments) == good[i]).Count();
            Assert.Equal(good.Take(intact), outcome.Requests.Take(intact));
        }
    }

    [Theory]
    [InlineData("PING\r\n", 0, "Expected a request, got: P")]
    [InlineData("*0\r\n", 0, "A request without arguments")]
    [InlineData("*-1\r\n", 1, "Expected the number of arguments and \\r\\n")]
    [InlineData("*\r\n", 1, "Expected the number of arguments and \\r\\n")]
    [InlineData("*01\r\n", 2, "Expected the number of arguments and \\r\\n")]
    [InlineData("*1x\r\n", 2, "Expected the number of arguments and \\r\\n")]
    [InlineData("*1\n$4\r\n", 2, "Expected the number of arguments and \\r\\n")]
    [InlineData("*1\rx", 3, "Expected the number of arguments and \\r\\n")]
    [InlineData("*99999999999\r\n", 10, "Expected the number of arguments and \\r\\n")]
    [InlineData("*1\r\n:4\r\n", 4, "Expected prefix '$', got: ':'")]
    [InlineData("*1\r\n$-1\r\n", 5, "Expected the length of an argument and \\r\\n")]
    [InlineData("*1\r\n$x", 5, "Expected the length of an argument and \\r\\n")]
    [InlineData("*1\r\n$4\r\nPINGxx", 12, "Expected \\r\\n")]
    [InlineData("*1\r\n$4\r\nPING\rx", 13, "Expected \\r\\n")]
    [InlineData("\0\0\0x", 0, "Expected a request, got: .")]
    [InlineData("#a\0b\r\n", 2, "A zero byte in an annotation")]
    public void What_is_no_request_is_damage_with_a_place_and_a_reason(string text, long offset, string reason)
    {
        byte[] damage = Encoding.Latin1.GetBytes(text);
        foreach (byte[] tail in new[] { [], Set })
        {
            Outcome outcome = Read([.. Set, .. damage, .. tail], 1 << 20);
            Assert.Single(outcome.Requests);
            Assert.Equal((AofEnding.Corrupt, Set.Length + offset, reason), (outcome.Ending, outcome.EndingOffset, outcome.Reason));
            Assert.Equal(Set.Length, outcome.EndOffset);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("*3\r\n")]
    [InlineData("*3\r\n$3\r\nSE")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1")]
    [InlineData("#TS:16")]
    public void Zeros_that_were_never_written_are_a_cut_and_no_damage(string begun)
    {
        byte[] file = [.. Set, .. Encoding.Latin1.GetBytes(begun), .. new byte[9000]];
        Outcome outcome = Read(file, 1000);
        Assert.Equal((AofEnding.Truncated, (long)Set.Length), (outcome.Ending, outcome.EndingOffset));
        Assert.Equal("Only zero bytes follow the requests", outcome.Reason);

        file[^1] = (byte)'*';
        Assert.Equal(AofEnding.Corrupt, Read(file, 1000).Ending);
    }

    [Fact]
    public void An_annotation_has_a_longest_length()
    {
        byte[] longest = AofText.Line("#" + new string('x', 1021));
        Assert.Equal(AofEnding.Clean, Read([.. longest, .. Set], 100).Ending);
        Outcome outcome = Read([(byte)'#', .. longest, .. Set], 100);
        Assert.Equal((AofEnding.Corrupt, 0L, "This annotation is too long"), (outcome.Ending, outcome.EndingOffset, outcome.Reason));
    }

    [Fact]
    public void Large_bulks_come_in_blocks_of_their_own_however_the_buffer_cuts_them()
    {
        string large = new('l', 100_000);
        byte[] file =
        [
            .. Set, .. AofText.Request("MSET", "a", large, "b", "small", "c", large + large, "d", new string('s', 32 * 1024)), .. Set,
        ];
        for (int bufferBytes = 99_900; bufferBytes < 100_150; bufferBytes += 7)
        {
            Check(bufferBytes);
        }

        foreach (int bufferBytes in new[] { 1, 100, 33_000, 300_000, 1 << 20 })
        {
            Check(bufferBytes);
        }

        void Check(int bufferBytes)
        {
            using MemoryStream stream = new(file);
            using RequestBatch batch = new();
            AofReader reader = new(stream, bufferBytes: bufferBytes);
            int requests = 0;
            int taken = 0;
            while (reader.Read(batch))
            {
                for (int i = 0; i < batch.Count; i++, requests++)
                {
                    Arguments arguments = batch.ArgumentsOf(i);
                    for (int a = 0; a < arguments.Count; a++)
                    {
                        Assert.Equal(arguments[a].Length > ProtocolLimits.LargeBulkBytes, arguments.IsLarge(a));
                        using LargeBulk? bulk = arguments.TakeLarge(a);
                        taken += bulk is null ? 0 : 1;
                        Assert.True(bulk is null || bulk.Span.IndexOfAnyExcept((byte)'l') < 0);
                    }
                }
            }

            Assert.Equal((AofEnding.Clean, 3, 2), (reader.Ending, requests, taken));
        }
    }

    [Fact]
    public void A_length_costs_no_memory_before_its_bytes_are_there()
    {
        byte[] file = [.. Set, .. "*2000000000\r\n$536870912\r\nabc"u8];
        using MemoryStream stream = new(file);
        using RequestBatch batch = new();
        long before = GC.GetAllocatedBytesForCurrentThread();
        AofReader reader = new(stream);
        Assert.True(reader.Read(batch));
        Assert.False(reader.Read(batch));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        Assert.Equal((AofEnding.Truncated, (long)Set.Length), (reader.Ending, reader.EndingOffset));
    }

    [Fact]
    public void Nothing_is_allocated_in_steady_state()
    {
        const int ReadsAtOnce = 40;
        byte[] file = [.. Enumerable.Repeat(Set, 100_000).SelectMany(request => request)];
        using MemoryStream stream = new(file);
        using RequestBatch batch = new();
        AofReader reader = new(stream, bufferBytes: 4096);
        long requests = 0;
        Read(ReadsAtOnce); // The first ones make room.

        Assert.Equal(0, Allocations.LeastOf(() => Read(ReadsAtOnce)));
        Assert.InRange(requests, 1, 99_999); // At the end of the file there is nothing to allocate for.
        Assert.False(Read(int.MaxValue));
        Assert.Equal(100_000, requests);

        bool Read(int times)
        {
            bool hasMore = true;
            for (int i = 0; i < times && hasMore; i++)
            {
                hasMore = reader.Read(batch);
                requests += batch.Count;
            }

            return hasMore;
        }
    }

    [Fact]
    public void Reading_ends_before_a_later_timestamp()
    {
        byte[] file = [.. AofText.Line("#TS:100"), .. Set, .. AofText.Line("#TS:150"), .. AofText.Line("#TS:200"), .. Set];
        Outcome outcome = Read(file, 64, lastTimestamp: 199);
        Assert.Equal(AofEnding.Timestamp, outcome.Ending);
        Assert.Equal(file.Length - Set.Length - 9, outcome.EndingOffset);
        Assert.Single(outcome.Requests);
        Assert.Equal(AofEnding.Clean, Read(file, 64, lastTimestamp: 200).Ending);

        file = [.. Set, .. AofText.Line("#TS:1x"), .. Set];
        Assert.Equal(2, Read(file, 64).Requests.Count);
        Assert.Equal("Invalid timestamp annotation", Read(file, 64, lastTimestamp: 200).Reason);
    }

    [Fact]
    public void A_file_that_shrinks_while_it_is_read_ends_truncated()
    {
        byte[] file = [.. Enumerable.Repeat(Set, 10).SelectMany(request => request)];
        using MemoryStream stream = new();
        stream.Write(file);
        using RequestBatch batch = new();
        AofReader reader = new(stream, bufferBytes: 40);
        Assert.True(reader.Read(batch));
        stream.SetLength(70);
        long requests = batch.Count;
        while (reader.Read(batch))
        {
            requests += batch.Count;
        }

        Assert.Equal((AofEnding.Truncated, 54L, 2L), (reader.Ending, reader.EndingOffset, requests));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(20261126)]
    public void Damaged_files_and_manifests_are_read_as_the_plain_reader_reads_them(int? seed)
    {
        int used = seed ?? Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {used}");
        long count = AofFuzz.FromStoredSeeds(used).Run(TimeSpan.FromSeconds(2));
        Assert.True(count > 100);
    }

    private static string Show(byte[][] arguments) => string.Join(' ', arguments.Select(Encoding.Latin1.GetString));

    private static Outcome Read(byte[] file, int bufferBytes, long lastTimestamp = long.MaxValue)
    {
        using MemoryStream stream = new(file);
        using RequestBatch batch = new();
        AofReader reader = new(stream, bufferBytes: bufferBytes) { LastTimestampToRead = lastTimestamp };
        List<string> requests = [];
        while (reader.Read(batch))
        {
            for (int i = 0; i < batch.Count; i++)
            {
                Arguments arguments = batch.ArgumentsOf(i);
                byte[][] copy = new byte[arguments.Count][];
                for (int a = 0; a < copy.Length; a++)
                {
                    copy[a] = arguments[a].ToArray();
                }

                requests.Add(Show(copy));
            }
        }

        return new Outcome(requests, reader.Ending, reader.EndingOffset, reader.EndOffset, reader.Reason);
    }

    private sealed record Outcome(
        List<string> Requests, AofEnding Ending, long EndingOffset, long EndOffset, string Reason);
}
