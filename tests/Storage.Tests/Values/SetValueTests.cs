namespace KvServer.Storage.Tests.Values;

public sealed class SetValueTests : SetTest
{
    private static readonly string Long = new('x', 65);

    public static TheoryData<int, int, int, int> Mixes => new()
    {
        { 1, 512, 128, 64 },
        { 2, 0, 0, 0 },
        { 3, 4, 4, 8 },
        { 4, 16, 0, 64 },
        { 5, 0, 16, 64 },
        { 6, 2000, 2000, 300 },
        { 7, 20, 40, 3 },
    };

    [Fact]
    public void Integers_make_an_intset_until_there_are_too_many()
    {
        Add("s", Numbers(0, 512));
        Assert.Equal("intset", EncodingOf("s"));
        Add("s", "512");
        Assert.Equal("hashtable", EncodingOf("s"));
        Assert.Equal(Numbers(0, 513).Order(), Members("s").Order());
    }

    [Fact]
    public void An_intset_that_gets_a_word_becomes_a_listpack_while_it_is_small()
    {
        Add("s", "3", "1", "2");
        Add("s", "word");
        Assert.Equal("listpack", EncodingOf("s"));
        Assert.Equal(["1", "2", "3", "word"], Members("s"));
        Add("t", Numbers(0, 128));
        Add("t", "word");
        Assert.Equal("hashtable", EncodingOf("t"));
        Assert.Equal(129, Open("t").Count);
        Add("u", "1");
        Add("u", Long);
        Assert.Equal("hashtable", EncodingOf("u"));
    }

    [Fact]
    public void An_intset_of_long_numbers_becomes_a_hashtable_when_values_must_be_short()
    {
        Limits = new SetLimits(512, 128, 4);
        Add("s", "-1234");
        Add("s", "w");
        Assert.Equal("hashtable", EncodingOf("s"));
        Add("t", "-123");
        Add("t", "w");
        Assert.Equal("listpack", EncodingOf("t"));
    }

    [Fact]
    public void A_listpack_becomes_a_hashtable_by_count_or_by_length()
    {
        Add("s", [.. Numbers(0, 127), "w"]);
        Assert.Equal("listpack", EncodingOf("s"));
        Add("s", "0");
        Assert.Equal("listpack", EncodingOf("s"));
        Add("s", "128");
        Assert.Equal("hashtable", EncodingOf("s"));
        Add("t", "w", Long[..64]);
        Assert.Equal("listpack", EncodingOf("t"));
        Add("t", Long);
        Assert.Equal("hashtable", EncodingOf("t"));
        Assert.Equal(["w", Long[..64], Long], Members("t").Order());
    }

    [Fact]
    public void Many_members_at_once_choose_the_encoding_before_the_first_is_added()
    {
        Add("ints", Numbers(0, 513));
        Assert.Equal("hashtable", EncodingOf("ints"));
        Assert.Equal(1024, Open("ints").Figures.BucketCount0);
        Add("words", [.. Enumerable.Repeat("w", 129)]);
        Assert.Equal("hashtable", EncodingOf("words"));
        Assert.Equal(1, Open("words").Count);
        Add("grown", "w");
        Add("grown", [.. Enumerable.Repeat("w", 129)]);
        Assert.Equal("hashtable", EncodingOf("grown"));
        Assert.Equal(256, Open("grown").Figures.BucketCount0);
    }

    [Fact]
    public void A_set_never_goes_back_to_a_packed_encoding()
    {
        Add("s", "w", Long);
        Remove("s", Long);
        Assert.Equal("hashtable", EncodingOf("s"));
        Add("t", "1", "w");
        Remove("t", "w");
        Assert.Equal("listpack", EncodingOf("t"));
    }

    [Fact]
    public void A_first_member_alone_chooses_its_encoding()
    {
        Add("i", "7");
        Add("l", "w");
        Add("h", Long);
        Add("z", "007");
        Assert.Equal(["intset", "listpack", "hashtable", "listpack"],
            new[] { "i", "l", "h", "z" }.Select(EncodingOf));
        Assert.Equal(["007"], Members("z"));
    }

