namespace KvServer.Storage;

/// <content>For tests: whether the stream is what it should be.</content>
public unsafe ref partial struct StreamValue
{
    /// <summary>Looks at everything.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal readonly string? FindFault()
    {
        string? fault = Entries.FindFault(out long nodes) ?? FindFaultOfNodes();
        if (fault is not null || nodes != NodeCount)
        {
            return fault ?? $"{nodes} nodes, counted as {NodeCount}";
        }

        fault = new StreamGroupTree(Heap, &_state->Groups).FindFault(out long groups);
        if (fault is not null || groups != GroupCount)
        {
            return fault ?? $"{groups} groups, counted as {GroupCount}";
        }

        StreamTreePath path = default;
        bool isThere = new StreamGroupTree(Heap, &_state->Groups).SeekEnd(first: true, ref path);
        for (; isThere && fault is null; isThere = StreamGroupTree.Step(ref path, forward: true))
        {
            fault = FindFaultOfGroup(StreamGroupTree.SlotOf(ref path)->Group);
        }

        return fault;
    }

    private readonly string? FindFaultOfNodes()
    {
        long length = 0;
        StreamId last = StreamId.Min;
        foreach (StreamEntry entry in this)
        {
            if (entry.Id <= last)
            {
                return $"{entry.Id} behind {last}";
            }

            last = entry.Id;
            length++;
        }

        StreamNodeEnumerator nodes = Nodes();
        while (nodes.MoveNext())
        {
            if (!PackedList.IsValid(nodes.Bytes) || nodes.Bytes[PackedList.HeaderBytes] == 0)
            {
                return "a node is no packed list with entries";
            }
        }

        bool isFirst = !TryGetEnd(first: true, out StreamEntry first) ? FirstId == StreamId.Min : FirstId == first.Id;
        return length != Length ? $"{length} entries, counted as {Length}"
            : !isFirst ? $"{FirstId} is not the first id"
            : last > LastId ? $"{last} is behind the last id" : null;
    }

    private static string? FindFaultOfGroup(StreamGroupState* group)
    {
        string? fault = new StreamPendingTree(null!, &group->Pending).FindFault(out long pending);
        fault ??= new StreamConsumerNameTree(null!, &group->Names).FindFault(out _);
        fault ??= new StreamConsumerTree(null!, &group->Consumers).FindFault(out _);
        if (fault is not null || pending != group->PendingCount)
        {
            return fault ?? $"{pending} pending entries, counted as {group->PendingCount}";
        }

        long consumers = 0;
        long assigned = 0;
        StreamConsumerEnumerator all = new(group);
        while (all.MoveNext() && fault is null)
        {
            consumers++;
            StreamConsumerState* consumer = new StreamConsumerTree(null!, &group->Consumers).Find(all.Current.Number)->Consumer;
            fault = new StreamIdTree(null!, &consumer->Pending).FindFault(out long ids);
            fault ??= ids == consumer->PendingCount ? null : $"{ids} pending, counted as {consumer->PendingCount}";
            assigned += ids;
            foreach (StreamPending one in new StreamPendingEnumerator(group, consumer, StreamId.Min))
            {
                fault ??= one.Consumer == all.Current.Number ? null : $"{one.Id} belongs to another consumer";
            }
        }

        return fault ?? (consumers != group->ConsumerCount ? $"{consumers} consumers, counted as {group->ConsumerCount}"
            : assigned != pending ? $"{assigned} of {pending} pending entries have consumers" : null);
    }
}
