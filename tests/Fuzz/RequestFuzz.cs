using System.Buffers;
using System.Diagnostics;
using System.Text;
using KvServer.Resp;

namespace KvServer.Fuzz;

/// <summary>Mutates request streams and checks the request reader on each.</summary>
/// <remarks>The oracle is stronger than no crash. However the bytes arrive, the requests and the error are those of
/// <see cref="NaiveReader"/>; and what was accepted, written out as multibulk requests, reads back equal.</remarks>
public sealed class RequestFuzz
{
    private static ReadOnlySpan<byte> InterestingBytes => "\r\n\0 \t\v\"'\\*$x0"u8;

    private static readonly string[] InterestingNumbers =
        ["0", "1", "-1", "2", "10", "11", "16384", "16385", "32768", "32769", "65536", "536870912", "536870913",
         "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "00", "+1", "-0", ""];

    private readonly List<byte[]> _seeds;
    private readonly Random _random;

    /// <summary>Makes a run from seed inputs and a random seed that repeats it.</summary>
    public RequestFuzz(IEnumerable<byte[]> seeds, int randomSeed)
    {
        _seeds = [.. seeds, LargeSeed()];
        _random = new Random(randomSeed);
    }

    /// <summary>The seed inputs stored beside the program.</summary>
    public static IEnumerable<byte[]> StoredSeeds() =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Seeds", "Requests"))
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes);

    /// <summary>Runs for a while.</summary>
    /// <returns>How many inputs were checked.</returns>
    /// <exception cref="FuzzFailureException">An input was read wrongly; it is in the exception.</exception>
    public long Run(TimeSpan duration)
    {
        var watch = Stopwatch.StartNew();
        long count = 0;
        foreach (byte[] seed in _seeds)
        {
            Check(seed);
            count++;
        }

        while (watch.Elapsed < duration)
        {
            Check(Mutate());
            count++;
        }

        return count;
    }

    /// <summary>Checks one input in several arrivals.</summary>
    public void Check(byte[] input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ProtocolLimits limits = _random.Next(4) == 0
            ? new ProtocolLimits { BeforeAuthentication = true }
            : ProtocolLimits.Default;
        ReadOutcome expected = NaiveReader.Read(input, limits);
        Compare(input, new Arrival(input, [], ArrivalKind.Segments), limits, expected);
        for (int i = 0; i < 3; i++)
        {
            var kind = (ArrivalKind)_random.Next(5);
            Compare(input, new Arrival(input, RandomCuts(input.Length), kind), limits, expected);
        }

        byte[] rewritten = WriteMultibulk(expected.Requests);
        ReadOutcome again = new Arrival(rewritten, RandomCuts(rewritten.Length), ArrivalKind.Segments)
            .Read(ProtocolLimits.Default);
        if (!again.SameAs(expected with { Error = default }))
        {
            throw new FuzzFailureException("What was accepted does not read back equal.", input);
        }
    }

    /// <summary>Writes requests in multibulk form.</summary>
    public static byte[] WriteMultibulk(IEnumerable<byte[][]> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        var output = new ArrayBufferWriter<byte>();
        using var writer = new ReplyWriter(output);
        foreach (byte[][] request in requests)
        {
            writer.Array(request.Length);
            foreach (byte[] argument in request)
            {
                writer.BulkString(argument);
            }
        }

        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    private static void Compare(byte[] input, Arrival arrival, ProtocolLimits limits, ReadOutcome expected)
    {
        ReadOutcome actual;
        try
        {
            actual = arrival.Read(limits);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new FuzzFailureException($"{arrival}: {e}", input);
        }

        if (!actual.SameAs(expected))
        {
            throw new FuzzFailureException(
                $"{arrival}: {actual.Requests.Count} requests, {actual.Error} instead of "
                + $"{expected.Requests.Count} requests, {expected.Error}",
                input);
        }
    }

    private static byte[] LargeSeed() => WriteMultibulk(
        [["SET"u8.ToArray(), "k"u8.ToArray(), Filled(33_000)],
         ["MSET"u8.ToArray(), "a"u8.ToArray(), Filled(40_000), "b"u8.ToArray(), Filled(32_769), "c"u8.ToArray(), Filled(32_768)],
         ["PING"u8.ToArray()]]);

    private static byte[] Filled(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];

    private List<int> RandomCuts(int length)
    {
        int count = length < 2 ? 0 : _random.Next(0, Math.Min(12, length));
        if (length is > 1 and < 200 && _random.Next(4) == 0)
        {
            return [.. Enumerable.Range(1, length - 1)];
        }

        return [.. Enumerable.Range(0, count).Select(_ => _random.Next(0, length + 1)).Order()];
    }

    private byte[] Mutate()
    {
        List<byte> bytes = [.. Seed()];
        for (int i = _random.Next(1, 5); i > 0; i--)
        {
            int at = _random.Next(bytes.Count + 1);
            int length = Math.Min(_random.Next(1, 40), bytes.Count - at);
            switch (_random.Next(8))
            {
                case 0 when at < bytes.Count:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 2:
                    bytes.Insert(at, InterestingBytes[_random.Next(InterestingBytes.Length)]);
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 5:
                    bytes.InsertRange(at, Seed());
                    break;
                case 6:
                    ReplaceNumber(bytes, at);
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }

    // Large seeds come up seldom: an input of 100 KB takes a hundred times as long to check.
    private byte[] Seed() => _random.Next(50) == 0 ? _seeds[^1] : _seeds[_random.Next(_seeds.Count - 1)];

    private void ReplaceNumber(List<byte> bytes, int at)
    {
        int mark = bytes.FindIndex(at, b => b is (byte)'*' or (byte)'$');
        if (mark < 0)
        {
            return;
        }

        int end = mark + 1;
        while (end < bytes.Count && char.IsAsciiDigit((char)bytes[end]))
        {
            end++;
        }

        bytes.RemoveRange(mark + 1, end - mark - 1);
        bytes.InsertRange(mark + 1, Encoding.ASCII.GetBytes(InterestingNumbers[_random.Next(InterestingNumbers.Length)]));
    }
}
