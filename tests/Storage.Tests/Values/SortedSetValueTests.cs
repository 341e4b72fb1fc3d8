namespace KvServer.Storage.Tests.Values;

public sealed class SortedSetValueTests : SortedSetTest
{
    private static readonly string Long = new('x', 65);

    public static TheoryData<int> BothEncodings => [128, 0];

    [Theory]
    [MemberData(nameof(BothEncodings))]
    public void Members_are_in_order_of_score_and_then_of_their_bytes(int packedEntries)
    {
        Limits = Limits with { PackedEntries = packedEntries };
        Add("z", 2, "b");
        Add("z", 1, "c");
        Add("z", 2, "a");
        Add("z", 2, "10");
        Add("z", 2, "9");
        Add("z", 2, "");
        Add("z", double.NegativeInfinity, "z");
        Assert.Equal(["z", "c", "", "10", "9", "a", "b"], Members("z").Select(m => m.Member));
        Assert.Equal(6, RankOf("z", "b"));
        Assert.Equal(-1, RankOf("z", "x"));
        Assert.Equal(2.0, ScoreOf("z", "9"));
        Assert.Null(ScoreOf("z", "09"));
        Verify(Open("z"));
    }

    [Theory]
    [MemberData(nameof(BothEncodings))]
    public void A_score_that_changes_moves_its_member(int packedEntries)
    {
        Limits = Limits with { PackedEntries = packedEntries };
        AddMany("z", 20);
        Assert.Equal(SortedSetChange.Updated, Add("z", 5.5, "m19"));
        Assert.Equal(6, RankOf("z", "m19"));
        Assert.Equal(SortedSetChange.Updated, Add("z", 5.75, "m19")); // Between the same neighbours.
        Assert.Equal(SortedSetChange.Updated, Add("z", 1e300, "m0"));
        Assert.Equal(19, RankOf("z", "m0"));
        Assert.Equal(SortedSetChange.Same, Add("z", 1e300, "m0"));
        Assert.Equal(SortedSetChange.Updated, Add("z", 123456.789, "m3"));
        Assert.Equal(SortedSetChange.Updated, Add("z", 0, "m3"));
        Assert.Equal(["m3", "m1", "m2"], Members("z").Take(3).Select(m => m.Member));
        Assert.Equal(20, Open("z").Count);
        Verify(Open("z"));
    }

    [Theory]
    [MemberData(nameof(BothEncodings))]
    public void A_walk_tells_places_to_come_back_to(int packedEntries)
    {
        Limits = Limits with { PackedEntries = packedEntries };
        AddMany("z", 20);
        SortedSetValue set = Open("z");
        List<SortedSetPlace> places = [];
        SortedSetEnumerator walk = set.Range(set.Slice(0, 20), reversed: true);
        while (walk.MoveNext())
        {
            places.Add(walk.Place);
        }

        Assert.Equal(20, places.Count);
        for (int i = 0; i < 20; i++)
        {
            SortedSetMember member = set.At(places[19 - i]);
            Assert.Equal(i, member.Score);
            Assert.Equal("m" + i, S(member.Member.AsText(new byte[IntegerText.MaxLength])));
        }
    }

    [Fact]
    public void A_set_stays_packed_up_to_its_limits()
    {
        AddMany("z", 128);
        Assert.Equal("listpack", EncodingOf("z"));
        Add("z", 0.5, "m3");
        Assert.Equal("listpack", EncodingOf("z"));
        List<(string, double)> before = Members("z");
        Add("z", 128, "one more");
        Assert.Equal("skiplist", EncodingOf("z"));
        Assert.Equal(before, Members("z").Take(128));
        Verify(Open("z"));
        Add("long", 1, Long);
        Assert.Equal("skiplist", EncodingOf("long"));
        Add("short", 1, "a");
        Add("short", 1, Long);
        Assert.Equal("skiplist", EncodingOf("short"));
        Remove("short", Long);
        Assert.Equal("skiplist", EncodingOf("short"));
    }

