using KvServer.TestSupport.Rdb;

namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Lists in files and payloads.</summary>
public sealed class RdbListTests : RdbTest
{
    private static readonly string Long = new('x', 300);

    [Theory]
    [InlineData(1, "listpack")]
    [InlineData(10, "quicklist")]
    [InlineData(14, "listpack")]
    [InlineData(18, "quicklist")]
    public void Every_form_of_list_loads_with_its_elements_in_order(int type, string encoding)
    {
        string[] expected = type switch
        {
            1 => ["a", Long, "7"],
            10 => ["a", "0", "12", "13", "-129", "40000", "-9000000", "5000000000", Long, new string('y', 20000), "z"],
            14 => ["a", "1", "b", Long],
            _ => ["a", "1", Long, new string('y', 5000), new string('p', 9000)],
        };
        RdbSamples sample = RdbSamples.All.Single(sample => sample.Type == type);
        using Keyspace loaded = Load(FileWith(type, sample.Value));
        Assert.Equal($"{encoding} -1 {string.Join('|', expected)}", Describe(loaded)["0/key"]);
    }

    [Fact]
    public void Text_that_reads_as_a_number_is_one_whatever_form_it_came_in()
    {
        byte[] node = RdbBytes.ListPack("12", "x", "-5");
        using Keyspace loaded = Load(FileWith(18, new RdbBytes().Length(1).Length(2).String(node).ToArray()));
        Assert.True(loaded[0].TryFind(loaded.KeyOf("key"u8), LookupFlags.None, out Entry entry));
        ListValue list = ListValue.Open(loaded[0], entry, ListLimits.Default);
        Assert.Equal(1, list.RemoveEqual("12"u8, 1, fromTail: false));
        Assert.Equal(1, list.RemoveEqual("-5"u8, 1, fromTail: true));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(14)]
    [InlineData(18)]
    public void A_list_without_elements_makes_no_key(int type)
    {
        byte[] value = type switch
        {
            10 => new RdbBytes().String(RdbBytes.ZipList()).ToArray(),
            _ => new RdbBytes().Length(0).ToArray(),
        };
        using Keyspace loaded = Load(FileWith(type, value));
        Assert.Equal(0, loaded[0].Count);
    }

    [Fact]
    public void An_empty_element_has_no_node_of_its_own()
    {
        byte[] value = new RdbBytes().Length(1).Length(1).String(B("")).ToArray();
        Assert.Throws<RdbFormatException>(() => Load(FileWith(18, value)));
    }

    [Fact]
    public void Nodes_without_elements_are_passed_by()
    {
        byte[] value = new RdbBytes().Length(3).Length(2).String(RdbBytes.ListPack()).Length(2).String(RdbBytes.ListPack("a"))
            .Length(2).String(RdbBytes.ListPack()).ToArray();
        using Keyspace loaded = Load(FileWith(18, value));
        Assert.Equal("listpack -1 a", Describe(loaded)["0/key"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Lists_of_all_sizes_survive_a_save_and_a_dump(bool compresses)
    {
        Random random = new(5);
        foreach (int count in (int[])[1, 2, 10, 127, 128, 500, 5000])
        {
            foreach (int length in (int[])[1, 5, 60, 9000])
            {
                if (count * length < 2_000_000)
                {
                    Fill($"l{count}.{length}", count, length, random);
                }
            }
        }

        SortedDictionary<string, string> expected = Describe(Store);
        using Keyspace loaded = Load(Save(new RdbWriterOptions(compresses)));
        Assert.Equal(expected, Describe(loaded));
        foreach (string line in expected.Keys)
        {
            RdbOutput output = new(null);
            RdbPayload.Write(output, Db, Find(line[2..]), compresses);
            Assert.True(RdbPayload.TryRestore(Db, K("copy"), output.Buffered, Database.NoExpiry, new ValueLimits(), out _));
            Assert.Equal(expected[line], Describe(Store)["0/copy"]);
        }
    }

    private void Fill(string name, int count, int length, Random random)
    {
        ListValue list = ListValue.Create(Store, ListLimits.Default);
        for (int i = 0; i < count; i++)
        {
            string text = random.Next(3) == 0
                ? random.Next().ToString(System.Globalization.CultureInfo.InvariantCulture)
                : new string((char)('a' + random.Next(26)), random.Next(length + 1));
            list.PrepareToGrow(text.Length, 1);
            list.Push(B(text), atHead: random.Next(2) == 0);
        }

        list.StoreAs(Db, K(name), lazily: false);
        list.Dispose();
    }
}
