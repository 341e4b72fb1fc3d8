using KvServer.TestSupport.Rdb;

namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Hashes in files and payloads, in all of their forms.</summary>
public class RdbHashTests : RdbTest
{
    private const long FirstExpiry = 2_000_000_000_000;

    [Theory]
    [InlineData(4)]
    [InlineData(9)]
    [InlineData(13)]
    [InlineData(16)]
    public void Every_form_without_expiry_is_read(int type)
    {
        RdbSamples sample = RdbSamples.All.Single(sample => sample.Type == type);
        using Keyspace store = Load(FileWith(type, sample.Value));
        Dictionary<int, string> expected = new()
        {
            [4] = $"hashtable -1 f=v|g={new string('x', 300)}",
            [9] = $"hashtable -1 =|f=v|g={new string('x', 300)}",
            [13] = "listpack -1 f=v|g=12345",
            [16] = "listpack -1 f=v|g=-4000",
        };
        Assert.Equal(expected[type], Describe(store)["0/key"]);
    }

    [Theory]
    [InlineData(22)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(25)]
    public void Every_form_with_expiry_is_read(int type)
    {
        RdbBytes value = new();
        byte[] packed = RdbBytes.ListPack("f", "v", FirstExpiry + 4, "g", "w", 0);
        byte[] bytes = type switch
        {
            22 => value.Length(2).Length(FirstExpiry + 4).String("f").String("v")
                .Length(0).String("g").String("w").ToArray(),
            23 => value.String(packed).ToArray(),
            24 => value.Int64(FirstExpiry).Length(2).Length(5).String("f").String("v").Length(0).String("g").String("w").ToArray(),
            _ => value.Int64(FirstExpiry).String(packed).ToArray(),
        };
        using Keyspace store = Load(FileWith(type, bytes));
        Assert.Equal($"hashtable -1 f=v@{FirstExpiry + 4}|g=w", Describe(store)["0/key"]);
        Assert.Equal(1, store[0].ExpiringHashCount);
    }

    [Fact]
    public void Fields_whose_time_has_come_are_loaded_and_removed_by_the_cycle()
    {
        byte[] bytes = new RdbBytes().Int64(5).Length(2).Length(1).String("f").String("v").Length(0).String("g").String("w").ToArray();
        using Keyspace store = Load(FileWith(24, bytes));
        Assert.Equal("hashtable -1 f=v@5|g=w", Describe(store)["0/key"]);
        store.ExpireSlowly(10);
        Assert.Equal("hashtable -1 g=w", Describe(store)["0/key"]);
    }

    [Fact]
    public void Hashes_are_written_as_they_are_read()
    {
        Put("packed", 20, "v");
        Put("table", 300, "value ");
        Put("expiring", 300, "value ");
        HashValue expiring = HashValue.Open(Db, Find("expiring"), HashLimits.Default);
        expiring.SetExpireAt(B("f7"), StartMs + 1000);
        expiring.SetExpireAt(B("f8"), StartMs + 1_000_000_000_000);
        SortedDictionary<string, string> before = Describe(Store);
        foreach (bool compress in new[] { false, true })
        {
            using Keyspace store = Load(Save(new RdbWriterOptions(compress)));
            Assert.Equal(before, Describe(store));
        }
    }

    [Theory]
    [InlineData(24, "00000000000000000100")] // No field.
    [InlineData(24, "FFFFFFFFFFFFFF7F020501660176000167")] // A time beyond all others.
    [InlineData(24, "0000000000000000020001660176000166017600")] // The same field twice, and a byte.
    [InlineData(4, "00")]
    public void Damaged_hashes_change_nothing(int type, string hex)
    {
        Set("key", "before");
        Assert.False(RdbPayload.TryRestore(
            Db, K("key"), Payload(type, Convert.FromHexString(hex)), Database.NoExpiry, new ValueLimits(), out _));
        Assert.Equal("before", Get("key"));
    }

    [Fact]
    public void A_field_that_comes_twice_is_refused()
    {
        byte[] plain = new RdbBytes().Length(2).String("f").String("v").String("f").String("w").ToArray();
        byte[] packed = new RdbBytes().String(RdbBytes.ListPack("f", "v", "f", "w")).ToArray();
        Assert.Contains("twice", Refuse(FileWith(4, plain)).Reason, StringComparison.Ordinal);
        Assert.Contains("twice", Refuse(FileWith(16, packed)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_payload_says_that_it_needs_a_server_that_knows_of_expiring_fields()
    {
        Put("h", 2, "v");
        Assert.Equal(RdbFormat.WrittenVersion, PayloadVersion());
        HashValue hash = HashValue.Open(Db, Find("h"), HashLimits.Default);
        hash.SetExpireAt(B("f1"), StartMs + 1000);
        Assert.Equal(RdbFormat.WrittenVersionWithFieldExpiry, PayloadVersion());
        hash.Persist(B("f1"));
        Assert.Equal(RdbFormat.WrittenVersion, PayloadVersion());
    }

    private int PayloadVersion()
    {
        RdbOutput output = new(null);
        RdbPayload.Write(output, Db, Find("h"), compress: false);
        return output.Buffered[^10] | (output.Buffered[^9] << 8);
    }

    private void Put(string key, int fields, string value)
    {
        HashValue hash = HashValue.Create(Store, HashLimits.Default);
        try
        {
            for (int i = 0; i < fields; i++)
            {
                hash.Set(B("f" + i), B(value + i));
            }

            hash.StoreAs(Db, K(key), lazily: false);
        }
        finally
        {
            hash.Dispose();
        }
    }
}
