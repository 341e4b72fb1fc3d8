using System.Globalization;

namespace KvServer.Storage.Tests.Values;

/// <summary>Random changes of a stream, compared with sorted dictionaries after each, while others share it.</summary>
public sealed unsafe class StreamPropertyTests : StreamTest
{
    private static readonly string[] ConsumerNames = ["", "alice", "bob", "carol", "consumer-1", "consumer-2", "d", "e", "f"];

    private readonly StreamModel _model = new();
    private readonly List<(nint State, string Expected)> _shares = [];
    private Random _random = new(0);

    [Theory]
    [InlineData(1, 4096, 100)]
    [InlineData(2, 128, 0)]
    [InlineData(3, 0, 3)]
    [InlineData(4, 64, 1)]
    [InlineData(5, 300, 10)]
    public void A_stream_is_what_the_model_is_and_shares_stay_what_they_were(int seed, int nodeBytes, int nodeEntries)
    {
        Begin(seed, nodeBytes, nodeEntries);
        for (int step = 0; step < 4000; step++)
        {
            // Grows, shrinks to nearly nothing, and again.
            Change change = Draw(grows: step / 700 % 2 == 0);
            change.Run(Open("s"));
            change.Model();
            if (step % 10 == 0 || step > 3950)
            {
                Assert.True(_model.Describe() == StreamModel.Describe(Open("s")), $"seed {seed} step {step}: {change.What}");
            }

            string? fault = Open("s").FindFault();
            Assert.True(fault is null, $"seed {seed} step {step}: {change.What}: {fault}");
            if (step % 97 == 0)
            {
                TakeAndCheckShares();
            }

            CheckRange();
        }

        End();
    }

    [Theory]
    [InlineData(11, false)]
    [InlineData(12, true)]
    public void Without_memory_nothing_changes(int seed, bool staysWithout)
    {
        Begin(seed, 200, 5);
        int failures = 0;
        for (int step = 0; step < 1200; step++)
        {
            if (step % 12 == 0)
            {
                TakeAndCheckShares(); // Now every change has to copy some.
            }

            Change change = Draw(grows: step < 800);
            string before = StreamModel.Describe(Open("s"));
            for (int allowed = 0; ; allowed++)
            {
                Heap.FailAfter(allowed, staysWithout ? int.MaxValue : 1);
                bool failed = false;
                try
                {
                    change.Run(Open("s"));
                }
                catch (OutOfMemoryException)
                {
                    failed = true;
                }

                Heap.FailAfter(-1);
                string? fault = Open("s").FindFault();
                Assert.True(fault is null, $"seed {seed} step {step}: {change.What}: {fault}");
                if (!failed)
                {
                    break;
                }

                failures++;
                Assert.True(before == StreamModel.Describe(Open("s")), $"seed {seed} step {step}: {change.What} changed something");
            }

            change.Model();
            Assert.True(_model.Describe() == StreamModel.Describe(Open("s")), $"seed {seed} step {step}: {change.What}");
        }

        Assert.True(failures > 1000);
        End();
    }

    private void Begin(int seed, int nodeBytes, int nodeEntries)
    {
        Limits = StreamLimits.From(nodeBytes, nodeEntries);
        _random = new Random(seed);
        Make("s");
    }

    private void End()
    {
        TakeAndCheckShares();
        while (_shares.Count > 0)
        {
            FreeShare(0);
        }

        Assert.Equal(_model.Describe(), StreamModel.Describe(Open("s")));
        Heap.Verify();
    }

    private void TakeAndCheckShares()
    {
        foreach ((nint state, string expected) in _shares)
        {
            StreamValue view = StreamValue.View(Store, (StreamState*)state);
            Assert.Equal(expected, StreamModel.Describe(view));
            Assert.Null(view.FindFault());
        }

        StreamValue share = Open("s").Share();
        _shares.Add(((nint)share.Detach(), _model.Describe()));
        if (_shares.Count > 3)
        {
            FreeShare(_random.Next(_shares.Count));
        }
    }