    [Theory, MemberData(nameof(Mixes))]
    public void It_behaves_as_a_set_under_random_changes(int seed, int intSetEntries, int packedEntries, int valueBytes)
    {
        Limits = new SetLimits(intSetEntries, packedEntries, valueBytes);
        Random random = new(seed);
        Dictionary<string, HashSet<string>> model = [];
        for (int step = 0; step < 12_000; step++)
        {
            string key = "k" + random.Next(4);
            HashSet<string>? known = model.GetValueOrDefault(key);
            string member = known is { Count: > 0 } && random.Next(3) == 0 && known.Count < 50
                ? known.ElementAt(random.Next(known.Count))
                : RandomMember(random, key[1] - '0');

            if (step % 41 == 0)
            {
                MoveParts();
            }

            // Phases of growing and of shrinking, so that both conversions and shrinking tables are met.
            bool grows = step / 2000 % 2 == 0;
            switch (random.Next(10))
            {
                case < 5 when grows:
                case 0:
                    string[] members = [member, .. Enumerable.Range(0, random.Next(3)).Select(_ => RandomMember(random, 2))];
                    known = model[key] = known ?? [];
                    Assert.Equal(members.Count(known.Add), Add(key, members));
                    break;
                case < 8 when known is not null:
                    if (random.Next(2) == 0)
                    {
                        SetValue set = Open(key);
                        member = Text(set.PickRandom());
                        set.RemovePicked();
                        if (set.Count == 0)
                        {
                            Db.Delete(K(key));
                        }

                        Assert.True(known.Remove(member), $"seed {seed}, step {step}");
                    }
                    else
                    {
                        Assert.Equal(known.Remove(member), Remove(key, member));
                    }

                    if (known.Count == 0)
                    {
                        model.Remove(key);
                    }

                    break;
                case 8:
                    Store.ResizingAllowed = random.Next(2) == 0;
                    break;
                default:
                    if (known is not null)
                    {
                        Assert.Equal(known.Contains(member), Contains(key, member));
                    }

                    break;
            }

            if (step % 200 == 0)
            {
                Check(model, $"seed {seed}, step {step}");
            }
        }

        Check(model, $"seed {seed}, end");
    }

    [Fact]
    public void A_lookup_moves_the_rehash_on()
    {
        Limits = default;
        for (int i = 0; i < 65; i++)
        {
            Add("s", "m" + Number(i));
        }

        Assert.True(Open("s").Figures.RehashIndex >= 0);
        long used = Open("s").Figures.Used0;
        for (int i = 0; i < 64 && Open("s").Figures.RehashIndex >= 0; i++)
        {
            Contains("s", "none");
            long now = Open("s").Figures.Used0;
            Assert.True(now < used || Open("s").Figures.RehashIndex < 0);
            used = now;
        }

        Assert.Equal(-1, Open("s").Figures.RehashIndex);
    }

    [Fact]
    public void A_table_shrinks_when_little_of_it_is_used()
    {
        Limits = default;
        Add("s", [.. Numbers(0, 1024)]);
        Assert.Equal(1024, Open("s").Figures.BucketCount0);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(Remove("s", Number(i)));
        }

        for (int i = 0; i < 200; i++)
        {
            Contains("s", "none");
        }

