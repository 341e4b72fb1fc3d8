using KvServer.Storage.Tests.Values;
using KvServer.TestSupport.Rdb;

namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Streams in files and payloads: every form, and what is refused.</summary>
public sealed class RdbStreamTests : RdbTest
{
    private const string Entries = "1-1 f=v\n3-0 g=7 h={x}\n5-0 f=12\n";

    private const string GroupLines =
        "group g 3-0 {read} 2 2\n  1-1 1700000000000 1 a\n  3-0 1700000000007 300 b\n"
        + "  consumer a 1700000000000 {active} 1: 1-1\n  consumer b 1700000000000 {active} 1: 3-0\n"
        + "group h 0-0 {none} 0 1\n  consumer c 1700000000000 {active} 0:\n";

    [Theory]
    [InlineData(15, "3 1-1 5-0 0-0 3 2\n", -1, 0, 1_700_000_000_000)]
    [InlineData(19, "3 1-1 5-0 1-2 4 2\n", 3, -1, 1_700_000_000_000)]
    [InlineData(21, "3 1-1 5-0 1-2 4 2\n", 3, -1, 1_700_000_000_123)]
    public void Every_form_is_read_and_written_in_the_second(int type, string counters, long read, long none, long activeMs)
    {
        string expected = counters + (Entries + GroupLines)
            .Replace("{x}", new string('x', 300), StringComparison.Ordinal)
            .Replace("{read}", $"{read}", StringComparison.Ordinal)
            .Replace("{none}", $"{none}", StringComparison.Ordinal)
            .Replace("{active}", $"{activeMs}", StringComparison.Ordinal);
        byte[] value = RdbSamples.All.Single(sample => sample.Type == type).Value;
        using (Keyspace store = Load(FileWith(type, value)))
        {
            Assert.True(store[0].TryFind(store.KeyOf(B("key")), LookupFlags.None, out Entry entry));
            Assert.Equal(expected, StreamModel.Describe(StreamValue.Open(store[0], entry, default)));
            Assert.Null(StreamValue.Open(store[0], entry, default).FindFault());
        }

        Assert.True(TryRestore(type, value));
        using Keyspace again = Load(Save(new RdbWriterOptions(true)));
        Assert.Equal(Describe(Store), Describe(again));
        RdbOutput output = new(null);
        RdbPayload.Write(output, Db, Find("key"), compress: false);
        Assert.Equal(19, output.Buffered[0]);
        Assert.True(type != 19 || output.Buffered[..^RdbFormat.PayloadFooterBytes].SequenceEqual((byte[])[19, .. value]));
    }

    [Fact]
    public void The_first_form_tells_how_far_a_group_has_come_where_that_is_certain()
    {
        (int Ms, long Read)[] cases = [(0, 0), (1, 0), (2, 1), (3, -1), (4, 3), (5, -1)];
        foreach ((int ms, long read) in cases)
        {
            RdbBytes value = Node(new RdbBytes().Length(1), 2, Pack(3, 0, (2, 0, 0), (2, 1, 0), (2, 2, 0)))
                .Length(3).Length(4).Length(0)
                .Length(1).String("g").Length((ulong)ms).Length(0).Length(0).Length(0);
            Assert.True(TryRestore(15, value.ToArray()));
            Assert.True(StreamValue.Open(Db, Find("key"), default).TryFindGroup("g"u8, out StreamGroup group));
            Assert.Equal(read, group.EntriesRead);
        }

        RdbBytes empty = new RdbBytes().Length(0).Length(0).Length(7).Length(7)
            .Length(1).String("g").Length(7).Length(7).Length(0).Length(0);
        Assert.True(TryRestore(15, empty.ToArray()));
        Assert.True(StreamValue.Open(Db, Find("key"), default).TryFindGroup("g"u8, out StreamGroup none));
        Assert.Equal(0, none.EntriesRead);
    }

    [Fact]
    public void An_empty_stream_keeps_what_it_remembers()
    {
        byte[] value = Counters(new RdbBytes().Length(0), length: 0, last: 9, deleted: 8, added: 20).Length(0).ToArray();
        Assert.True(TryRestore(19, value));
        Assert.Equal("0 0-0 9-0 8-0 20 0\n", StreamModel.Describe(StreamValue.Open(Db, Find("key"), default)));
        using Keyspace again = Load(Save(new RdbWriterOptions(true)));
        Assert.Equal(Describe(Store), Describe(again));
    }

