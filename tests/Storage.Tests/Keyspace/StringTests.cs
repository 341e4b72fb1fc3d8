namespace KvServer.Storage.Tests;

public sealed class StringTests : StoreTest
{
    [Theory]
    [InlineData("", "embstr")]
    [InlineData("v", "embstr")]
    [InlineData("12", "int")]
    [InlineData("-9223372036854775808", "int")]
    [InlineData("9223372036854775807", "int")]
    [InlineData("9223372036854775808", "embstr")]
    [InlineData("-9223372036854775809", "embstr")]
    [InlineData("18446744073709551616", "embstr")]
    [InlineData("99999999999999999999", "embstr")]
    [InlineData("012", "embstr")]
    [InlineData("-0", "embstr")]
    [InlineData("+1", "embstr")]
    [InlineData(" 1", "embstr")]
    [InlineData("0", "int")]
    [InlineData("-", "embstr")]
    public void What_was_set_is_read_back(string value, string encoding)
    {
        Set("key", value);
        Assert.Equal(value, Get("key"));
        Assert.Equal(value.Length, Find("key").StringLength);
        Assert.Equal(encoding, EncodingOf("key"));
    }

    [Fact]
    public void Every_length_of_key_and_value_survives_being_replaced_by_any_other()
    {
        int[] lengths = [0, 1, 3, 7, 20, 44, 45, 63, 64, 65, 253, 254, 255, 256, 1000, 4095, 4096, 4097, 40_000, 1_100_000];
        foreach (int keyLength in (int[])[0, 1, 11, 254, 255, 256, 5000])
        {
            string key = new('k', keyLength);
            foreach (int first in lengths)
            {
                foreach (int second in lengths)
                {
                    Set(key, new string('a', first));
                    string value = new('b', second);
                    Set(key, value);
                    Assert.Equal(value, Get(key));
                    Assert.Equal(1, Db.Count);
                }
            }

            Db.Flush(inBackground: false);
        }
    }

    [Fact]
    public void Setting_a_value_of_the_same_size_makes_no_call_to_the_heap()
    {
        Set("key", new string('a', 64));
        long before = Heap.AllocationCount;
        Set("key", new string('b', 64));
        Set("key", new string('c', 63));
        Set("key", new string('d', 64));
        Assert.Equal(before, Heap.AllocationCount);
        Assert.Equal(new string('d', 64), Get("key"));
    }

    [Fact]
    public void An_eleven_byte_key_with_a_64_byte_value_takes_92_bytes()
    {
        Set("key:0000001", new string('v', 64));
        Assert.Equal(92, Heap.UsedBytesOf(HeapTag.Entry));
        Assert.Equal(100, Find("key:0000001").MemoryUsage(0));
    }

    [Fact]
    public void Long_strings_and_edited_ones_are_raw()
    {
        Set("key", new string('v', 44));
        Assert.Equal("embstr", EncodingOf("key"));
        Entry entry = Find("key");
        Db.EditString(ref entry, 44, out Span<byte> bytes);
        bytes[0] = (byte)'w';
        Assert.Equal("raw", EncodingOf("key"));
        Assert.Equal("w" + new string('v', 43), Get("key"));
        Set("key", new string('v', 45));
        Assert.Equal("raw", EncodingOf("key"));
        Set("key", "v");
        Assert.Equal("embstr", EncodingOf("key"));
    }

    [Theory]
    [InlineData("12")]
    [InlineData("abc")]
    public void Growing_a_string_fills_with_zeros_and_keeps_the_expiry(string start)
    {
        Set("key", start, StartMs + 1000);
        string expected = start;
        Entry entry = Find("key");
        for (int length = start.Length; length < 300_000; length = (length * 3 / 2) + 1)
        {
            Db.EditString(ref entry, length, out Span<byte> bytes);
            Assert.Equal(length, bytes.Length);
            Assert.Equal(expected, S(bytes[..expected.Length]));
            Assert.Equal(-1, bytes[expected.Length..].IndexOfAnyExcept((byte)0));
            bytes[expected.Length..].Fill((byte)'x');
            expected = S(bytes);
        }

        Assert.Equal(expected, Get("key"));
        Assert.Equal(StartMs + 1000, Find("key").ExpireAtMs);
    }

    [Fact]
    public void A_thousand_appends_move_the_string_a_few_times_only()
    {
        Set("key", "x");
        Entry entry = Find("key");
        long before = Heap.AllocationCount;
        for (int length = 2; length <= 1000; length++)
        {
            Db.EditString(ref entry, length, out Span<byte> bytes);
            bytes[^1] = (byte)'x';
        }

        Assert.InRange(Heap.AllocationCount - before, 1, 12);
        Assert.Equal(new string('x', 1000), Get("key"));
    }

