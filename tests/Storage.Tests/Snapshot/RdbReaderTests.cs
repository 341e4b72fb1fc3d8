using KvServer.TestSupport.Rdb;

namespace KvServer.Storage.Tests.Snapshot;

public class RdbReaderTests : RdbTest
{
    public static TheoryData<int> Samples => [.. Enumerable.Range(0, RdbSamples.All.Count)];

    [Theory, MemberData(nameof(Samples))]
    public void Every_form_of_value_is_loaded_and_can_be_passed_by(int index)
    {
        RdbSamples sample = RdbSamples.All[index];
        byte[] file = FileWith(sample.Type, sample.Value);
        using MemoryStream stream = new(file);
        RdbReader reader = new(stream, file.Length);
        Assert.Equal(RdbRecord.SelectDatabase, reader.Read());
        Assert.Equal(RdbRecord.Key, reader.Read());
        Assert.Equal(sample.Name, reader.TypeName);
        Assert.Equal("key", S(reader.Key));
        reader.SkipValue();
        Assert.Equal(RdbRecord.End, reader.Read());
        Assert.Equal(file.Length, reader.Offset);

        Assert.True(reader.IsLoadable);
        using Keyspace store = Load(file);
        Assert.Equal(1, store[0].Count);
    }

    [Theory, MemberData(nameof(Samples))]
    public void A_file_cut_anywhere_is_refused(int index)
    {
        RdbSamples sample = RdbSamples.All[index];
        byte[] file = FileWith(sample.Type, sample.Value);
        for (int cut = 0; cut < file.Length; cut += cut < 200 || cut > file.Length - 50 ? 1 : 97)
        {
            byte[] part = file[..cut];
            Assert.Throws<RdbFormatException>(() => ReadAll(part, part.Length));
            Assert.Throws<RdbFormatException>(() => ReadAll(part, -1));
        }
    }

    [Fact]
    public void Parts_of_packed_collections_come_in_order()
    {
        Assert.Equal(
            ["a", "0", "12", "13", "-129", "40000", "-9000000", "5000000000"], Parts(10).Take(8));
        Assert.Equal(["a", "=1", "b", "=2.5", "c", "=inf"], Parts(12));
        Assert.Equal(["a", "=1.5", "b", "=inf", "c", "=-inf"], Parts(3));
        Assert.Equal(["a", "=-1.25", "b", "=inf"], Parts(5));
        Assert.Equal(["f", "v", "g", "12345"], Parts(13));
        Assert.Equal(["f", "v", "g", "-4000"], Parts(16));
        Assert.Equal(["f", "v", "g", new string('x', 300), "", ""], Parts(9));
        Assert.Equal(["a", "1", "b", new string('x', 300)], Parts(14));
        Assert.Equal(["a", "1", new string('x', 300), new string('y', 5000), new string('p', 9000)], Parts(18));
        Assert.Equal(["-70000", "1", "70000"], Parts(11));
    }

    [Fact]
    public void Old_versions_have_no_checksum()
    {
        byte[] file = new RdbBytes().Header(4).Raw(0xFE, 0).Key(0, "k").String("v").Raw(0xFF).ToArray();
        using Keyspace store = Load(file);
        Assert.Equal("embstr -1 v", Describe(store)["0/k"]);
        using MemoryStream stream = new(file);
        RdbReader reader = new(stream, file.Length);
        while (reader.Read() != RdbRecord.End)
        {
        }

        Assert.Equal(4, reader.Version);
        Assert.False(reader.HasChecksum);
    }

    [Fact]
    public void Every_opcode_is_understood()
    {
        List<string> warnings = [];
        byte[] file = new RdbBytes().Header(12)
            .Raw(0xFA).String("made-by").String("hand")
            .Raw(0xF5).String("#!lua name=lib\n")
            .Raw(0xFE, 2).Raw(0xFB).Length(3).Length(2)
            .Raw(0xF4).Length(1).Length(1).Length(0)
            .Raw(0xFD, 0x00, 0xA0, 0x2B, 0x70).Key(0, "seconds").String("v")
            .Raw(0xFC).Int64(StartMs + 1).Raw(0xF9, 7).Key(0, "ms").String("v")
            .Raw(0xF8).Length(1000).Key(0, "idle").String("v")
            .Raw(0xFC).Int64(StartMs - 1).Key(0, "over").String("v")
            .End().ToArray();
        using Keyspace store = Load(file, new RdbLoadOptions { Warn = warnings.Add });
        Assert.Equal(3, store[2].Count);
        Assert.Equal(2, store[2].ExpireCount);
        Assert.Single(warnings);
        Assert.True(store[2].TryFind(store.KeyOf("idle"u8), LookupFlags.NoTouch, out Entry entry));
        Assert.Equal(1_000_000, store[2].IdleTimeMs(entry));

        using Keyspace all = Load(file, new RdbLoadOptions { KeepsExpired = true });
        Assert.Equal(4, all[2].Count);
    }