    [Fact]
    public void A_node_whose_entries_are_all_deleted_is_left_out()
    {
        byte[] Value(ulong last)
        {
            RdbBytes value = Node(new RdbBytes().Length(2), 1, Pack(1, 0, (2, 0, 0)));
            Node(value, 5, Pack(0, 2, (3, 0, 0), (3, 1, 0)));
            return Counters(value, length: 1, last, deleted: 0, added: 3).Length(0).ToArray();
        }

        Assert.True(TryRestore(19, Value(last: 6)));
        Assert.Equal("1 1-0 6-0 0-0 3 0\n1-0 f=v\n", StreamModel.Describe(StreamValue.Open(Db, Find("key"), default)));
        Assert.Equal(1, StreamValue.Open(Db, Find("key"), default).NodeCount);
        Assert.True(TryRestore(19, Value(last: 5)));
        Assert.Equal("1 1-0 5-0 0-0 3 0\n1-0 f=v\n", StreamModel.Describe(StreamValue.Open(Db, Find("key"), default)));
    }

    [Fact]
    public void Deleted_entries_that_XSETID_went_back_behind_are_left_out()
    {
        // Entries 1, 2 and a deleted 9, then 3, in one node; a second node with 4 and a deleted 8; the last id is 5.
        RdbBytes value = Node(new RdbBytes().Length(2), 1, Pack(3, 1, (2, 0, 0), (2, 1, 0), (3, 8, 0), (2, 2, 0)));
        Node(value, 4, Pack(1, 1, (2, 0, 0), (3, 4, 0)));
        Assert.True(TryRestore(19, Counters(value, length: 4, last: 5, deleted: 9, added: 6).Length(0).ToArray()));
        StreamValue stream = StreamValue.Open(Db, Find("key"), StreamLimits.Default);
        const string Four = "1-0 f=v\n2-0 f=v\n3-0 f=v\n4-0 f=v\n";
        Assert.Equal("4 1-0 5-0 9-0 6 0\n" + Four, StreamModel.Describe(stream));
        Assert.Null(stream.FindFault());
        Assert.Equal(2, stream.NodeCount);
        Assert.True(stream.TryAppend(new StreamId(6, 0), new Field()));
        Assert.True(stream.Contains(new StreamId(6, 0)));

        // The deleted one behind the next node.
        value = Node(new RdbBytes().Length(2), 1, Pack(3, 1, (2, 0, 0), (2, 1, 0), (2, 2, 0), (3, 8, 0)));
        Node(value, 4, Pack(1, 0, (2, 0, 0)));
        Assert.True(TryRestore(19, Counters(value, length: 4, last: 4, deleted: 9, added: 5).Length(0).ToArray()));
        stream = StreamValue.Open(Db, Find("key"), StreamLimits.Default);
        Assert.Equal("4 1-0 4-0 9-0 5 0\n" + Four, StreamModel.Describe(stream));
        Assert.Null(stream.FindFault());
    }

    [Fact]
    public void Going_back_behind_deleted_entries_takes_them_out_of_a_stream()
    {
        byte[] one = Node(new RdbBytes().Length(1), 1, Pack(3, 0, (2, 0, 0), (2, 1, 0), (2, 2, 0))).Length(3).Length(3).Length(0)
            .Length(0).ToArray();
        Assert.True(TryRestore(15, one));
        StreamValue stream = StreamValue.Open(Db, Find("key"), StreamLimits.Default);
        StreamValue share = stream.Share();
        Assert.True(stream.Delete(new StreamId(3, 0)));
        stream.SetLastId(new StreamId(2, 0));
        Assert.True(stream.TryAppend(new StreamId(2, 5), new Field()));
        Assert.Equal("3 1-0 2-5 3-0 4 0\n1-0 f=v\n2-0 f=v\n2-5 f=x\n", StreamModel.Describe(stream));
        StreamEntryEnumerator range = stream.Range(new StreamId(2, 1), new StreamId(2, 9));
        Assert.True(range.MoveNext());
        Assert.False(range.MoveNext());
        Assert.Equal("3 1-0 3-0 0-0 3 0\n1-0 f=v\n2-0 f=v\n3-0 f=v\n", StreamModel.Describe(share));
        share.Dispose();
    }