    [Fact]
    public void An_adopted_string_is_not_copied_and_replaces_what_was_there()
    {
        Set("key", "old", StartMs + 5000);
        var large = new LargeString(Heap, 100_000);
        byte[] chunk = new byte[10_000];
        for (int i = 0; i < 20; i++)
        {
            Array.Fill(chunk, (byte)('a' + i));
            large.Append(chunk, 200_000);
        }

        Db.AdoptString(K("key"), large, Database.KeepExpiry);
        large.Dispose();
        Assert.Equal(200_000, Find("key").StringLength);
        Assert.Equal(StartMs + 5000, Find("key").ExpireAtMs);
        Assert.Equal('t', Get("key")![^1]);
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Buffer));
    }

    [Fact]
    public void A_short_large_string_becomes_an_ordinary_one()
    {
        var large = new LargeString(Heap);
        large.Append(B("42"));
        Db.AdoptString(K("key"), large);
        Assert.Equal("int", EncodingOf("key"));
    }

    [Fact]
    public void A_large_string_nobody_adopts_is_freed_by_its_owner()
    {
        using var large = new LargeString(Heap);
        large.Append(new byte[100_000]);
        Assert.Equal(100_000, large.Length);
    }

    [Fact]
    public void Integers_are_changed_in_place()
    {
        Set("key", "10", StartMs + 9);
        Entry entry = Find("key");
        Assert.True(entry.TryGetInteger(out long value));
        long before = Heap.AllocationCount;
        Db.SetInteger(ref entry, value - 11);
        Assert.Equal(before, Heap.AllocationCount);
        Assert.Equal("-1", Get("key"));
        Assert.Equal(StartMs + 9, Find("key").ExpireAtMs);
    }

    [Fact]
    public void Text_that_reads_as_an_integer_can_become_one()
    {
        Set("key", "1");
        Entry entry = Find("key");
        Db.EditString(ref entry, 2, out Span<byte> bytes);
        bytes[1] = (byte)'5';
        Assert.Equal("raw", EncodingOf("key"));
        Assert.True(entry.TryGetInteger(out long value));
        Assert.Equal(15, value);
        Db.SetInteger(ref entry, 16);
        Assert.Equal("int", EncodingOf("key"));
        Assert.Equal("16", Get("key"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(5000)]
    public void A_created_string_is_raw_and_zero(int length)
    {
        Set("key", "old");
        Entry entry = Db.CreateString(K("key"), length, out Span<byte> bytes);
        Assert.Equal(length, entry.StringLength);
        Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
        Assert.Equal("raw", EncodingOf("key"));
    }

    [Fact]
    public void When_memory_runs_out_nothing_has_changed()
    {
        string longValue = new('z', 50_000);
        for (int failAt = 0; failAt < 8; failAt++)
        {
            Set("short", "value");
            Set("volatile", "value", StartMs + 1000);
            Set("number", "17");
            Attempt(failAt, () => Set("new" + failAt, "v", StartMs + 500));
            Attempt(failAt, () => Set("short", longValue, StartMs + 77));
            Attempt(failAt, () => Set("volatile", longValue));
            Attempt(failAt, () => Set("number", new string('n', 200), StartMs + 77));
            Attempt(failAt, () => Db.Rename(K("volatile"), K("other")));
            Attempt(failAt, () => Db.Copy(K("volatile"), Store[1], K("copy")));
            Attempt(failAt, () =>
            {
                Entry entry = Find("number");
                Db.EditString(ref entry, 1000, out _);
            });
            Attempt(failAt, () =>
            {
                Entry entry = Find("short");
                Db.SetExpireAt(ref entry, StartMs + 10);
            });
            Store.FlushAll(inBackground: false);
        }

        void Attempt(int failAt, Action action)
        {
            string before = Dump();
            Heap.FailAfter(failAt);
            try
            {
                action();
            }
            catch (OutOfMemoryException)
            {
                Heap.FailAfter(-1);
                Assert.Equal(before, Dump());
            }

            Heap.FailAfter(-1);
        }
    }

    private string Dump()
    {
        var all = new List<string>();
        foreach (string key in (string[])["short", "volatile", "number", "other"])
        {
            if (Db.TryFind(K(key), LookupFlags.None, out Entry entry))
            {
                all.Add($"{key}={S(entry.GetStringSpan(new byte[20]))}/{S(entry.EncodingName)}/{entry.ExpireAtMs}");
            }
        }

        return string.Join(';', all) + $"{Db.Count}/{Db.ExpireCount}/{Store[1].Count}";
    }
}