    [Fact]
    public void A_packed_set_has_the_bytes_of_the_reference_server()
    {
        Add("z", 1.5, "b");
        Add("z", 3, "abc");
        Add("z", -4000, "7");
        Assert.Equal(
            "1B0000000600" + "0701" + "D06002" + "816202" + "83312E3504" + "8361626304" + "0301" + "FF",
            Convert.ToHexString(Open("z").PackedBytes));
    }

    [Theory]
    [InlineData(double.PositiveInfinity, "inf")]
    [InlineData(double.NegativeInfinity, "-inf")]
    [InlineData(-0.0, "-0")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e21, "1e+21")]
    [InlineData(1e-7, "1e-07")]
    [InlineData(123456789012345678, "1.2345678901234568e+17")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    public void A_score_as_text_is_as_short_as_can_be(double score, string text)
    {
        Span<byte> bytes = stackalloc byte[ScoreText.MaxLength];
        Assert.Equal(text, S(bytes[..ScoreText.Format(score, bytes)]));
        Assert.True(ScoreText.TryParse(B(text), out double read));
        Assert.Equal(score, read);
    }

    [Fact]
    public void A_score_as_text_reads_back_the_same()
    {
        Random random = new(7);
        Span<byte> bytes = stackalloc byte[ScoreText.MaxLength];
        for (int i = 0; i < 20_000; i++)
        {
            double score = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
            if (!double.IsNaN(score))
            {
                Assert.True(ScoreText.TryParse(bytes[..ScoreText.Format(score, bytes)], out double read));
                Assert.Equal(score, read);
            }
        }
    }

    [Fact]
    public void Minus_zero_lives_in_a_skip_list_only()
    {
        Add("packed", -0.0, "a");
        Assert.False(double.IsNegative(ScoreOf("packed", "a")!.Value));
        Add("list", -0.0, Long);
        Assert.True(double.IsNegative(ScoreOf("list", Long)!.Value));
        Assert.Equal(SortedSetChange.Same, Add("list", 0, Long));
    }

    [Fact]
    public void Flags_restrict_what_is_added()
    {
        Assert.Equal(SortedSetChange.Added, Add("z", 5, "a"));
        Assert.Equal(SortedSetChange.Refused, Add("z", 1, "a", SortedSetAddFlags.OnlyNew));
        Assert.Equal(SortedSetChange.Refused, Add("z", 1, "b", SortedSetAddFlags.OnlyExisting));
        Assert.Equal(SortedSetChange.Refused, Add("z", 5, "a", SortedSetAddFlags.OnlyGreater));
        Assert.Equal(SortedSetChange.Refused, Add("z", 6, "a", SortedSetAddFlags.OnlyLess));
        Assert.Equal(SortedSetChange.Added, Add("z", 1, "b", SortedSetAddFlags.OnlyGreater));
        SortedSetValue set = Open("z");
        Assert.Equal(
            SortedSetChange.Updated, set.Add(B("a"), 2.5, SortedSetAddFlags.Increment, out double newScore));
        Assert.Equal(7.5, newScore);
        Assert.Equal(SortedSetChange.Updated, Add("z", double.PositiveInfinity, "a"));
        Assert.Equal(
            SortedSetChange.NotANumber, Add("z", double.NegativeInfinity, "a", SortedSetAddFlags.Increment));
        Assert.Equal(double.PositiveInfinity, ScoreOf("z", "a"));
    }

    [Fact]
    public void A_node_is_as_small_as_its_drawing()
    {
        unsafe
        {
            byte* node = SortedMemberLayout.Create(Store.MemberRuntime, 1, B("0123456789"), 1.5, levels: 1);
            Assert.Equal((nuint)46, SortedMemberLayout.BlockBytesOf(node));
            SortedMemberLayout.Free(Heap, node, FreeFrom.CommandLoop);
            node = SortedMemberLayout.Create(Store.MemberRuntime, 1, new byte[2047], 1.5, SortedMemberLayout.MaxLevels);
            Assert.Equal((nuint)(26 + 160 + 4 + 2047), SortedMemberLayout.BlockBytesOf(node));
            Assert.Equal(2047, SortedMemberLayout.BytesOf(node).Length);
            Assert.Equal(SortedMemberLayout.MaxLevels, SortedMemberLayout.LevelsOf(node));
            SortedMemberLayout.Free(Heap, node, FreeFrom.CommandLoop);
            Assert.Equal(240, sizeof(SkipListState));
        }
    }

    [Fact]
    public void Towers_have_a_third_more_than_one_level_on_average()
    {
        Random random = new(3);
        double sum = 0;
        for (int i = 0; i < 100_000; i++)
        {
            sum += SkipList.ChooseLevels(random);
        }

        Assert.InRange(sum / 100_000, 1.32, 1.35);
    }

    [Fact]
    public void A_large_set_is_measured_copied_and_freed_in_the_background()
    {
        AddMany("z", 3000);
        long before = Heap.UsedBytes;
        long size = Find("z").MemoryUsage(0);
        Assert.InRange(Find("z").MemoryUsage(5), size / 2, size * 2);
        Assert.True(Db.Copy(K("z"), Store[1], K("copy")));
        Assert.InRange(Heap.UsedBytes - before, size * 9 / 10, size * 11 / 10);
        SortedSetValue copy = Open(Store[1], "copy");
        Verify(copy);
        Assert.Equal(Members("z"), Members(copy));
        Assert.True(Db.Delete(K("z"), lazily: true));
        Store.Reclaimer.WaitUntilIdle();
        Store[1].Flush(inBackground: true);
        Store.Reclaimer.WaitUntilIdle();
        Assert.Equal(0, Heap.UsedBytesOf(HeapTag.Member));
    }

    [Fact]
    public void Removing_most_members_shrinks_the_table()
    {
        AddMany("z", 1000);
        SortedSetValue set = Open("z");
        set.RemoveRange(set.Slice(5, 990));
        for (int i = 0; i < 2000; i++)
        {
            set.TryGetScore(B("m1"), out _);
        }

        Assert.InRange(Open("z").Figures.BucketCount0, 4, 64);
        Assert.Equal(["m0", "m1", "m2", "m3", "m4", "m995", "m996", "m997", "m998", "m999"], Members("z").Select(m => m.Member));
        Verify(Open("z"));
    }

    [Fact]
    public void A_slice_is_cut_from_either_end()
    {
        AddMany("z", 10);
        SortedSetValue set = Open("z");
        SortedSetSlice all = set.Slice(0, 100);
        Assert.Equal(10, all.Count);
        Assert.Equal((3, 4), Of(all.Cut(3, 4, reversed: false)));
        Assert.Equal((3, 4), Of(all.Cut(3, 4, reversed: true)));
        Assert.Equal((0, 8), Of(all.Cut(2, -1, reversed: true)));
        Assert.Equal((2, 8), Of(all.Cut(2, 100, reversed: false)));
        Assert.Equal(0, all.Cut(-1, 5, reversed: false).Count);
        Assert.Equal(0, all.Cut(10, 5, reversed: false).Count);
        Assert.Equal(0, all.Cut(1, 0, reversed: false).Count);

        static (long, long) Of(SortedSetSlice slice) => (slice.Start, slice.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Operations_on_several_sets_agree_with_a_model(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 100; round++)
        {
            int count = random.Next(1, 5);
            List<Dictionary<string, double>?> model = [];
            for (int i = 0; i < count; i++)
            {
                Db.Delete(K("k" + Number(i)));
                model.Add(random.Next(8) == 0 ? null : Fill(random, "k" + Number(i)));
            }

            SortedSetOperands sets = new(Db, count);
            double[] weights = [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(-2, 3))];
            for (int i = 0; i < count; i++)
            {
                if (model[i] is null)
                {
                    sets.AddMissing();
                }
                else
                {
                    sets.Add(Find("k" + Number(i)));
                }

                sets.SetWeight(i, weights[i]);
            }

            var aggregate = (SortedSetAggregate)random.Next(3);
            HashSet<string>[] keys = [.. model.Select(m => m?.Keys.ToHashSet() ?? [])];
            int operation = random.Next(4);
            Dictionary<string, double> expected = [];
            IEnumerable<string> wanted = operation switch
            {
                0 => keys.SelectMany(k => k).Distinct(),
                1 => keys.Aggregate((a, b) => a.Intersect(b).ToHashSet()),
                _ => keys.Skip(1).Aggregate(keys[0], (a, b) => a.Except(b).ToHashSet()),
            };
            foreach (string member in wanted)
            {
                double[] scores =
                [
                    .. Enumerable.Range(0, count).Where(i => keys[i].Contains(member)).Select(i => model[i]![member] * weights[i]),
                ];
                expected.Add(member, operation > 1 ? model[0]![member] : aggregate switch
                {
                    SortedSetAggregate.Sum => scores.Sum(),
                    SortedSetAggregate.Min => scores.Min(),
                    _ => scores.Max(),
                });
            }

            Limits = new SortedSetLimits(random.Next(2) * 100, 64);
            Dictionary<string, double> actual = Combine(ref sets, operation, aggregate);
            sets.Dispose();
            Assert.Equal(expected.Count, actual.Count);
            Assert.All(expected, pair => Assert.Equal(pair.Value + 0.0, actual[pair.Key] + 0.0));
        }
    }

    private Dictionary<string, double> Combine(
        ref SortedSetOperands sets, int operation, SortedSetAggregate aggregate)
    {
        SortedSetBuilder builder = new(Store, Limits, 0);
        try
        {
            switch (operation)
            {
                case 0:
                    SortedSetOperations.Unite(in sets, aggregate, ref builder);
                    break;
                case 1:
                    SortedSetOperations.Intersect(in sets, aggregate, ref builder);
                    Assert.Equal(builder.Count, SortedSetOperations.CountIntersection(in sets, 0));
                    break;
                case 2:
                    SortedSetOperations.SubtractByLookup(in sets, ref builder);
                    break;
                default:
                    SortedSetOperations.SubtractByRemoval(in sets, ref builder);
                    break;
            }

            SortedSetValue value = builder.Finish();
            try
            {
                Verify(value);
                Assert.Equal(
                    value.Count <= Limits.PackedEntries ? ValueEncoding.PackedList : ValueEncoding.SkipList, value.Encoding);
                return Members(value).ToDictionary(m => m.Member, m => m.Score, StringComparer.Ordinal);
            }
            finally
            {
                value.Dispose();
            }
        }
        finally
        {
            builder.Dispose();
        }
    }

    private Dictionary<string, double> Fill(Random random, string key)
    {
        Dictionary<string, double> model = new(StringComparer.Ordinal);
        int size = random.Next(1, 150);
        bool isPlain = random.Next(3) == 0;
        Limits = new SortedSetLimits(random.Next(2) * 200, 64);
        for (int i = 0; i < size; i++)
        {
            string member = random.Next(2) == 0 ? Number(random.Next(120)) : "w" + Number(random.Next(120));
            model[member] = isPlain ? 1 : random.Next(-5, 5);
            if (!isPlain)
            {
                Add(key, model[member], member);
            }
        }

        if (isPlain)
        {
            SetValue set = SetValue.Create(Store, SetLimits.Default, SetMember.OfBytes(B("a")), size);
            foreach (string member in model.Keys)
            {
                set.Add(B(member));
            }

            set.InsertAs(Db, K(key));
            set.Dispose();
        }

        return model;
    }
}
