using System.Buffers;
using System.Text;
using KvServer.Fuzz;
using KvServer.TestSupport;
using static KvServer.Resp.Tests.Reading;

namespace KvServer.Resp.Tests;

public class HostileInputTests
{
    [Theory]
    [InlineData("*2147483647\r\n")]
    [InlineData("*2147483647\r\n$4\r\nMGET\r\n$1\r\nk\r\n")]
    [InlineData("*1\r\n$536870912\r\n")]
    [InlineData("*1\r\n$536870912\r\nabc")]
    [InlineData("*2\r\n$3\r\nGET\r\n$536870912\r\nabc")]
    public void Nothing_is_allocated_on_the_word_of_a_length(string input)
    {
        byte[] bytes = Bytes(input);
        Read(bytes);
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        long before = GC.GetAllocatedBytesForCurrentThread();
        var unread = new ReadOnlySequence<byte>(bytes);
        Assert.Equal(ReadStatus.Incomplete, reader.ReadAll(ref unread, batch));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Theory]
    [InlineData("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\nGET \"a\\x41\"\r\n", 0)]
    [InlineData("*203\r\n$4\r\nSADD\r\n$3\r\nkey\r\n", 201)] // Most of its arguments have arrived at the cut.
    public void Steady_state_allocates_nothing(string requests, int elements)
    {
        byte[] bytes = Bytes(string.Concat(Enumerable.Repeat(
            requests + string.Concat(Enumerable.Repeat("$1\r\nx\r\n", elements)), 40)));
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        int incomplete = 0;

        // The first round grows the batch.
        Assert.Equal(0, Allocations.LeastOf(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                // Cut in the middle, in the same array: the rest comes with the next read.
                var unread = new ReadOnlySequence<byte>(bytes, 0, bytes.Length - 30 - i);
                reader.ReadAll(ref unread, batch);
                int consumed = (int)(bytes.Length - 30 - i - unread.Length);
                batch.Clear();
                unread = new ReadOnlySequence<byte>(bytes, consumed, bytes.Length - consumed);
                incomplete += reader.ReadAll(ref unread, batch) == ReadStatus.Complete ? 0 : 1;
                batch.Clear();
            }
        }));
        Assert.Equal(0, incomplete);
    }

    [Fact]
    public void An_idle_connection_keeps_little()
    {
        using var reader = new RequestReader(ProtocolLimits.Default);
        using var batch = new RequestBatch();
        string input = "*50000\r\n" + string.Concat(Enumerable.Repeat("$1\r\na\r\n", 50_000));
        var unread = new ReadOnlySequence<byte>(Bytes(input));
        reader.ReadAll(ref unread, batch);
        Assert.Equal(1, batch.Count);
        batch.Trim();
        Assert.Equal(0, batch.Count);
        unread = new ReadOnlySequence<byte>(Bytes("PING\r\n"));
        reader.ReadAll(ref unread, batch);
        Assert.Equal(["PING"], Strings(batch, 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20261120)]
    public void Random_requests_cut_at_random_read_as_they_were_written(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 400; round++)
        {
            var requests = new List<byte[][]>();
            for (int i = random.Next(1, 30); i > 0; i--)
            {
                requests.Add([.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => Argument(random))]);
            }

            byte[] bytes = RequestFuzz.WriteMultibulk(requests);
            IEnumerable<int> cuts = Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(bytes.Length + 1)).Order();
            var arrival = new Arrival(bytes, cuts, (ArrivalKind)(round % 5));
            ReadOutcome outcome = arrival.Read(ProtocolLimits.Default);
            Assert.True(
                outcome.SameAs(new ReadOutcome(requests, default)),
                $"seed {seed}, round {round}, {arrival}, {Convert.ToBase64String(bytes)}");
        }
    }

    [Fact]
    public void A_few_seconds_of_fuzzing_find_nothing()
    {
        int seed = Environment.TickCount;
        long count = new RequestFuzz(RequestFuzz.StoredSeeds(), seed).Run(TimeSpan.FromSeconds(3));
        Assert.True(count > 100, $"seed {seed}: only {count} inputs");
    }

    private static byte[] Argument(Random random)
    {
        int length = random.Next(20) switch
        {
            0 => 0,
            1 => random.Next(5000),
            2 when random.Next(10) == 0 => random.Next(30_000, 70_000),
            _ => random.Next(1, 40),
        };
        byte[] argument = new byte[length];
        random.NextBytes(argument);
        return argument.AsSpan().StartsWith(Encoding.ASCII.GetBytes("post")) ? [] : argument;
    }
}
