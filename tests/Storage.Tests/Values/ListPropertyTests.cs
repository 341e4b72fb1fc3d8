namespace KvServer.Storage.Tests.Values;

/// <summary>Random changes at random places, compared with a list of strings after each.</summary>
public sealed class ListPropertyTests : ListTest
{
    private readonly List<string> _expected = [];

    public static TheoryData<int, int, int, int> Cases()
    {
        TheoryData<int, int, int, int> cases = [];
        int seed = 1;
        foreach ((int nodeBytes, int nodeCount) in ((int, int)[])[(64, 3), (64, int.MaxValue), (256, int.MaxValue), (128, 1), (8192, 4)])
        {
            foreach (int depth in (int[])[0, 1, 3])
            {
                cases.Add(seed++, nodeBytes, nodeCount, depth);
            }
        }

        cases.Add(Random.Shared.Next(), 64, 4, 0);
        cases.Add(Random.Shared.Next(), 200, int.MaxValue, 2);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_list_is_what_a_list_of_strings_is(int seed, int nodeBytes, int nodeCount, int depth)
    {
        Limits = new ListLimits(nodeBytes, nodeCount, depth);
        Random random = new(seed);
        Push("l", false, "first");
        _expected.Add("first");
        for (int step = 0; step < 4000; step++)
        {
            // Grows to a few thousand elements, shrinks to nearly nothing, and again.
            bool grows = step / 800 % 2 == 0;
            string what = ChangeSomething(random, grows);
            if (_expected.Count == 0)
            {
                Db.Delete(K("l"));
                Push("l", true, "again");
                _expected.Add("again");
            }

            if (step % 7 == 0)
            {
                MoveParts();
            }

            ListValue list = Open("l");
            Assert.True(list.Count == _expected.Count, $"seed {seed} step {step}: {what}: {list.Count}, not {_expected.Count}");
            string? fault = list.FindFault();
            Assert.True(fault is null, $"seed {seed} step {step}: {what}: {fault}");
            if (step % 20 == 0 || step > 3900)
            {
                Assert.True(_expected.SequenceEqual(Elements("l")), $"seed {seed} step {step}: {what}");
            }

            int index = random.Next(_expected.Count);
            Assert.Equal(_expected[index], Text(list[index]));
        }

        Heap.Verify();
    }

    [Theory]
    [InlineData(11, 0)]
    [InlineData(12, 1)]
    public void Without_memory_nothing_changes(int seed, int depth)
    {
        Limits = new ListLimits(96, 5, depth);
        Random random = new(seed);
        for (int i = 0; i < 400; i++)
        {
            Push("l", false, "e" + (i % 50));
            _expected.Add("e" + (i % 50));
        }

        int failures = 0;
        for (int step = 0; step < 1500; step++)
        {
            if (step % 3 == 0)
            {
                MoveParts(); // What the copy shares stays.
            }

            if (step % 40 == 0)
            {
                Db.Copy(K("l"), Db, K("copy")); // Shares all nodes: now every change has to copy some.
            }

            List<string> before = [.. _expected];
            Heap.FailAfter(random.Next(6));
            try
            {
                ChangeSomething(random, grows: _expected.Count < 200, manyAtOnce: 1);
            }
            catch (OutOfMemoryException)
            {
                failures++;
                _expected.Clear();
                _expected.AddRange(before);
            }

            Heap.FailAfter(-1);
            Assert.Null(Open("l").FindFault());
            Assert.Equal(_expected, Elements("l"));
        }

        Assert.True(failures > 100);
    }

    private string ChangeSomething(Random random, bool grows, int manyAtOnce = 12)
    {
        ListValue list = Open("l");
        int count = _expected.Count;
        string text = Element(random);
        int choice = random.Next(grows ? 14 : 20);
        switch (choice)
        {
            case 0 or 1 or 2:
                list.PrepareToGrow(text.Length, 1);
                list.Push(B(text), atHead: choice == 0);
                _expected.Insert(choice == 0 ? 0 : count, text);
                return "push";
            case 3 or 4 or 5 or 6:
                int at = random.Next(count + 1);
                list.PrepareToGrow(text.Length, 1);
                list.Insert(at, B(text));
                _expected.Insert(at, text);
                return $"insert at {at} of {count}";
            case 7 or 8:
                at = random.Next(count);
                list.PrepareToGrow(text.Length, 1);
                list.Set(at, B(text));
                _expected[at] = text;
                list.Settle();
                return $"set {at} of {count}";
            case 9:
                at = random.Next(count + 1);
                for (int i = 0; i < manyAtOnce; i++)
                {
                    text = Element(random);
                    list.PrepareToGrow(text.Length, 1);
                    list.Insert(at, B(text));
                    _expected.Insert(at, text);
                }

                return $"insert many at {at} of {count}";
            case 10 or 11:
                bool atHead = choice == 10;
                Assert.Equal(_expected[atHead ? 0 : count - 1], Text(list.Peek(atHead)));
                list.RemoveEnd(atHead);
                _expected.RemoveAt(atHead ? 0 : count - 1);
                list.Settle();
                return "pop";
            case 12:
                text = _expected[random.Next(count)];
                long limit = random.Next(3) == 0 ? long.MaxValue : random.Next(1, 4);
                bool fromTail = random.Next(2) == 0;
                Assert.Equal(RemoveExpected(text, limit, fromTail), list.RemoveEqual(B(text), limit, fromTail));
                list.Settle();
                return $"remove {limit} of {text}";
            case 13 when random.Next(4) == 0:
                int kept = Math.Max(count - random.Next(count / 2 + 1), 1);
                int first = random.Next(count - kept + 1);
                list.Keep(first, kept);
                _expected.RemoveRange(first + kept, count - first - kept);
                _expected.RemoveRange(0, first);
                list.Settle();
                return $"keep {kept} from {first} of {count}";
            case 13:
                int start = random.Next(count);
                int few = Math.Min(random.Next(3), count - start);
                list.RemoveRange(start, few);
                _expected.RemoveRange(start, few);
                list.Settle();
                return $"remove {few} from {start} of {count}";
            default:
                start = random.Next(count);
                int many = random.Next(Math.Min(count - start, count / 5 + 5) + 1);
                list.RemoveRange(start, many);
                _expected.RemoveRange(start, many);
                list.Settle();
                return $"remove {many} from {start} of {count}";
        }
    }

    private long RemoveExpected(string text, long limit, bool fromTail)
    {
        long removed = 0;
        for (int i = fromTail ? _expected.Count - 1 : 0; i >= 0 && i < _expected.Count && removed < limit;)
        {
            bool isEqual = _expected[i] == text;
            if (isEqual)
            {
                _expected.RemoveAt(i);
                removed++;
            }

            i += fromTail ? -1 : isEqual ? 0 : 1;
        }

        return removed;
    }

    private static string Element(Random random) => random.Next(12) switch
    {
        0 => "",
        1 => random.Next(-100, 100).ToString(System.Globalization.CultureInfo.InvariantCulture),
        2 => random.NextInt64().ToString(System.Globalization.CultureInfo.InvariantCulture),
        3 => new string('a', random.Next(40, 120)),
        4 => new string('b', random.Next(20)),
        5 => new string('c', random.Next(200, 400)),
        _ => "e" + random.Next(30),
    };
}
