using System.Diagnostics;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Persistence.Aof;

namespace KvServer.Fuzz;

/// <summary>Damages append-only files and manifests, and reads them.</summary>
/// <remarks>The oracle is stronger than no crash. A file gives the requests, offsets and ending that
/// <see cref="NaiveAof"/> finds, however large the pieces are that it is read in, at a cost in memory in proportion to
/// its size. What a manifest was read as, written out, reads back the same.</remarks>
public sealed class AofFuzz
{
    // A block doubles while its bytes come, the old one is garbage, and pools round up.
    private const long MaxGrowth = 16;
    private const long SlackBytes = 4 << 20;

    private static readonly string[] InterestingText =
        ["*1\r\n", "*0\r\n", "*-1\r\n", "$0\r\n", "$-1\r\n", "$536870912\r\n", "$2147483645\r\n", "$9999999999\r\n", "*2147483645\r\n",
         "#TS:5\r\n", "#\n", "\0", "\r\n", "PING\r\n", "$00\r\n", "type b\n", "seq 0 ", "file \"\\x41/\" seq 1 type h\n", "'"];

    private readonly List<byte[]> _files;
    private readonly List<byte[]> _manifests;
    private readonly Random _random;

    /// <summary>Makes a run from seeds and a random seed that repeats it.</summary>
    public AofFuzz(IEnumerable<byte[]> files, IEnumerable<byte[]> manifests, int randomSeed)
    {
        _files = [.. files, LargeFile()];
        _manifests = [.. manifests];
        _random = new Random(randomSeed);
    }

    /// <summary>A run from the seeds stored beside the program.</summary>
    public static AofFuzz FromStoredSeeds(int randomSeed) => new(Stored("*.aof"), Stored("*.manifest"), randomSeed);

    /// <summary>Runs for a while.</summary>
    /// <returns>How many inputs were checked.</returns>
    /// <exception cref="FuzzFailureException">An input was read wrongly; it is in the exception.</exception>
    public long Run(TimeSpan duration)
    {
        _files.ForEach(CheckFile);
        _manifests.ForEach(CheckManifest);
        var watch = Stopwatch.StartNew();
        long count = _files.Count + _manifests.Count;
        for (; watch.Elapsed < duration; count++)
        {
            if (_random.Next(3) == 0)
            {
                CheckManifest(Damage(_manifests[_random.Next(_manifests.Count)]));
            }
            else
            {
                // The large one comes up seldom: it takes a hundred times as long.
                CheckFile(Damage(_random.Next(50) == 0 ? _files[^1] : _files[_random.Next(_files.Count - 1)]));
            }
        }

        return count;
    }

    /// <summary>Checks one file of requests.</summary>
    public void CheckFile(byte[] file)
    {
        ArgumentNullException.ThrowIfNull(file);
        int offset = _random.Next(4) == 0 ? _random.Next(file.Length + 1) : 0;
        int bufferBytes = _random.Next(3) switch
        {
            0 => 1 << 20,
            1 => _random.Next(1, 100),
            _ => _random.Next(1, 70_000),
        };
        NaiveAof expected = NaiveAof.Read(file, offset);
        string place = $"offset {offset}, buffer {bufferBytes}";
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Compare(file, expected, offset, bufferBytes, place);
        }
        catch (Exception e) when (e is not FuzzFailureException)
        {
            throw new FuzzFailureException($"{place}: {e}", file);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Expect(file, allocated <= (file.Length * MaxGrowth) + SlackBytes, $"{place}: memory out of proportion: {allocated}");
    }

