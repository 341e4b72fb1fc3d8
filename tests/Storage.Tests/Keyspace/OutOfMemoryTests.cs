namespace KvServer.Storage.Tests;

/// <summary>Lets each allocation of an operation fail in turn. What the operation would change stays as it was, and the
/// base class asserts that nothing leaked.</summary>
public sealed class OutOfMemoryTests : StoreTest
{
    private static readonly string Long = new('x', Database.MaxInlineString + 1);

    [Theory]
    [InlineData("v", Database.NoExpiry)]
    [InlineData("v", StartMs + 50)]
    [InlineData("long", StartMs + 50)]
    public void A_copy_into_an_empty_database(string value, long expireAtMs)
    {
        Set("from", Text(value), expireAtMs);
        Sweep(() => Db.Copy(K("from"), Store[1], K("to")), () => Assert.Equal(0, Store[1].Count));
        Assert.Equal(Text(value), Get(Store[1], "to"));
        Assert.Equal(Text(value), Get("from"));
    }

    [Theory]
    [InlineData("v", Database.NoExpiry)]
    [InlineData("v", StartMs + 50)]
    [InlineData("long", StartMs + 50)]
    public void A_move_into_an_empty_database(string value, long expireAtMs)
    {
        Set("key", Text(value), expireAtMs);
        Sweep(() => Db.Move(K("key"), Store[1]), () => Assert.Equal((Text(value), 0), (Get("key"), Store[1].Count)));
        Assert.Equal(Text(value), Get(Store[1], "key"));
        Assert.Null(Get("key"));
    }

    [Fact]
    public void A_long_string_that_is_adopted()
    {
        Set("key", "old");
        Set("other", "v", StartMs + 5); // So that both tables exist and each attempt allocates the same blocks.
        using var large = new LargeString(Heap);
        large.Append(new byte[90_000]);
        large.Append(new byte[60_000]);
        Sweep(() => Db.AdoptString(K("key"), large, StartMs + 5), () => Assert.Equal("old", Get("key")));
        Assert.Equal(150_000, Find("key").StringLength);
    }

    [Fact]
    public void A_flush()
    {
        Set("key", "v", StartMs + 50);
        Sweep(() => Db.Flush(inBackground: false), () => Assert.Equal("v", Get("key")));
        Assert.Equal(0, Db.Count);
    }

    [Fact]
    public void The_first_member_of_a_table()
    {
        foreach (int failures in (int[])[1, 2])
        {
            Sweep(
                () => SetValue.InsertSingle(Db, K("set"), B("member"), default),
                () => Assert.Equal(0, Db.Count),
                failures);
            Assert.True(Db.Delete(K("set")));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_copied_table_of_members(int failures)
    {
        SetValue.InsertSingle(Db, K("from"), B("member"), default);
        Sweep(() => Db.Copy(K("from"), Store[1], K("to")), () => Assert.Equal(0, Store[1].Count), failures);
        Assert.Equal(1, Store[1].Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_packed_set_that_becomes_a_table(int failures)
    {
        SetValue.InsertSingle(Db, K("set"), B("member"), SetLimits.Default);
        Sweep(
            () => Assert.True(SetValue.Open(Db, Find("set"), default).Add(B("other"))),
            () => Assert.Equal(1, SetValue.Open(Db, Find("set"), default).Count),
            failures);
        Assert.Equal(2, SetValue.Open(Db, Find("set"), default).Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_copied_skip_list(int failures)
    {
        SortedSetValue.InsertSingle(Db, K("from"), B("member"), 1.5, default);
        Sweep(() => Db.Copy(K("from"), Store[1], K("to")), () => Assert.Equal(0, Store[1].Count), failures);
        Assert.Equal(1, Store[1].Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_packed_sorted_set_that_becomes_a_skip_list(int failures)
    {
        SortedSetValue.InsertSingle(Db, K("z"), B("member"), 1.5, SortedSetLimits.Default);
        Sweep(
            () =>
            {
                SortedSetValue set = SortedSetValue.Open(Db, Find("z"), default);
                Assert.Equal(SortedSetChange.Added, set.Add(B("other"), 2, SortedSetAddFlags.None, out _));
            },
            () =>
            {
                SortedSetValue set = SortedSetValue.Open(Db, Find("z"), default);
                Assert.Equal(1, set.Count);
                Assert.True(set.TryGetScore(B("member"), out double score));
                Assert.Equal(1.5, score);
            },
            failures);
        Assert.Equal(2, SortedSetValue.Open(Db, Find("z"), default).Count);
        SortedSetValue.Open(Db, Find("z"), default).List.Verify();
    }

    [Fact]
    public void A_score_that_makes_a_packed_sorted_set_longer()
    {
        SortedSetValue.InsertSingle(Db, K("z"), B("member"), 1, SortedSetLimits.Default);
        Sweep(
            () =>
            {
                SortedSetValue set = SortedSetValue.Open(Db, Find("z"), SortedSetLimits.Default);
                set.Add(B("member"), 1.23456789012345e-100, SortedSetAddFlags.None, out _);
            },
            () =>
            {
                SortedSetValue set = SortedSetValue.Open(Db, Find("z"), default);
                Assert.True(set.TryGetScore(B("member"), out double score));
                Assert.Equal(1, score);
            });
    }

    [Theory]
    [InlineData(128)]
    [InlineData(0)]
    public void A_result_of_several_sorted_sets(int packedEntries)
    {
        SortedSetLimits limits = SortedSetLimits.Default with { PackedEntries = packedEntries };
        Sweep(
            () =>
            {
                SortedSetBuilder builder = new(Store, limits, 2);
                SortedSetValue value = default;
                try
                {
                    builder.TryAdd(SetMember.OfBytes(B("b")), 2);
                    builder.TryAdd(SetMember.OfBytes(B("a")), 1);
                    value = builder.Finish();
                    value.StoreAs(Db, K("z"), lazily: false);
                }
                finally
                {
                    value.Dispose();
                    builder.Dispose();
                }
            },
            () => Assert.Equal(0, Db.Count));
        Assert.Equal(2, SortedSetValue.Open(Db, Find("z"), default).Count);
    }

    private static string Text(string value) => value == "long" ? Long : value;

    private void Sweep(Action action, Action assertUnchanged, int failures = 1)
    {
        for (int failAt = 0; ; failAt++)
        {
            Heap.FailAfter(failAt, failures);
            try
            {
                action();
                Heap.FailAfter(-1);
                return;
            }
            catch (OutOfMemoryException)
            {
                Heap.FailAfter(-1);
                assertUnchanged();
                Assert.InRange(failAt, 0, 100);
            }
        }
    }
}