    [Fact]
    public void Ids_may_lie_on_either_side_of_what_fits_a_signed_number()
    {
        byte[] list = Pack(2, 0, (2, 0, 0), (2, -6, -9)); // 5-8, and as far from it as can be.
        byte[] value = Node(new RdbBytes().Length(1), 5, list, sequence: 8).Length(2).Length(ulong.MaxValue).Length(ulong.MaxValue)
            .Length(5).Length(8).Length(0).Length(0).Length(2).Length(0).ToArray();
        Assert.True(TryRestore(19, value));
        Assert.Equal(StreamId.Max, StreamValue.Open(Db, Find("key"), default).LastId);
        Assert.Contains($"{ulong.MaxValue}-{ulong.MaxValue} f=v\n", StreamModel.Describe(StreamValue.Open(Db, Find("key"), default)), StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_in_longer_forms_than_they_need_are_shortened_by_changes()
    {
        byte[] list = Wide(4, 1, 1, "f", 0, 2, 0, 0, "a", 4, 2, 1, 0, "b", 4, 3, 2, 0, "c", 4, 0, 3, 0, 1, "g", "d", 6, 2, 4, 0, "e", 4);
        RdbBytes value = Node(new RdbBytes().Length(1), 1, list);
        Assert.True(TryRestore(19, Counters(value, length: 4, last: 5, deleted: 0, added: 5).Length(0).ToArray()));
        StreamValue stream = StreamValue.Open(Db, Find("key"), StreamLimits.Default);
        Assert.True(stream.Delete(new StreamId(2, 0)));
        Assert.Null(stream.FindFault());
        Assert.Equal(2, stream.TrimToLength(1, approximate: false, limit: 0));
        Assert.Null(stream.FindFault());
        Assert.Equal("1 5-0 5-0 2-0 5 0\n5-0 f=e\n", StreamModel.Describe(stream));
        Heap.Verify();
    }

    public static TheoryData<object[]> DamagedNodes =>
    [
        new object[] { RdbBytes.ListPack() },
        new object[] { RdbBytes.ListPack(1) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f") },
        new object[] { RdbBytes.ListPack(0, 0, 1, "f", 0) }, // No entries.
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 2, 0, 0, "v", 4)[..^1] },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 2, 0, 0, "v", 4, 2) }, // More behind the last entry.
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 2, 0, 0, "v", 5) }, // Another number of elements.
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 2, 0, 0, "v", "4") },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 1, 2, 0, 0, "v", 4) }, // No 0 behind the fields.
        new object[] { RdbBytes.ListPack("1", 0, 1, "f", 0, 2, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, "0", 1, "f", 0, 2, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, "1", "f", 0, 2, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, "2", 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 2, "0", 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 2, 0, "0", "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 6, 0, 0, "v", 4) }, // An unknown flag.
        new object[] { RdbBytes.ListPack(2, 0, 1, "f", 0, 2, 0, 0, "v", 4) }, // Counted wrongly.
        new object[] { RdbBytes.ListPack(1, 1, 1, "f", 0, 2, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 3, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(2, -1, 1, "f", 0, 2, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 0, 0, 2, 0, 0, 3) }, // No fields.
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 0, 0, 0, 0, 4) },
        new object[] { RdbBytes.ListPack(1, 0, -1, "f", 0, 2, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 0, 0, 0, long.MaxValue, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 0, 0, 0, long.MinValue, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, long.MaxValue, "f", 0, 2, 0, 0, "v", 4) },
        new object[] { RdbBytes.ListPack(1, 0, 1, "f", 0, 2, 0, -1, "v", 4) }, // Before the node's id.
        new object[] { RdbBytes.ListPack(2, 0, 1, "f", 0, 2, 1, 0, "v", 4, 2, 1, 0, "v", 4) }, // The same id twice.
        new object[] { RdbBytes.ListPack(2, 0, 1, "f", 0, 2, 1, 0, "v", 4, 2, 0, 5, "v", 4) },
    ];

    [Theory]
    [MemberData(nameof(DamagedNodes))]
    public void Damaged_nodes_are_refused(object[] list)
    {
        ArgumentNullException.ThrowIfNull(list);
        RdbBytes value = Node(new RdbBytes().Length(1), 1, (byte[])list[0], sequence: 1);
        Refused(Counters(value, length: 1, last: 9, deleted: 0, added: 9).Length(0).ToArray(), "A stream's listpack is damaged");
    }

    [Fact]
    public void What_contradicts_itself_is_refused()
    {
        byte[] one = Pack(1, 0, (2, 0, 0));
        RdbBytes Nodes(params ulong[] ids)
        {
            RdbBytes value = new RdbBytes().Length((ulong)ids.Length);
            foreach (ulong id in ids)
            {
                Node(value, id, one);
            }

            return value;
        }

        Refused(Counters(Nodes(2, 1), 2, 2, 0, 2).Length(0).ToArray(), "not in order");
        Refused(Counters(Nodes(2, 2), 2, 2, 0, 2).Length(0).ToArray(), "not in order");
        Refused(Counters(Nodes(0), 1, 2, 0, 2).Length(0).ToArray(), "not in order");
        Refused(Counters(Nodes(1), 2, 2, 0, 2).Length(0).ToArray(), "A stream of 2 entries has 1");
        Refused(Counters(Nodes(), 1, 2, 0, 2).Length(0).ToArray(), "A stream of 1 entries has 0");
        Refused(Counters(Nodes(1, 3), 2, 2, 0, 2).Length(0).ToArray(), "behind its last one");
        Refused(Counters(Nodes(1, 3), 2, 3, 0, 1).Length(0).ToArray(), "had 1 added");
        Refused(
            new RdbBytes().Length(1).String("short").String(one).Length(1).Length(1).Length(0).ToArray(), "not 16 bytes");
    }

    [Fact]
    public void Groups_that_contradict_themselves_are_refused()
    {
        Refused(Groups((["g", "g"], 1, [], [])), "the same consumer group twice");
        Refused(Groups((["g"], 1, [1, 1], [("a", [1])])), "the same pending entry twice");
        Refused(Groups((["g"], 1, [1, 2], [("a", [1]), ("a", [2])])), "the same consumer twice");
        Refused(Groups((["g"], 1, [1], [("a", [2])])), "that its group does not have");
        Refused(Groups((["g"], 1, [1, 2], [("a", [1]), ("b", [1])])), "two consumers");
        Refused(Groups((["g"], 1, [1, 2], [("a", [1, 1])])), "two consumers");
        Refused(Groups((["g"], 1, [1, 2], [("a", [1])])), "Of 2 pending entries of a group 1 have consumers");
        Refused(Groups((["g"], 1, [1], [])), "Of 1 pending entries of a group 0 have consumers");
    }

    [Fact]
    public void Counters_that_went_on_past_63_bits_are_taken_as_they_are()
    {
        byte[] stream = Counters(
            Node(new RdbBytes().Length(1), 1, Pack(1, 0, (2, 0, 0))), 1, 3, 0, ulong.MaxValue).Length(0).ToArray();
        Assert.True(TryRestore(19, stream));
        Assert.True(TryRestore(19, Groups((["g"], ulong.MaxValue - 1, [], []))));
    }

    [Fact]
    public void Announced_numbers_cost_no_memory()
    {
        RdbBytes Start() => Counters(new RdbBytes().Length(0), 0, 1, 0, 0);
        long before = Heap.UsedBytes;
        ulong many = 1UL << 40;
        Assert.False(TryRestore(19, new RdbBytes().Length(many).ToArray()));
        Assert.False(TryRestore(19, Start().Length(many).ToArray()));
        Assert.False(TryRestore(19, Start().Length(1).String("g").Length(1).Length(0).Length(0).Length(many).ToArray()));
        Assert.False(TryRestore(
            19, Start().Length(1).String("g").Length(1).Length(0).Length(0).Length(0).Length(1).String("a").Int64(0).Length(many).ToArray()));
        Assert.Equal(before, Heap.UsedBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void Without_memory_a_payload_changes_nothing(int failures)
    {
        Set("key", "before");
        byte[] payload = Payload(21, RdbSamples.All.Single(sample => sample.Type == 21).Value);
        for (int allowed = 0; ; allowed++)
        {
            Heap.FailAfter(allowed, failures);
            try
            {
                Assert.True(RdbPayload.TryRestore(Db, K("key"), payload, Database.NoExpiry, new ValueLimits(), out _));
                Heap.FailAfter(-1);
                Assert.InRange(allowed, 10, 200);
                break;
            }
            catch (OutOfMemoryException)
            {
                Heap.FailAfter(-1);
                Assert.Equal("before", Get("key"));
                Heap.Verify();
            }
        }

        Assert.Equal("stream", EncodingOf("key"));
    }

    private readonly struct Field : IStreamFields
    {
        public int Count => 1;

        public ReadOnlySpan<byte> NameAt(int index) => "f"u8;

        public ReadOnlySpan<byte> ValueAt(int index) => "x"u8;
    }

    // A listpack whose integers all take 64 bits.
    private static byte[] Wide(params object[] items)
    {
        List<byte> bytes = [0, 0, 0, 0, (byte)items.Length, 0];
        foreach (object item in items)
        {
            bytes.AddRange(item is string text
                ? [(byte)(0x80 | text.Length), .. B(text), (byte)(1 + text.Length)]
                : [0xF4, .. BitConverter.GetBytes((long)(int)item), 9]);
        }

        bytes.Add(0xFF);
        bytes[0] = (byte)bytes.Count;
        bytes[1] = (byte)(bytes.Count >> 8);
        return [.. bytes];
    }

    private static byte[] Pack(int live, int deleted, params (int Flags, long Ms, long Sequence)[] entries) => RdbBytes.ListPack(
    [
        live, deleted, 1, "f", 0,
        .. entries.SelectMany(entry => (object[])[entry.Flags, entry.Ms, entry.Sequence, "v", 4]),
    ]);

    private static RdbBytes Node(RdbBytes value, ulong ms, byte[] list, ulong sequence = 0) =>
        value.String([.. RawId(ms)[..8], .. RawId(sequence)[..8]]).String(list);

    private static byte[] RawId(ulong ms)
    {
        byte[] id = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(id, ms);
        return id;
    }

    private static RdbBytes Counters(RdbBytes value, ulong length, ulong last, ulong deleted, ulong added) =>
        value.Length(length).Length(last).Length(0).Length(0).Length(0).Length(deleted).Length(0).Length(added);

    // A stream without entries and groups that are all alike.
    private static byte[] Groups((string[] Names, ulong Read, ulong[] Pending, (string Name, ulong[] Ids)[] Consumers) groups)
    {
        RdbBytes value = Counters(new RdbBytes().Length(0), 0, 9, 0, 9).Length((ulong)groups.Names.Length);
        foreach (string name in groups.Names)
        {
            value.String(name).Length(1).Length(0).Length(groups.Read).Length((ulong)groups.Pending.Length);
            foreach (ulong id in groups.Pending)
            {
                value.Raw(RawId(id)).Int64(5).Length(1);
            }

            value.Length((ulong)groups.Consumers.Length);
            foreach ((string consumer, ulong[] ids) in groups.Consumers)
            {
                value.String(consumer).Int64(5).Length((ulong)ids.Length);
                foreach (ulong id in ids)
                {
                    value.Raw(RawId(id));
                }
            }
        }

        return value.ToArray();
    }

    private void Refused(byte[] value, string reason)
    {
        Assert.Contains(reason, Refuse(FileWith(19, value)).Reason, StringComparison.Ordinal);
        Set("key", "before");
        Assert.False(TryRestore(19, value));
        Assert.Equal("before", Get("key"));
        Db.Delete(K("key"));
    }

    private bool TryRestore(int type, byte[] value) =>
        RdbPayload.TryRestore(Db, K("key"), Payload(type, value), Database.NoExpiry, new ValueLimits(), out _);
}