    /// <summary>Checks one manifest.</summary>
    public void CheckManifest(byte[] text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            if (!AofManifest.TryParse(text, out AofManifest manifest, out string error))
            {
                Expect(text, error.Length > 0 && manifest.IsEmpty, "a refused manifest without a reason");
                Expect(text, !error.AsSpan().ContainsAnyExceptInRange(' ', '~'), "an error that no log should hold");
                return;
            }

            byte[] written = manifest.Format();
            Expect(text, AofManifest.TryParse(written, out AofManifest again, out error) || written.Length == 0, error);
            Expect(
                text,
                again.Base == manifest.Base && again.History.SequenceEqual(manifest.History)
                    && again.Increments.SequenceEqual(manifest.Increments),
                "what was read does not survive being written");
            AofManifest next = manifest.WithNextIncrement("a.aof").WithNewBase("a.aof", isRdb: true, firstKeptIncrement: long.MaxValue);
            Expect(text, next.History.Count >= manifest.History.Count + manifest.Increments.Count, "a rewrite loses files");
        }
        catch (Exception e) when (e is not FuzzFailureException)
        {
            throw new FuzzFailureException($"A manifest throws: {e}", text);
        }
    }

    private static void Compare(byte[] file, NaiveAof expected, int offset, int bufferBytes, string place)
    {
        using MemoryStream stream = new(file);
        using RequestBatch batch = new();
        AofReader reader = new(stream, offset, bufferBytes: bufferBytes);
        int index = 0;
        while (reader.Read(batch))
        {
            for (int i = 0; i < batch.Count; i++, index++)
            {
                Expect(file, index < expected.Requests.Count, $"{place}: more than {index} requests");
                (long requestOffset, byte[][] arguments) = expected.Requests[index];
                Expect(file, reader.OffsetOf(i) == requestOffset, $"{place}: request {index} at {reader.OffsetOf(i)}");
                Arguments found = batch.ArgumentsOf(i);
                Expect(file, found.Count == arguments.Length, $"{place}: request {index} has {found.Count} arguments");
                for (int a = 0; a < arguments.Length; a++)
                {
                    Expect(file, found[a].SequenceEqual(arguments[a]), $"{place}: request {index}, argument {a}");
                }
            }
        }

        Expect(file, index == expected.Requests.Count, $"{place}: {index} requests, not {expected.Requests.Count}");
        Expect(
            file,
            (reader.Ending, reader.EndingOffset) == (expected.Ending, expected.EndingOffset),
            $"{place}: {reader.Ending} at {reader.EndingOffset}, not {expected.Ending} at {expected.EndingOffset}");
        Expect(file, reader.EndOffset == expected.EndOffset, $"{place}: good up to {reader.EndOffset}, not {expected.EndOffset}");
        Expect(file, reader.Timestamp == expected.Timestamp, $"{place}: timestamp {reader.Timestamp}");
    }

    private byte[] Damage(byte[] seed)
    {
        List<byte> bytes = [.. seed];
        for (int faults = _random.Next(1, 4); faults > 0; faults--)
        {
            int at = _random.Next(bytes.Count + 1);
            int length = Math.Min(_random.Next(1, 20), bytes.Count - at);
            switch (_random.Next(7))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 3:
                    bytes.InsertRange(at, Encoding.Latin1.GetBytes(InterestingText[_random.Next(InterestingText.Length)]));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    bytes.RemoveRange(at, bytes.Count - at);
                    bytes.AddRange(new byte[_random.Next(1, 3000)]);
                    break;
                default:
                    bytes.InsertRange(at, _files[_random.Next(_files.Count - 1)]);
                    break;
            }
        }

        return [.. bytes];
    }

    private static IEnumerable<byte[]> Stored(string pattern) =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Seeds", "Aof"), pattern)
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes);

    private static byte[] LargeFile() => RequestFuzz.WriteMultibulk(
        [["SET"u8.ToArray(), "k"u8.ToArray(), new byte[33_000]],
         ["MSET"u8.ToArray(), "a"u8.ToArray(), new byte[70_000], "b"u8.ToArray(), new byte[32_769], "c"u8.ToArray(), new byte[32_768]],
         ["DEL"u8.ToArray(), "k"u8.ToArray()]]);

    private static void Expect(byte[] input, bool isTrue, string fault)
    {
        if (!isTrue)
        {
            throw new FuzzFailureException(fault, input);
        }
    }
}
