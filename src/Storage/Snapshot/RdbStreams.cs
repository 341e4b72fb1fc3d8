namespace KvServer.Storage;

/// <summary>The form of streams in a file: what it takes to pass one by, checked as far as that goes.</summary>
internal static class RdbStreams
{
    private const int IdBytes = 16;

    /// <summary>Passes by a stream's value.</summary>
    public static void Skip(RdbInput input, RdbType type)
    {
        for (long packs = input.ReadCount(); packs > 0; packs--)
        {
            SkipEntries(input);
        }

        input.ReadUnsigned(); // Length.
        SkipId(input); // Last id.
        if (type != RdbType.Stream)
        {
            SkipId(input); // First id.
            SkipId(input); // Largest deleted id.
            input.ReadUnsigned(); // Entries ever added.
        }

        for (long groups = input.ReadCount(); groups > 0; groups--)
        {
            SkipGroup(input, type);
        }
    }

    private static void SkipEntries(RdbInput input)
    {
        if (input.ReadString().Length != IdBytes)
        {
            input.Fail("A stream's entries begin with an id that has not 16 bytes");
        }

        ReadOnlySpan<byte> pack = input.ReadString();
        if (pack.Length <= PackedList.EmptyBytes || !PackedList.IsValid(pack))
        {
            input.Fail("A stream's listpack is damaged");
        }
    }

    private static void SkipGroup(RdbInput input, RdbType type)
    {
        input.SkipString(); // Name.
        SkipId(input);
        if (type != RdbType.Stream)
        {
            input.ReadUnsigned(); // Entries read.
        }

        for (long pending = input.ReadCount(); pending > 0; pending--)
        {
            input.Skip(IdBytes + sizeof(long)); // Id and time of delivery.
            input.ReadUnsigned(); // Deliveries.
        }

        for (long consumers = input.ReadCount(); consumers > 0; consumers--)
        {
            input.SkipString(); // Name.
            input.Skip(type == RdbType.Stream3 ? 2 * sizeof(long) : sizeof(long)); // Times seen and active.
            long pending = input.ReadCount();
            if (pending > input.Remaining / IdBytes)
            {
                input.Fail($"{pending} pending entries are announced, but only {input.Remaining} bytes are left");
            }

            input.Skip(pending * IdBytes);
        }
    }

    private static void SkipId(RdbInput input)
    {
        input.ReadUnsigned(); // Milliseconds.
        input.ReadUnsigned(); // Sequence.
    }
}
