namespace KvServer.Storage.Tests.Values;

public class HashValueTests : HashTest
{
    [Fact]
    public void A_small_hash_is_packed_and_keeps_fields_and_values()
    {
        Assert.True(Put("h", "f", "v"));
        Assert.True(Put("h", "7", "12345"));
        Assert.True(Put("h", "", ""));
        Assert.False(Put("h", "f", "a longer value than before"));
        Assert.Equal("listpack", EncodingOf("h"));
        Assert.Equal(3, Open("h").Count);
        Assert.Equal("a longer value than before", Read("h", "f"));
        Assert.Equal("12345", Read("h", "7"));
        Assert.Equal("", Read("h", ""));
        Assert.Null(Read("h", "v"));
        Assert.Null(Read("h", "12345"));
        Assert.False(Put("h", "f", "x"));
        Assert.Equal("x", Read("h", "f"));
    }

    [Fact]
    public void A_value_is_never_taken_for_a_field()
    {
        Put("h", "a", "b");
        Put("h", "b", "c");
        Assert.Equal("c", Read("h", "b"));
        Assert.True(Remove("h", "b"));
        Assert.False(Remove("h", "b"));
        Assert.Equal("b", Read("h", "a"));
    }

    [Theory]
    [InlineData(128, 64)]
    [InlineData(5, 64)]
    [InlineData(1, 10)]
    [InlineData(0, 64)]
    public void It_becomes_a_table_with_one_field_too_many_or_too_long_a_text(int entries, int bytes)
    {
        Limits = new HashLimits(entries, bytes);
        for (int i = 0; i < entries; i++)
        {
            Put("h", "f" + i, "v");
            Assert.Equal("listpack", EncodingOf("h"));
        }

        Put("h", "g", "v");
        Assert.Equal("hashtable", EncodingOf("h"));
        Assert.Equal(entries + 1, Open("h").Count);
        Limits = new HashLimits(128, bytes);
        Put("l", "f", new string('x', bytes));
        Assert.Equal("listpack", EncodingOf("l"));
        Put("l", "f", new string('x', bytes + 1));
        Assert.Equal("hashtable", EncodingOf("l"));
        Put("m", new string('x', bytes + 1), "v");
        Assert.Equal("hashtable", EncodingOf("m"));
        Assert.Equal("v", Read("m", new string('x', bytes + 1)));
    }

    [Fact]
    public void A_lowered_limit_counts_from_the_next_change_on()
    {
        for (int i = 0; i < 10; i++)
        {
            Put("h", "f" + i, "v");
        }

        Limits = new HashLimits(5, 64);
        Assert.Equal("listpack", EncodingOf("h"));
        Put("h", "f3", "w");
        Assert.Equal("hashtable", EncodingOf("h"));
        Assert.Equal("w", Read("h", "f3"));
        Assert.Equal(10, Open("h").Count);
    }

    [Fact]
    public void A_table_keeps_values_of_every_size()
    {
        Limits = default;
        int[] sizes = [0, 1, 200, 254, 255, 256, 300, 5000, 16382, 16383, 16384, 70_000, 3_000_000];
        foreach (int size in sizes)
        {
            Put("h", "v" + size, new string('x', size));
            Put("h", "f" + new string('y', size), "of field");
        }

        foreach (int size in sizes)
        {
            Assert.Equal(size, Read("h", "v" + size)!.Length);
            Assert.Equal("of field", Read("h", "f" + new string('y', size)));
        }

        foreach (int size in sizes)
        {
            Put("h", "v0", new string('z', size));
            Assert.Equal(new string('z', size), Read("h", "v0"));
        }
    }

    [Fact]
    public void A_value_of_the_same_size_is_overwritten_in_place()
    {
        Limits = default;
        Put("h", "field", "value1");
        long used = Heap.UsedBytes;
        Put("h", "field", "value2");
        Assert.Equal(used, Heap.UsedBytes);
        Assert.Equal("value2", Read("h", "field"));
    }

    [Fact]
    public void Walks_and_samples_see_each_field_once()
    {
        foreach (int limit in new[] { 0, 500 })
        {
            Limits = new HashLimits(limit, 64);
            string key = "h" + limit;
            for (int i = 0; i < 300; i++)
            {
                Put(key, "f" + i, "v" + i);
            }

            Assert.Equal(300, All(key).Count);
            foreach (int count in new[] { 1, 5, 99, 150, 300, 1000 })
            {
                HashSet<string> seen = [];
                foreach (HashField field in Open(key).Sample(count))
                {
                    Assert.True(seen.Add(Text(field.Name)));
                    Assert.Equal(Text(field.Name).Replace('f', 'v'), Text(field.Value));
                }

                Assert.Equal(Math.Min(300, count), seen.Count);
            }

            HashSet<string> picked = [];
            for (int i = 0; i < 6000; i++)
            {
                picked.Add(Text(Open(key).Pick().Next().Name));
            }

            Assert.InRange(picked.Count, 295, 300);
        }
    }

    [Fact]
    public void A_scan_returns_every_field()
    {
        Limits = default;
        for (int i = 0; i < 1000; i++)
        {
            Put("h", "f" + i, "v" + i);
        }

        Collector collector = new() { Found = [] };
        ulong cursor = 0;
        do
        {
            cursor = Open("h").Scan(cursor, ref collector);
        }
        while (cursor != 0);
        Assert.Equal(1000, collector.Found.Distinct().Count());
    }

    [Fact]
    public void A_hash_can_be_copied_renamed_moved_and_freed_in_every_encoding()
    {
        foreach (int limit in new[] { 0, 128 })
        {
            Limits = new HashLimits(limit, 64);
            for (int i = 0; i < 100; i++)
            {
                Put("h", "f" + i, "v" + i);
            }

            SortedDictionary<string, string> all = All("h");
            Assert.True(Db.Copy(K("h"), Store[1], K("copy")));
            Assert.True(Db.Rename(K("h"), K("renamed")));
            Assert.True(Db.Move(K("renamed"), Store[2]));
            Assert.Equal("v7", Read(Store[1], "copy", "f7"));
            Assert.Equal("v7", Read(Store[2], "renamed", "f7"));
            Assert.True(Store[2].Move(K("renamed"), Db));
            Assert.Equal(all, All("renamed"));
            Assert.InRange(Find("renamed").MemoryUsage(0), 700, 20_000);
            Assert.True(Db.Delete(K("renamed"), lazily: true));
            Store[1].SetString(K("copy"), B("a string now"));
        }
    }

    [Fact]
    public void A_set_that_runs_out_of_memory_leaves_the_hash_as_it_was()
    {
        foreach (int limit in new[] { 0, 3, 128 })
        {
            Limits = new HashLimits(limit, 64);
            for (int failAt = 0; failAt < 12; failAt++)
            {
                Db.Delete(K("h"));
                for (int i = 0; i < 3; i++)
                {
                    Put("h", "f" + i, "v" + i);
                }

                SortedDictionary<string, string> before = All("h");
                Heap.FailAfter(failAt);
                try
                {
                    Put("h", "f1", new string('w', 50));
                    Put("h", "g", "new");
                }
                catch (OutOfMemoryException)
                {
                    before["f1"] = Read("h", "f1") == "v1" ? "v1" : new string('w', 50);
                    Assert.Equal(before, All("h"));
                }

                Heap.FailAfter(-1);
                Heap.Verify();
            }
        }
    }

    private struct Collector : IHashFieldReceiver
    {
        public List<string> Found;

        public readonly void Receive(HashField field) => Found.Add(Text(field.Name));
    }
}