    private void FreeShare(int index)
    {
        Store.Reclaimer.FreeStream((StreamState*)_shares[index].State);
        _shares.RemoveAt(index);
    }

    private void CheckRange()
    {
        StreamId a = SomeId();
        StreamId b = SomeId();
        (a, b) = a < b ? (a, b) : (b, a);
        int count = _random.Next(1, 8);
        bool forward = _random.Next(2) == 0;
        IEnumerable<StreamId> inside = _model.Entries.Keys.Where(id => id >= a && id <= b);
        StreamId[] expected = [.. (forward ? inside : inside.Reverse()).Take(count)];
        List<StreamId> actual = [];
        StreamEntryEnumerator entries = Open("s").Range(a, b, forward);
        while (actual.Count < count && entries.MoveNext())
        {
            actual.Add(entries.Current.Id);
        }

        Assert.Equal(expected, actual);
    }

    private StreamId SomeId()
    {
        if (_model.Entries.Count > 0 && _random.Next(3) > 0)
        {
            return _model.Entries.Keys.ElementAt(_random.Next(_model.Entries.Count));
        }

        return new StreamId((ulong)_random.NextInt64((long)_model.LastId.Ms + 2), (ulong)_random.Next(3));
    }

    private Change Draw(bool grows) => _random.Next(20) switch
    {
        < 7 when grows => Append(),
        < 2 => Append(),
        < 7 => Delete(),
        7 when _random.Next(grows ? 12 : 3) == 0 => Trim(),
        7 or 8 => Groups(),
        9 => Consumers(),
        10 => SetCounters(),
        < 14 => AddPending(),
        < 17 => SetPending(),
        _ => RemovePending(),
    };

    private Change Append()
    {
        StreamId last = _model.LastId;
        StreamId id = _random.Next(3) == 0
            ? new StreamId(last.Ms, last.Sequence + 1)
            : new StreamId(last.Ms + (ulong)_random.Next(1, 5), (ulong)_random.Next(3));
        bool isUsual = _random.Next(3) > 0;
        (string, string)[] fields =
        [
            .. Enumerable.Range(0, isUsual ? 2 : _random.Next(1, 5)).Select(i => (isUsual ? "f" + i : Text(), Text())),
        ];
        string[] pairs = [.. fields.SelectMany(f => (string[])[f.Item1, f.Item2])];
        return new Change(
            $"append {id}",
            stream => Assert.True(stream.TryAppend(id, new Fields(pairs))),
            () =>
            {
                _model.Entries.Add(id, fields);
                _model.LastId = id;
                _model.Added++;
            });
    }

    private Change Delete()
    {
        StreamId id = SomeId();
        bool isThere = _model.Entries.ContainsKey(id);
        return new Change(
            $"delete {id}",
            stream => Assert.Equal(isThere, stream.Delete(id)),
            () =>
            {
                if (_model.Entries.Remove(id) && id > _model.MaxDeletedId)
                {
                    _model.MaxDeletedId = id;
                }
            });
    }

    private Change Trim()
    {
        bool byLength = _random.Next(2) == 0;
        bool approximate = _random.Next(2) == 0;
        long limit = approximate && _random.Next(2) == 0 ? _random.Next(1, 30) : 0;
        long length = _random.Next(5) == 0 ? 0 : Math.Max(0, _model.Entries.Count - _random.Next(40));
        StreamId minId = _random.Next(5) == 0 ? StreamId.Max : SomeId();
        StreamId[] gone = ExpectedTrim(byLength, length, minId, approximate, limit);
        return new Change(
            string.Create(CultureInfo.InvariantCulture, $"trim {byLength} {length} {minId} {approximate} {limit}"),
            stream => Assert.Equal(
                gone.Length,
                byLength ? stream.TrimToLength(length, approximate, limit) : stream.TrimBefore(minId, approximate, limit)),
            () => Array.ForEach(gone, id => _model.Entries.Remove(id)));
    }

