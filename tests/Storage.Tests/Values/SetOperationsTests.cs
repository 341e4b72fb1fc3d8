namespace KvServer.Storage.Tests.Values;

public sealed class SetOperationsTests : SetTest
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void They_agree_with_a_model_on_sets_of_all_encodings(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 150; round++)
        {
            int count = random.Next(1, 5);
            List<HashSet<string>> model = [];
            for (int i = 0; i < count; i++)
            {
                Limits = random.Next(3) switch
                {
                    0 => default,
                    1 => new SetLimits(0, 1000, 64),
                    _ => SetLimits.Default,
                };
                string key = "k" + Number(i);
                Db.Delete(K(key));
                HashSet<string> members = [];
                int size = random.Next(6) == 0 ? 0 : random.Next(1, 150);
                bool onlyNumbers = random.Next(2) == 0;
                for (int j = 0; j < size; j++)
                {
                    string member = onlyNumbers || random.Next(2) == 0
                        ? Number(random.Next(120))
                        : "w" + Number(random.Next(120));
                    members.Add(member);
                    Add(key, member);
                }

                model.Add(members);
            }

            Limits = SetLimits.Default;
            HashSet<string> common = [.. model[0]];
            HashSet<string> all = [.. model[0]];
            HashSet<string> left = [.. model[0]];
            foreach (HashSet<string> other in model.Skip(1))
            {
                common.IntersectWith(other);
                all.UnionWith(other);
                left.ExceptWith(other);
            }

            Assert.Equal(common.Order(), Intersect(count).Order());
            Assert.Equal(all.Order(), Run(count, SetOperations.Unite).Order());
            if (model[0].Count > 0)
            {
                Assert.Equal(left.Order(), Run(count, SetOperations.Subtract).Order());
                Assert.Equal(left.Order(), Run(count, SetOperations.SubtractByLookup).Order());
                Assert.Equal(left.Order(), Run(count, SetOperations.SubtractByRemoval).Order());
            }
        }
    }

    [Fact]
    public void A_result_takes_the_smallest_encoding_it_may_have()
    {
        Add("k0", [.. Numbers(0, 100), "word"]);
        Add("k1", [.. Numbers(50, 300), "other"]);
        SetOperands sets = Operands(2);
        SetValue result = SetValue.CreateForResult(Store, Limits);
        foreach (SetMember member in new SetIntersection(in sets))
        {
            result.Add(member);
        }

        result.PreferIntegers();
        Assert.Equal(ValueEncoding.IntSet, result.Encoding);
        result.StoreAs(Db, K("stored"), lazily: false);
        result.Dispose();
        sets.Dispose();
        Assert.Equal("intset", EncodingOf("stored"));
        Assert.Equal(50, Open("stored").Count);
    }

    [Fact]
    public void A_table_of_integers_is_packed_again_on_demand()
    {
        SetValue result = SetValue.Create(Store, SetLimits.Default, SetMember.OfBytes(B("w")), memberCount: 200);
        foreach (string member in Numbers(0, 150))
        {
            result.Add(B(member));
        }

        Assert.Equal(ValueEncoding.HashTable, result.Encoding);
        result.PreferIntegers();
        Assert.Equal(ValueEncoding.IntSet, result.Encoding);
        Assert.Equal(Numbers(0, 150), Members(result));
        result.Dispose();
    }

    [Fact]
    public void A_set_subtracted_from_itself_leaves_nothing()
    {
        Add("k0", "a");
        SetOperands sets = Operands(1);
        Assert.False(SetOperations.IsDifferenceEmpty(in sets));
        sets.Dispose();
        sets = new SetOperands(Db, Limits, 2);
        sets.Add(Find("k0"));
        sets.Add(Find("k0"));
        Assert.True(SetOperations.IsDifferenceEmpty(in sets));
        sets.Dispose();
    }

    private delegate void Operation(scoped in SetOperands sets, scoped ref SetValue result);

    private SetOperands Operands(int count)
    {
        SetOperands sets = new(Db, Limits, count);
        for (int i = 0; i < count; i++)
        {
            if (Db.TryFind(K("k" + Number(i)), LookupFlags.None, out Entry entry))
            {
                sets.Add(entry);
            }
            else
            {
                sets.AddMissing();
            }
        }

        return sets;
    }

    private List<string> Intersect(int count)
    {
        List<string> members = [];
        SetOperands sets = Operands(count);
        if (sets.MissingCount == 0)
        {
            foreach (SetMember member in new SetIntersection(in sets))
            {
                members.Add(Text(member));
            }
        }

        sets.Dispose();
        return members;
    }

    private List<string> Run(int count, Operation operation)
    {
        SetOperands sets = Operands(count);
        SetValue result = SetValue.CreateForResult(Store, Limits);
        operation(in sets, ref result);
        List<string> members = Members(result);
        result.Dispose();
        sets.Dispose();
        return members;
    }
}
