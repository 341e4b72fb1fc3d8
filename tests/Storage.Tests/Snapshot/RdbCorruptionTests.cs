using KvServer.TestSupport.Rdb;

namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Damaged bytes: refused or read as something else, never a crash, a leak, or more memory than they
/// justify.</summary>
public class RdbCorruptionTests : RdbTest
{
    private const int Rounds = 4000;

    // Compressed bytes stand for at most 88 times as many; tables and blocks add a small factor.
    private const long MaxGrowth = 1024;
    private const long Slack = 4 << 20;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Payloads_with_random_damage_change_all_or_nothing(int seed)
    {
        var random = new Random(seed);
        List<byte[]> seeds = Seeds();
        for (int i = 0; i < Rounds; i++)
        {
            byte[] payload = RdbDamage.Inflict(random, seeds);
            if (payload.Length <= RdbFormat.PayloadFooterBytes)
            {
                Assert.False(RdbPayload.HasValidFooter(payload));
                continue;
            }

            payload[^10] = 10;
            payload[^9] = 0;
            FixFooter(payload);
            Assert.True(RdbPayload.HasValidFooter(payload));
            Set("key", "before");
            if (RdbPayload.TryRestore(Db, K("key"), payload, Database.NoExpiry, new ValueLimits(), out _))
            {
                Assert.True(RdbPayload.TryValidate(payload, out _), Convert.ToHexString(payload));
                CheckWrittenReadsBack(payload);
            }
            else
            {
                Assert.Equal("before", Get("key"));
            }

            Assert.InRange(Heap.UsedBytes, 0, (payload.Length * MaxGrowth) + Slack);
        }

        Heap.Verify();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Files_with_random_damage_load_whole_or_not_at_all(int seed)
    {
        var random = new Random(seed);
        Set("text", "some text that is long enough to be compressed, compressed, compressed");
        Set("number", "77", StartMs + 10);
        AddSet("integers", "1", "2", "300000");
        AddSet("words", "a", "bb", "ccc");
        AddSet(Store[3], "table", [.. Enumerable.Range(0, 200).Select(i => "member " + i)]);
        byte[] file = Save(new RdbWriterOptions(Compress: true), hasChecksum: false);
        byte[] all = AllForms();
        for (int i = 0; i < Rounds / 4; i++)
        {
            byte[] damaged = RdbDamage.Inflict(random, [file, all]);
            using Keyspace store = new(new KeyspaceOptions { Heap = new TrackingHeap() }) { NowMs = StartMs };
            using MemoryStream stream = new(damaged);
            RdbReader reader = new(stream, random.Next(2) == 0 ? damaged.Length : -1);
            try
            {
                new RdbLoader(reader, store, new RdbLoadOptions()).LoadAll();
            }
            catch (RdbFormatException e)
            {
                Assert.InRange(e.Offset, 0, damaged.Length);
                Assert.Equal(0, Enumerable.Range(0, store.DatabaseCount).Sum(index => store[index].Count));
            }

            Assert.InRange(store.Heap.UsedBytes, 0, (damaged.Length * MaxGrowth) + Slack);
        }
    }

    [Fact]
    public void With_a_checksum_every_flipped_bit_is_noticed()
    {
        Set("text", "value");
        AddSet("words", "a", "bb", "ccc");
        byte[] file = Save(new RdbWriterOptions(Compress: true));
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Refuse(file);
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Load(file).Dispose();
    }

    private void CheckWrittenReadsBack(byte[] payload)
    {
        RdbOutput output = new(null);
        RdbPayload.Write(output, Db, Find("key"), compress: true);
        SortedDictionary<string, string> before = Describe(Store);
        Assert.True(
            RdbPayload.TryRestore(Db, K("key"), output.Buffered, Database.NoExpiry, new ValueLimits(), out string reason),
            Convert.ToHexString(payload) + reason);
        Assert.Equal(before, Describe(Store));
    }

    private static List<byte[]> Seeds()
    {
        List<byte[]> seeds = [.. RdbSamples.All.Select(sample => Payload(sample.Type, sample.Value))];
        seeds.Add(Payload(0, new RdbBytes().Raw(0xC3).Length(7).Length(20).Raw(1, 97, 98, 0xE0, 9, 1, 0).ToArray()));
        return seeds;
    }

    private static byte[] AllForms()
    {
        RdbBytes file = new RdbBytes().Header(12).Raw(0xFE, 0);
        foreach (RdbSamples sample in RdbSamples.All.Where(sample => sample.Type is 0 or 2 or 4 or 9 or 11 or 13 or 15 or 16 or 19 or 20 or 21 or 24 or 25))
        {
            file.Key(sample.Type, sample.Name).Raw(sample.Value);
        }

        return file.End().ToArray();
    }
}