        Assert.True(Open("s").Figures.BucketCount0 <= 256);
        Assert.Equal(Numbers(1000, 24), Members("s").Order());
    }

    [Fact]
    public void Running_out_of_memory_leaves_a_set_as_it_was()
    {
        foreach (SetLimits limits in (SetLimits[])[SetLimits.Default, default, new SetLimits(8, 8, 8)])
        {
            Limits = limits;
            string key = "k" + limits.PackedEntries;
            Add(key, "1", "2", "3");
            List<string> expected = Members(key);
            foreach (string next in (string[])["40000", "word", "much longer than eight", Long, "7", "8", "9", "10", "11"])
            {
                for (int failAt = 0; ; failAt++)
                {
                    Heap.FailAfter(failAt);
                    try
                    {
                        Add(key, next);
                        Heap.FailAfter(-1);
                        break;
                    }
                    catch (OutOfMemoryException)
                    {
                        Heap.FailAfter(-1);
                        Assert.Equal(expected.Order(), Members(key).Order());
                        Assert.False(Contains(key, next));
                    }
                }

                expected.Add(next);
                Assert.Equal(expected.Order(), Members(key).Order());
            }
        }
    }

    [Theory]
    [InlineData(512, 128)]
    [InlineData(0, 128)]
    [InlineData(0, 0)]
    public void Adding_and_looking_up_allocate_no_managed_memory(int intSetEntries, int packedEntries)
    {
        using Keyspace store = new(new KeyspaceOptions { DatabaseCount = 1 });
        SetLimits limits = new(intSetEntries, packedEntries, 64);
        byte[] name = B("s");
        byte[][] members = [.. Numbers(0, 100).Select(B)];

        // The runtime's count jumps when a collection for another thread falls into a round: the best one tells.
        long least = long.MaxValue;
        for (int round = 0; round < 200; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (byte[] member in members)
            {
                Key key = store.KeyOf(name);
                if (store[0].FindForWrite(key, ValueType.Set, out Entry entry) == Lookup.Missing)
                {
                    SetValue.InsertSingle(store[0], key, member, limits);
                }
                else
                {
                    SetValue set = SetValue.Open(store[0], entry, limits);
                    set.Add(member);
                    Assert.True(set.Contains(member));
                }
            }

            store[0].Delete(store.KeyOf(name));
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void Long_members_are_kept_whole()
    {
        string huge = new('h', 200_000);
        string edge = new('e', 65_535);
        Add("s", huge, edge, edge[1..]);
        Assert.Equal(3, Open("s").Count);
        Assert.True(Contains("s", huge));
        Assert.True(Contains("s", edge));
        Assert.True(Contains("s", edge[1..]));
        Assert.True(Remove("s", edge));
        Assert.False(Contains("s", edge));
    }

    [Fact]
    public void A_copy_is_independent()
    {
        foreach (string kind in (string[])["1", "word", Long])
        {
            Add("a", "5", kind);
            Assert.True(Db.Copy(K("a"), Db, K("b")));
            Add("b", "new");
            Assert.Equal(EncodingOf("a") == "intset" ? "listpack" : EncodingOf("a"), EncodingOf("b"));
            Assert.False(Contains("a", "new"));
            Assert.True(Contains("b", kind));
            Db.Delete(K("a"));
            Assert.Equal(new[] { "5", kind, "new" }.Order(), Members("b").Order());
            Db.Delete(K("b"));
        }
    }

    [Fact]
    public void A_large_set_can_be_freed_in_the_background()
    {
        Add("s", [.. Enumerable.Range(0, 5000).Select(i => "member" + Number(i))]);
        long before = Store.Reclaimer.FreedObjects;
        Assert.True(Db.Delete(K("s"), lazily: true));
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(before + 1, Store.Reclaimer.FreedObjects);
    }

    [Fact]
    public void The_packed_bytes_pass_the_validation_for_files()
    {
        Add("i", "5", "70000", "-3");
        Add("l", "5", "word", "");
        Assert.True(IntSet.IsValid(Open("i").PackedBytes));
        Assert.True(PackedList.IsValid(Open("l").PackedBytes));
        Assert.Equal("0400000003000000fdffffff0500000070110100", Convert.ToHexStringLower(Open("i").PackedBytes));
    }

    private static string RandomMember(Random random, int kind) => (kind, random.Next(8)) switch
    {
        (0, _) => Number(random.Next(700)),
        (1, < 7) => Number(random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(40, 64)),
        (2, < 4) => "w" + Number(random.Next(300)),
        (2, 4) => new string((char)('a' + random.Next(3)), random.Next(60, 70)),
        (2, _) => Number(random.Next(-20, 200)),
        (3, 0) => new string('z', random.Next(400)),
        _ => "x" + Number(random.Next(1500)),
    };

    private void Check(Dictionary<string, HashSet<string>> model, string where)
    {
        for (int i = 0; i < 4; i++)
        {
            string key = "k" + Number(i);
            if (!model.TryGetValue(key, out HashSet<string>? expected))
            {
                Assert.False(Db.Exists(K(key)), where);
                continue;
            }

            List<string> members = Members(key);
            Assert.Equal(expected.Order(StringComparer.Ordinal), members.Order(StringComparer.Ordinal));
            SetValue set = Open(key);
            Assert.Equal(expected.Count, set.Count);
            switch (set.Encoding)
            {
                case ValueEncoding.IntSet:
                    Assert.True(IntSet.IsValid(set.PackedBytes) && set.Count <= Limits.IntSetEntries, where);
                    break;
                case ValueEncoding.PackedList:
                    Assert.True(PackedList.IsValid(set.PackedBytes) && set.Count <= Limits.PackedEntries, where);
                    Assert.True(members.TrueForAll(member => member.Length <= Limits.PackedValueBytes), where);
                    break;
                default:
                    break;
            }
        }

        Heap.Verify();
    }
}