    // The rules once more, on the entries of each node as they can be read from outside.
    private StreamId[] ExpectedTrim(bool byLength, long length, StreamId minId, bool approximate, long limit)
    {
        List<StreamId> gone = [];
        StreamNodeEnumerator nodes = Open("s").Nodes();
        long left = _model.Entries.Count;
        while (nodes.MoveNext() && (!byLength || left > length))
        {
            List<StreamId> live = [];
            StreamId last = default;
            StreamNodeCursor cursor = new(new PackedList(nodes.Bytes.ToArray()), nodes.Id);
            while (cursor.MoveNext())
            {
                last = cursor.Id;
                if (!cursor.IsDeleted)
                {
                    live.Add(cursor.Id);
                }
            }

            if (limit > 0 && gone.Count + live.Count > limit)
            {
                break;
            }

            if (byLength ? left - live.Count >= length : last < minId)
            {
                gone.AddRange(live);
                left -= live.Count;
                continue;
            }

            if (!approximate)
            {
                gone.AddRange(byLength ? live.Take((int)(left - length)) : live.Where(id => id < minId));
            }

            break;
        }

        return [.. gone];
    }

    private Change Groups()
    {
        string name = "g" + _random.Next(5);
        byte[] bytes = B(name);
        bool isThere = _model.Groups.TryGetValue(name, out StreamModel.Group? group);
        StreamId id = SomeId();
        long read = _random.Next(-1, 100);
        return _random.Next(6) switch
        {
            0 => new Change(
                $"remove {name}",
                stream => Assert.Equal(isThere, stream.RemoveGroup(bytes)),
                () => _model.Groups.Remove(name)),
            1 when isThere => new Change(
                $"set {name}",
                stream =>
                {
                    Assert.True(stream.TryFindGroup(bytes, out StreamGroup found));
                    found.SetLastId(id, read);
                },
                () => (group!.LastId, group.EntriesRead) = (id, read)),
            _ => new Change(
                $"add {name}",
                stream => Assert.Equal(!isThere, stream.TryAddGroup(bytes, id, read)),
                () => _model.Groups.TryAdd(name, new StreamModel.Group { LastId = id, EntriesRead = read })),
        };
    }

    private Change Consumers()
    {
        if (SomeGroup() is not { } name)
        {
            return Append();
        }

        StreamModel.Group group = _model.Groups[name];
        string consumer = ConsumerNames[_random.Next(ConsumerNames.Length)];
        bool isThere = group.Consumers.TryGetValue(consumer, out (long Seen, long Active) times);
        long ms = _random.Next(1000);
        long pending = group.Pending.Count(p => p.Value.Consumer == consumer);
        return _random.Next(6) switch
        {
            0 when isThere => new Change(
                $"remove {consumer} of {name}",
                stream => Assert.Equal(pending, Group(stream, name).RemoveConsumer(NumberOf(stream, name, consumer))),
                () =>
                {
                    group.Consumers.Remove(consumer);
                    foreach (StreamId id in group.Pending.Where(p => p.Value.Consumer == consumer).Select(p => p.Key).ToArray())
                    {
                        group.Pending.Remove(id);
                    }
                }),
            1 when isThere => new Change(
                $"see {consumer} of {name}",
                stream => Group(stream, name).SetSeen(NumberOf(stream, name, consumer), ms),
                () => group.Consumers[consumer] = (ms, times.Active)),
            2 when isThere => new Change(
                $"activate {consumer} of {name}",
                stream => Group(stream, name).SetActive(NumberOf(stream, name, consumer), ms),
                () => group.Consumers[consumer] = (times.Seen, ms)),
            _ => new Change(
                $"add {consumer} to {name}",
                stream =>
                {
                    StreamGroup found = Group(stream, name);
                    Assert.Equal(!isThere, found.TryAddConsumer(B(consumer), ms, out long number));
                    Assert.Equal(number, NumberOf(stream, name, consumer));
                },
                () => group.Consumers.TryAdd(consumer, (ms, -1))),
        };
    }

