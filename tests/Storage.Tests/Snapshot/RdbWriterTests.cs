using System.Globalization;

namespace KvServer.Storage.Tests.Snapshot;

public class RdbWriterTests : RdbTest
{
    public static TheoryData<bool, bool> Options => new() { { true, true }, { false, true }, { true, false } };

    [Theory, MemberData(nameof(Options))]
    public void A_store_written_and_loaded_is_the_same(bool compresses, bool hasChecksum)
    {
        Fill();
        byte[] file = Save(new RdbWriterOptions(compresses), hasChecksum);
        foreach (bool hasKnownLength in new[] { true, false })
        {
            using Keyspace copy = Load(file, hasKnownLength: hasKnownLength);
            Assert.Equal(Describe(Store), Describe(copy));
        }

        using MemoryStream stream = new(file);
        Assert.True(RdbChecksum.Matches(stream));
    }

    [Fact]
    public void Plain_values_give_the_same_file_as_live_entries()
    {
        Set("text", "value", StartMs + 5);
        Set("number", "12345678901");
        AddSet("integers", "1", "2", "3");
        AddSet("packed", "a", "b", "7");
        RdbWriterOptions options = new(Compress: true, AccessHintKind.IdleSeconds);
        RdbOutput live = new(null);
        RdbOutput plain = new(null);
        RdbWriter liveWriter = new(live, options);
        RdbWriter writer = new(plain, options);
        foreach (string key in new[] { "text", "number", "integers", "packed" })
        {
            liveWriter.WriteEntry(Db, Find(key));
        }

        AccessHint hint = AccessHint.OfIdleSeconds(0);
        writer.WriteStringKey("text"u8, StartMs + 5, hint, "value"u8);
        writer.WriteIntegerKey("number"u8, Database.NoExpiry, hint, 12345678901);
        writer.WriteIntSetKey("integers"u8, Database.NoExpiry, hint, Find("integers").ValueSpan);
        writer.WritePackedSetKey("packed"u8, Database.NoExpiry, hint, Find("packed").ValueSpan);
        Assert.Equal(live.Buffered.ToArray(), plain.Buffered.ToArray());
        Assert.Equal(live.Checksum, plain.Checksum);
        Assert.Equal(4, writer.KeysWritten);
    }

    [Fact]
    public void Members_and_long_strings_may_come_in_pieces()
    {
        using MemoryStream file = new();
        RdbWriter writer = new(new RdbOutput(file), new RdbWriterOptions(Compress: true));
        writer.WriteHeader(new RdbFileInfo(1, 2, IsAofBase: true));
        writer.SelectDatabase(3, 2, 0);
        writer.BeginString("long"u8, Database.NoExpiry, AccessHint.None, 300_000);
        for (int i = 0; i < 3; i++)
        {
            writer.AppendString(B(new string((char)('a' + i), 100_000)));
        }

        writer.BeginSet("set"u8, StartMs + 1, AccessHint.OfFrequency(9), 2);
        writer.AddMember("member"u8);
        writer.AddMember(-5);
        writer.WriteEnd();
        Dictionary<string, string> aux = [];
        using Keyspace copy = Load(file.ToArray(), new RdbLoadOptions { Aux = aux.Add });
        Assert.Equal("1", aux["aof-base"]);
        Assert.Equal("7.2.4", aux["redis-ver"]);
        Assert.Equal($"listpack {StartMs + 1} -5|member", Describe(copy)["3/set"]);
        Assert.Equal(
            "raw -1 " + new string('a', 100_000) + new string('b', 100_000) + new string('c', 100_000),
            Describe(copy)["3/long"]);
    }

    [Fact]
    public void Hints_are_loaded_where_the_policy_keeps_them()
    {
        Set("key", "value");
        Store.NowMs += 100_000;
        byte[] file = Save(new RdbWriterOptions(Compress: false, AccessHintKind.IdleSeconds));
        using Keyspace copy = Load(file);
        Assert.True(copy[0].TryFind(copy.KeyOf("key"u8), LookupFlags.NoTouch, out Entry entry));
        Assert.Equal(100_000, copy[0].IdleTimeMs(entry));
    }

    [Fact]
    public void A_wrong_checksum_is_noticed_when_a_file_is_read_back()
    {
        Fill();
        byte[] file = Save(new RdbWriterOptions(Compress: true));
        file[file.Length / 2] ^= 1;
        using MemoryStream stream = new(file);
        Assert.False(RdbChecksum.Matches(stream));
        Assert.False(RdbChecksum.Matches(new MemoryStream(file, 0, 7)));
    }

    private void Fill()
    {
        string[] texts =
        [
            "", "0", "-128", "127", "128", "-32768", "40000", "2147483647", "2147483648", "-9223372036854775808", "007",
            "twenty characters...", "twenty-one characters", new string('x', 4096), new string('y', 4097),
            new string('z', 70_000), string.Concat(Enumerable.Range(0, 60_000)), Noise(100), Noise(5000), Noise(300_000),
        ];
        for (int i = 0; i < texts.Length; i++)
        {
            Set($"text{i}", texts[i], i % 3 == 0 ? StartMs + i + 1 : Database.NoExpiry);
        }

        int[] sizes = [1, 2, 128, 129, 512, 513, 3000];
        foreach (int size in sizes)
        {
            AddSet($"small{size}", Members(size, i => i * 7));
            AddSet(Store[5], $"wide{size}", Members(size, i => (i * 5_000_000_000) - 7));
            AddSet(Store[15], $"words{size}", [.. Members(size, i => i).Select(text => "word " + text)]);
            AddSet($"long{size}", [.. Members(size, i => i).Select(text => new string('w', 70) + text)]);
        }

        Entry entry = Find("small512");
        Db.SetExpireAt(ref entry, StartMs + 77);
    }

    private static string[] Members(int count, Func<long, long> member) =>
        [.. Enumerable.Range(0, count).Select(i => member(i).ToString(CultureInfo.InvariantCulture))];

    private static string Noise(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return S(bytes);
    }
}