    [Theory]
    [InlineData(0, "0000")]
    [InlineData(13, "0013")]
    public void Unknown_versions_are_refused(int version, string text)
    {
        _ = version;
        RdbFormatException refusal = Refuse([.. "REDIS"u8, .. B(text), 0xFF]);
        Assert.Contains("version", refusal.Reason, StringComparison.Ordinal);
        Assert.Equal(5, refusal.Offset);
    }

    [Fact]
    public void What_is_no_RDB_file_is_refused_by_its_first_bytes() =>
        Assert.Contains("no RDB file", Refuse(B("*3\r\n$3\r\nSET\r\n")).Reason, StringComparison.Ordinal);

    [Fact]
    public void Data_of_modules_are_refused_with_the_module_named()
    {
        // "testmodul" of six bits a letter above ten bits of version.
        ulong id = 0;
        foreach (char letter in "testmodul")
        {
            id = (id << 6) | (uint)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".IndexOf(letter, StringComparison.Ordinal);
        }

        byte[] parts = new RdbBytes().Length(2).Length(5).Length(5).String("x").Length(4).Score(1).Length(3).Raw(1, 2, 3, 4)
            .Length(0).ToArray();
        byte[] aux = new RdbBytes().Header(9).Raw(0xF7).Length(id << 10).Length(2).Length(1).Raw(parts).End().ToArray();
        Assert.Contains("'testmodul'", Refuse(aux).Reason, StringComparison.Ordinal);

        byte[] value = new RdbBytes().Length(id << 10).Raw(parts).ToArray();
        Assert.Contains("modules", Refuse(FileWith(7, value)).Reason, StringComparison.Ordinal);
        ReadAll(FileWith(7, value), -1);
        Assert.Throws<RdbFormatException>(() => ReadAll(FileWith(6, value), -1));
    }

    [Fact]
    public void A_key_met_twice_is_refused_unless_files_are_merged()
    {
        byte[] file = new RdbBytes().Header(10).Raw(0xFE, 0).Key(0, "k").String("a").Key(0, "k").String("b").End().ToArray();
        Assert.Contains("twice", Refuse(file).Reason, StringComparison.Ordinal);
        using Keyspace store = Load(file, new RdbLoadOptions { Merges = true });
        Assert.Equal("embstr -1 b", Describe(store)["0/k"]);
    }