    private Change SetCounters()
    {
        long added = _random.Next(10_000);
        StreamId deleted = SomeId();
        StreamId last = new(_model.LastId.Ms, _model.LastId.Sequence + (ulong)_random.Next(3));
        return _random.Next(2) == 0
            ? new Change("set last id", stream => stream.SetLastId(last), () => _model.LastId = last)
            : new Change(
                "set history",
                stream => stream.SetHistory(added, deleted),
                () => (_model.Added, _model.MaxDeletedId) = (added, deleted));
    }

    private Change AddPending()
    {
        if (SomeGroup() is not { } name || SomeConsumer(name) is not { } consumer)
        {
            return Consumers();
        }

        StreamModel.Group group = _model.Groups[name];
        StreamId id = _random.Next(2) == 0 ? SomeId() : new StreamId((ulong)_random.Next(5000), 0);
        bool isNew = !group.Pending.ContainsKey(id);
        return new Change(
            $"add pending {id} for {consumer} to {name}",
            stream => Assert.Equal(
                isNew,
                Group(stream, name).TryAddPending(new StreamPending(id, 7, 1, NumberOf(stream, name, consumer)))),
            () => group.Pending.TryAdd(id, (7, 1, consumer)));
    }

    private Change SetPending()
    {
        if (SomeGroup() is not { } name || SomeConsumer(name) is not { } consumer)
        {
            return Consumers();
        }

        StreamModel.Group group = _model.Groups[name];
        StreamId id = SomePending(group);
        bool isThere = group.Pending.ContainsKey(id);
        (long ms, long deliveries) = (_random.Next(1000), _random.Next(20));
        return new Change(
            $"set pending {id} for {consumer} in {name}",
            stream => Assert.Equal(
                isThere,
                Group(stream, name).SetPending(new StreamPending(id, ms, deliveries, NumberOf(stream, name, consumer)))),
            () =>
            {
                if (isThere)
                {
                    group.Pending[id] = (ms, deliveries, consumer);
                }
            });
    }

    private Change RemovePending()
    {
        if (SomeGroup() is not { } name)
        {
            return Groups();
        }

        StreamModel.Group group = _model.Groups[name];
        StreamId id = SomePending(group);
        bool isThere = group.Pending.ContainsKey(id);
        return new Change(
            $"remove pending {id} of {name}",
            stream =>
            {
                StreamGroup found = Group(stream, name);
                bool hasNext = found.TryGetPendingFrom(id, out StreamPending next);
                StreamId[] expected = [.. group.Pending.Keys.Where(other => other >= id).Take(1)];
                Assert.Equal(expected, hasNext ? [next.Id] : []);
                Assert.Equal(isThere, found.RemovePending(id));
            },
            () => group.Pending.Remove(id));
    }

    private StreamId SomePending(StreamModel.Group group) =>
        group.Pending.Count == 0 ? SomeId() : group.Pending.Keys.ElementAt(_random.Next(group.Pending.Count));

    private string? SomeGroup() =>
        _model.Groups.Count == 0 ? null : _model.Groups.Keys.ElementAt(_random.Next(Math.Min(2, _model.Groups.Count)));

    private string? SomeConsumer(string group)
    {
        SortedDictionary<string, (long Seen, long Active)> all = _model.Groups[group].Consumers;
        return all.Count == 0 ? null : all.Keys.ElementAt(_random.Next(all.Count));
    }

    private string Text() => _random.Next(8) switch
    {
        0 => "",
        1 => _random.Next(-100, 300).ToString(CultureInfo.InvariantCulture),
        2 => _random.NextInt64().ToString(CultureInfo.InvariantCulture),
        3 => new string('x', _random.Next(50, 150)),
        _ => "t" + _random.Next(10),
    };

    private static StreamGroup Group(StreamValue stream, string name)
    {
        Assert.True(stream.TryFindGroup(B(name), out StreamGroup group));
        return group;
    }

    private static long NumberOf(StreamValue stream, string group, string consumer)
    {
        Assert.True(Group(stream, group).TryFindConsumer(B(consumer), out StreamConsumer found));
        return found.Number;
    }

    private delegate void StreamChange(StreamValue stream);

    private sealed record Change(string What, StreamChange Run, Action Model);
}
