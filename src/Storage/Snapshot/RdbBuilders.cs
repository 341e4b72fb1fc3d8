namespace KvServer.Storage;

/// <summary>Makes keys of values in a file: one builder per value type this store has.</summary>
/// <remarks>A builder reads the whole value before it changes the database, so that a damaged one leaves no trace. A
/// new value type adds its builder to the table and nothing else.</remarks>
internal static class RdbBuilders
{
    // Longer strings are read straight into the block they stay in.
    private const int LargeStringBytes = 64 * 1024;
    private const int PieceBytes = 1024 * 1024;

    private static readonly Builder?[] ByType = Table();

    /// <summary>Reads a value and gives it to a key.</summary>
    /// <returns>False for a collection without elements, which no key can hold.</returns>
    public delegate bool Builder(in RdbTarget target, ref RdbElements elements);

    /// <summary>The builder for a form of value; <see langword="null"/> for those of modules.</summary>
    public static Builder? Find(RdbType type) => RdbTypes.IsModule(type) ? null : ByType[(int)RdbTypes.ValueTypeOf(type)];

    /// <summary>Why a form of value that has no builder cannot be loaded.</summary>
    public static string Refusal(RdbType type) => $"values of modules ({RdbTypes.NameOf(type)}) cannot be loaded";

    private static Builder?[] Table()
    {
        var table = new Builder?[(int)ValueType.Stream + 1];
        table[(int)ValueType.String] = BuildString;
        table[(int)ValueType.Set] = BuildSet;
        table[(int)ValueType.Hash] = RdbHashBuilder.Build;
        table[(int)ValueType.List] = BuildList;
        table[(int)ValueType.SortedSet] = RdbSortedSets.Build;
        table[(int)ValueType.Stream] = RdbStreams.Build;
        return table;
    }

    private static bool BuildString(in RdbTarget target, ref RdbElements elements)
    {
        RdbInput input = elements.Input;
        RdbStringHead head = input.ReadStringHead();
        if (head.Form == RdbStringForm.Integer)
        {
            target.BeforeStore(input);
            target.Database.SetInteger(target.Key, head.Integer, target.ExpireAtMs);
        }
        else if (head.LengthBytes < LargeStringBytes)
        {
            ReadOnlySpan<byte> text = input.ReadString(head);
            target.BeforeStore(input);
            target.Database.SetString(target.Key, text, target.ExpireAtMs);
        }
        else
        {
            using LargeString large = ReadLarge(target.Database.Keyspace.Heap, input, head);
            target.BeforeStore(input);
            target.Database.AdoptString(target.Key, large, target.ExpireAtMs);
        }

        return true;
    }

    private static LargeString ReadLarge(NativeHeap heap, RdbInput input, RdbStringHead head)
    {
        int length = head.LengthBytes;
        if (head.Form == RdbStringForm.Compressed)
        {
            ReadOnlySpan<byte> compressed = input.ReadCompressed(head);
            LargeString restored = new(heap, length);
            try
            {
                input.Decompress(compressed, restored.GetFreeSpan(length, length)[..length]);
                restored.Advance(length);
                return restored;
            }
            catch
            {
                restored.Dispose();
                throw;
            }
        }

        // Room for all of it only if the file is known to hold all of it.
        LargeString text = new(heap, input.HasKnownLength ? length : 0);
        try
        {
            while (text.Length < length)
            {
                int piece = Math.Min(length - text.Length, PieceBytes);
                input.ReadExactly(text.GetFreeSpan(piece, length)[..piece]);
                text.Advance(piece);
            }

            return text;
        }
        catch
        {
            text.Dispose();
            throw;
        }
    }

    private static bool BuildSet(in RdbTarget target, ref RdbElements elements)
    {
        elements.Open();
        if (!elements.IntSetBytes.IsEmpty && elements.Count <= target.Limits.Sets.IntSetEntries)
        {
            target.BeforeStore(elements.Input);
            return BuildIntSet(target, elements.IntSetBytes);
        }

        if (!elements.MoveNext())
        {
            return false;
        }

        // Members differ, so there cannot be more than one empty, 256 of one byte, and the rest at three bytes each:
        // the count alone makes no table larger than that.
        long plausible = Math.Min(elements.Count, 257 + (elements.Input.SureBytes / 3));
        long expected = elements.Type == RdbType.Set ? plausible : elements.Count;
        SetValue set = SetValue.Create(
            target.Database.Keyspace, target.Limits.Sets, elements.Current.AsMember(), expected);
        try
        {
            do
            {
                if (!set.Add(elements.Current.AsMember()))
                {
                    elements.Input.Fail("A set has the same member twice");
                }
            }
            while (elements.MoveNext());
            target.BeforeStore(elements.Input);
            set.StoreAs(target.Database, target.Key, lazily: false, target.ExpireAtMs);
            return true;
        }
        finally
        {
            set.Dispose();
        }
    }

    private static bool BuildList(in RdbTarget target, ref RdbElements elements)
    {
        elements.Open();
        if (!elements.MoveNext())
        {
            return false;
        }

        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        ListValue list = ListValue.Create(target.Database.Keyspace, target.Limits.Lists);
        try
        {
            do
            {
                RdbElement element = elements.Current;
                ReadOnlySpan<byte> text = element.IsInteger
                    ? scratch[..IntegerText.Format(element.Integer, scratch)]
                    : element.Bytes;
                list.PrepareToGrow(text.Length, 1);
                list.Push(text, atHead: false);
            }
            while (elements.MoveNext());
            target.BeforeStore(elements.Input);
            list.StoreAs(target.Database, target.Key, lazily: false, target.ExpireAtMs);
            return true;
        }
        finally
        {
            list.Dispose();
        }
    }

    private static bool BuildIntSet(in RdbTarget target, ReadOnlySpan<byte> intSet)
    {
        if (intSet.Length == IntSet.HeaderBytes)
        {
            return false;
        }

        Entry entry = target.Database.CreateValue(
            target.Key, ValueType.Set, ValueEncoding.IntSet, intSet.Length, target.ExpireAtMs);
        intSet.CopyTo(entry.ValueSpan);
        return true;
    }
}
