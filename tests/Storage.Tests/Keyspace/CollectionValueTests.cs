namespace KvServer.Storage.Tests;

/// <summary>What collections need of entries: bytes inside, structures outside, and their life.</summary>
public sealed unsafe class CollectionValueTests : StoreTest
{
    [Fact]
    public void A_value_inside_its_entry_keeps_its_bytes_whatever_its_length_becomes()
    {
        Entry entry = Db.CreateValue(K("key"), ValueType.Set, ValueEncoding.PackedList, 0);
        Db.SetExpireAt(ref entry, StartMs + 10);
        var random = new Random(8);
        byte[] expected = [];
        for (int i = 0; i < 2000; i++)
        {
            int length = random.Next(random.Next(3) == 0 ? 9000 : 300);
            Span<byte> bytes = Db.ResizeValue(ref entry, length);
            int kept = Math.Min(length, expected.Length);
            Assert.True(bytes[..kept].SequenceEqual(expected.AsSpan(0, kept)));
            random.NextBytes(bytes);
            expected = bytes.ToArray();
            Assert.True(Find("key").ValueSpan.SequenceEqual(expected));
        }

        Assert.Equal("listpack", EncodingOf("key"));
        Assert.Equal(StartMs + 10, Find("key").ExpireAtMs);
        Assert.Equal(1, Db.ExpireCount);
    }

    [Fact]
    public void When_memory_runs_out_a_value_keeps_its_length()
    {
        Entry entry = Db.CreateValue(K("key"), ValueType.Set, ValueEncoding.IntSet, 16);
        entry.ValueSpan.Fill(7);
        Heap.FailAfter(0);
        bool failed = false;
        try
        {
            Db.ResizeValue(ref entry, 100);
        }
        catch (OutOfMemoryException)
        {
            failed = true;
        }

        Heap.FailAfter(-1);
        Assert.True(failed);
        Assert.Equal(16, Find("key").ValueSpan.Length);
    }

    [Fact]
    public void A_packed_value_can_become_a_dict_and_keeps_type_and_expiry()
    {
        Entry entry = Db.CreateValue(K("key"), ValueType.Set, ValueEncoding.PackedList, 300, StartMs + 10);
        Db.ConvertValue(ref entry, ValueEncoding.HashTable, 0, (nint)MakeSet(10).State);
        Assert.Equal("hashtable", EncodingOf("key"));
        Assert.Equal(ValueType.Set, Find("key").Type);
        Assert.Equal(StartMs + 10, Find("key").ExpireAtMs);
        Assert.Contains("Hash table 0", Db.DescribeTablesOf(Find("key")), StringComparison.Ordinal);
        Set("key", "v");
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Member));
    }

    [Theory]
    [InlineData(64, 0)]
    [InlineData(65, 2)]
    [InlineData(1000, 2)]
    [InlineData(1001, 3)] // Also what is to be freed at once.
    public void Only_sets_of_more_than_64_members_are_freed_in_the_background(int members, int inBackground)
    {
        AddSet("deleted", members);
        AddSet("replaced", members);
        AddSet("at once", members);
        Db.Delete(K("deleted"), lazily: true);
        Db.SetString(K("replaced"), B("v"), lazily: true);
        Db.Delete(K("at once"));
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(inBackground, Store.Reclaimer.FreedObjects);
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Member));
    }

    [Fact]
    public void A_copied_set_is_independent()
    {
        AddSet("from", 500);
        Db.Copy(K("from"), Store[1], K("to"));
        Db.Delete(K("from"));
        Assert.True(Store[1].TryFind(K("to"), LookupFlags.None, out Entry entry));
        var dict = new Dict<MemberLayout>((DictState*)entry.Pointer, Store.MemberRuntime);
        Assert.Equal(500, dict.Count);
        Assert.True(dict.Find(Store.HashOf(B("m77")), B("m77")) != null);
    }

    [Fact]
    public void A_copy_for_which_memory_runs_out_leaves_nothing_behind()
    {
        AddSet("from", 100);
        for (int failAt = 0; failAt < 105; failAt++)
        {
            Heap.FailAfter(failAt);
            bool failed = false;
            try
            {
                Db.Copy(K("from"), Db, K("to"));
            }
            catch (OutOfMemoryException)
            {
                failed = true;
            }

            Heap.FailAfter(-1);
            Assert.Equal(failed ? 1 : 2, Db.Count);
            Db.Delete(K("to"));
        }
    }

    [Fact]
    public void Memory_usage_is_what_the_heap_counts()
    {
        AddSet("key", 300);
        long tables = Db.GetFigures().BucketCount0 * 8;
        long states = 2 * DictState.Bytes * Store.DatabaseCount;
        Assert.Equal(Heap.UsedBytes - tables - states + 8, Find("key").MemoryUsage(0));
        Assert.InRange(Find("key").MemoryUsage(5), Find("key").MemoryUsage(0) - 1500, Find("key").MemoryUsage(0) + 1500);
    }

    private void AddSet(string key, int members)
    {
        Entry entry = Db.CreateValue(K(key), ValueType.Set, ValueEncoding.HashTable, 0);
        Database.SetPointer(entry, (nint)MakeSet(members).State);
    }

    private Dict<MemberLayout> MakeSet(int members)
    {
        Dict<MemberLayout> dict = Dict<MemberLayout>.Create(Store.MemberRuntime);
        for (int i = 0; i < members; i++)
        {
            byte[] member = B("m" + i);
            ulong hash = Store.HashOf(member);
            Assert.True(dict.Find(hash, member) == null);
            dict.Add(MemberLayout.Create(Heap, hash, member));
        }

        return dict;
    }
}