    [Fact]
    public void A_fault_late_in_a_file_leaves_nothing()
    {
        RdbBytes file = new RdbBytes().Header(10).Raw(0xFE, 0);
        for (int i = 0; i < 100; i++)
        {
            file.Key(0, $"key{i}").String("v");
        }

        byte[] bytes = file.Key(11, "bad").String(RdbBytes.IntSet(2, 5, 4)).End().ToArray();
        Assert.Contains("damaged", Refuse(bytes).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Loading_may_stop_after_some_keys_and_go_on()
    {
        RdbBytes file = new RdbBytes().Header(10).Raw(0xFE, 0);
        for (int i = 0; i < 100; i++)
        {
            file.Key(0, $"key{i}").String("v");
        }

        using MemoryStream stream = new(file.End().ToArray());
        RdbLoader loader = new(new RdbReader(stream, stream.Length), Store, new RdbLoadOptions());
        Assert.True(loader.Load(30));
        Assert.Equal(30, Db.Count);
        Assert.True(loader.Load(70));
        Assert.False(loader.Load(1));
        Assert.Equal(100, loader.KeysLoaded);
    }

    [Fact]
    public void Databases_beyond_ours_are_refused() =>
        Assert.Contains(
            "16", Refuse(new RdbBytes().Header(10).Raw(0xFE, 16).Key(0, "k").String("v").End().ToArray()).Reason, StringComparison.Ordinal);

    [Fact]
    public void Announced_numbers_alone_cost_no_memory()
    {
        byte[] file = new RdbBytes().Header(10).Raw(0xFE, 0).Raw(0xFB).Length(1UL << 40).Length(1UL << 40)
            .Key(0, "k").String("v").End().ToArray();
        foreach (bool hasKnownLength in new[] { true, false })
        {
            using Keyspace store = Load(file, hasKnownLength: hasKnownLength);
            Assert.InRange(store.Heap.UsedBytes, 1, 1 << 20);
        }

        foreach (ulong length in new[] { 1UL << 20, 1UL << 31, 1UL << 40, ulong.MaxValue })
        {
            Refuse(FileWith(0, new RdbBytes().Length(length).ToArray()));
            Refuse(FileWith(2, new RdbBytes().Length(length).String("m").ToArray()));
            Refuse(FileWith(0, new RdbBytes().Raw(0xC3).Length(4).Length(length).Raw(0, 65, 0xE0, 0).ToArray()));
        }
    }

    [Fact]
    public void A_collection_without_elements_is_left_out()
    {
        byte[] file = new RdbBytes().Header(10).Raw(0xFE, 0).Key(2, "empty").Length(0)
            .Key(11, "none").String(RdbBytes.IntSet(2)).Key(0, "k").String("v").End().ToArray();
        using Keyspace store = Load(file);
        Assert.Equal(1, store[0].Count);
    }

    [Fact]
    public void Sets_get_the_encodings_their_members_ask_for_here()
    {
        long[] members = [.. Enumerable.Range(0, 600).Select(i => (long)i)];
        byte[] file = new RdbBytes().Header(12).Raw(0xFE, 0)
            .Key(11, "table").String(RdbBytes.IntSet(8, members))
            .Key(11, "integers").String(RdbBytes.IntSet(8, 1, 2))
            .Key(20, "packed").String(RdbBytes.ListPack("a", 1))
            .Key(20, "converted").String(RdbBytes.ListPack(3, 1))
            .Key(2, "words").Length(1).String(new string('x', 65))
            .End().ToArray();
        using Keyspace store = Load(file);
        SortedDictionary<string, string> lines = Describe(store);
        Assert.StartsWith("hashtable ", lines["0/table"], StringComparison.Ordinal);
        Assert.Equal("intset -1 1|2", lines["0/integers"]);
        Assert.Equal("listpack -1 1|a", lines["0/packed"]);
        Assert.Equal("intset -1 1|3", lines["0/converted"]);
        Assert.StartsWith("hashtable ", lines["0/words"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(20)]
    public void A_member_met_twice_is_refused(int type)
    {
        byte[] value = type == 2
            ? new RdbBytes().Length(3).String("7").String("a").Raw(0xC0, 7).ToArray()
            : new RdbBytes().String(RdbBytes.ListPack("7", "a", 7)).ToArray();
        Assert.Contains("twice", Refuse(FileWith(type, value)).Reason, StringComparison.Ordinal);
    }

    private static void ReadAll(byte[] file, long length)
    {
        using MemoryStream stream = new(file);
        RdbReader reader = new(stream, length);
        while (reader.Read() != RdbRecord.End)
        {
        }
    }

    private static List<string> Parts(int type)
    {
        byte[] file = FileWith(type, RdbSamples.All.Single(sample => sample.Type == type).Value);
        using MemoryStream stream = new(file);
        RdbReader reader = new(stream, file.Length);
        reader.Read();
        reader.Read();
        RdbElements elements = reader.OpenValue();
        elements.Open();
        List<string> parts = [];
        while (elements.MoveNext())
        {
            RdbElement part = elements.Current;
            bool isScore = RdbTypes.ValueTypeOf((RdbType)type) == ValueType.SortedSet && parts.Count % 2 == 1;
            parts.Add(isScore
                ? "=" + (double.IsInfinity(part.Score) ? (part.Score > 0 ? "inf" : "-inf") : part.Score.ToString(System.Globalization.CultureInfo.InvariantCulture))
                : part.IsInteger ? part.Integer.ToString(System.Globalization.CultureInfo.InvariantCulture) : S(part.Bytes));
        }

        return parts;
    }
}
