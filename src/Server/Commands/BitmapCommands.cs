using System.Buffers;
using System.Text;
using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands on strings as arrays of bits; bit 0 is the most significant bit of byte 0.</summary>
/// <remarks>Semantics: redis.io/commands, group bitmap. Fields of several bits are in <see cref="BitFieldCommands"/>.
/// </remarks>
internal static class BitmapCommands
{
    /// <summary>BITOP results up to this many bytes are put together on the stack.</summary>
    private const int StackBytes = 512;

    private static ReadOnlySpan<byte> BadBit => "ERR bit is not an integer or out of range"u8;

    /// <summary>What SETBIT, GETBIT and BITFIELD say of an offset they cannot use.</summary>
    internal static ReadOnlySpan<byte> BadOffset => "ERR bit offset is not an integer or out of range"u8;

    /// <summary>Sets or clears one bit, growing the string to hold it. Replies with the bit before.</summary>
    /// <remarks>O(1) unless the string grows. Counts as a change only when the bit or the length did change.</remarks>
    [Command("SETBIT", arity: 4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Bitmap,
        Since = "2.2.0", Complexity = "O(1)", Summary = "Sets or clears one bit of a string.",
        Syntax = "key offset value:integer")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update)]
    internal static void SetBit(CommandContext ctx)
    {
        if (!TryReadOffset(ctx, out long offset))
        {
            return;
        }

        if (!Numbers.TryParseInt64(ctx.Args[3], out long bit) || bit is not (0 or 1))
        {
            ctx.Reply.Error(BadBit);
            return;
        }

        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (found == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        long before = found == Lookup.Found ? entry.StringLength : 0;
        long needed = Math.Max(before, (offset >> 3) + 1);
        if (!StringCommands.TryOpen(ctx, in key, found, ref entry, needed, offset >> 3, 1, out Span<byte> bytes))
        {
            return;
        }

        ref byte target = ref bytes[(int)(offset >> 3)];
        int mask = 0x80 >> (int)(offset & 7);
        bool was = (target & mask) != 0;
        target = (byte)(bit == 1 ? target | mask : target & ~mask);
        if (needed != before || was != (bit == 1))
        {
            ctx.KeyChanged(in key, KeyEvent.SetBit);
        }

        ctx.Reply.Integer(was ? 1 : 0);
    }

    /// <summary>Replies with one bit; beyond the string's end it is 0. O(1).</summary>
    [Command("GETBIT", arity: 3, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Bitmap,
        Since = "2.2.0", Complexity = "O(1)", Summary = "Returns one bit of a string.", Syntax = "key offset")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void GetBit(CommandContext ctx)
    {
        if (!TryReadOffset(ctx, out long offset)
            || !TryFindString(ctx, 1, out Entry entry, missing: 0))
        {
            return;
        }

        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        ReadOnlySpan<byte> bytes = entry.GetStringSpan(scratch);
        long index = offset >> 3;
        bool isSet = index < bytes.Length && (bytes[(int)index] & (0x80 >> (int)(offset & 7))) != 0;
        ctx.Reply.Integer(isSet ? 1 : 0);
    }

    /// <summary>Replies with the number of set bits, in the whole string or in a range. O(bytes in range).</summary>
    /// <remarks>The key is looked up first: a missing one is 0 whatever the range says.</remarks>
    [Command("BITCOUNT", arity: -2, CommandFlags.ReadOnly, Group = CommandGroup.Bitmap, Since = "2.6.0",
        Complexity = "O(N) in the bytes of the range.", Summary = "Counts the set bits of a string.",
        Syntax = "key [index:start end [index_unit:BYTE|BIT]@7.0.0]", History = "7.0.0: The options BYTE and BIT.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void BitCount(CommandContext ctx)
    {
        if (!TryFindString(ctx, 1, out Entry entry, missing: 0))
        {
            return;
        }

        Arguments args = ctx.Args;
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        ReadOnlySpan<byte> bytes = entry.GetStringSpan(scratch);
        if (args.Count == 2)
        {
            ctx.Reply.Integer(BitmapOperations.CountOnes(bytes));
            return;
        }

        if (args.Count is not (4 or 5))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        if (!Numbers.TryParseInt64(args[2], out long start) || !Numbers.TryParseInt64(args[3], out long end))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        // Backwards from the end is nothing even where cutting both ends to the string would make them meet.
        if (start < 0 && end < 0 && start > end)
        {
            ctx.Reply.Integer(0);
            return;
        }

        bool inBits = false;
        if (args.Count == 5 && !BitmapRange.TryParseUnit(args[4], out inBits))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        BitmapRange range = BitmapRange.From(start, end, inBits, bytes.Length);
        ctx.Reply.Integer(range.IsEmpty ? 0 : BitmapOperations.CountOnes(bytes, range.FirstBit, range.LastBit));
    }

    /// <summary>Replies with the position of the first bit of a value, -1 when there is none. O(bytes up to it).</summary>
    /// <remarks>The string goes on with zeros for ever unless the range has an end, so a clear bit is then found.</remarks>
    [Command("BITPOS", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.Bitmap, Since = "2.8.7",
        Complexity = "O(N) in the bytes of the range.", Summary = "Finds the first set or clear bit of a string.",
        Syntax = "key bit [index:start [end_index:end [index_unit:BYTE|BIT]@7.0.0]]",
        History = "7.0.0: The options BYTE and BIT.")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void BitPos(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (!Numbers.TryParseInt64(args[2], out long bit))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        if (bit is not (0 or 1))
        {
            ctx.Reply.Error("ERR The bit argument must be 1 or 0."u8);
            return;
        }

        if (!TryFindString(ctx, 1, out Entry entry, missing: bit == 1 ? -1 : 0))
        {
            return;
        }

        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        ReadOnlySpan<byte> bytes = entry.GetStringSpan(scratch);
        if (!TryReadRange(ctx, bytes.Length, out BitmapRange range))
        {
            return;
        }

        if (range.IsEmpty)
        {
            ctx.Reply.Integer(-1);
            return;
        }

        long position = BitmapOperations.FindBit(bytes, bit == 1, range.FirstBit, range.LastBit);
        bool goesOn = args.Count <= 4;
        ctx.Reply.Integer(position < 0 && bit == 0 && goesOn ? range.LastBit + 1 : position);
    }

    /// <summary>Combines strings bit by bit into another key. Replies with the length of the result.</summary>
    /// <remarks>Shorter strings and missing keys count as zeros; an empty result deletes the key. O(bytes).</remarks>
    [Command("BITOP", arity: -4, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Bitmap,
        Since = "2.6.0", Complexity = "O(N) in the bytes of all strings.",
        Summary = "Combines strings bit by bit: and, or, exclusive or, not.", Syntax = "operation destkey key...")]
    [Keys(first: 2, KeyAccess.Overwrite | KeyAccess.Update)]
    [Keys(first: 3, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void BitOp(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        if (!TryReadOperator(args[1], out BitmapOperator op))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return;
        }

        if (op == BitmapOperator.Not && args.Count != 4)
        {
            ctx.Reply.Error("ERR BITOP NOT must be called with a single source key."u8);
            return;
        }

        long longest = 0;
        for (int i = 3; i < args.Count; i++)
        {
            switch (ctx.Database.FindForRead(ctx.Key(i), ValueType.String, out Entry entry))
            {
                case Lookup.WrongType:
                    ctx.Reply.Error(CommandError.WrongType);
                    return;
                case Lookup.Found:
                    longest = Math.Max(longest, entry.StringLength);
                    break;
            }
        }

        Key target = ctx.Key(2);
        if (longest == 0)
        {
            if (ctx.Database.Delete(target))
            {
                ctx.KeyChanged(in target, KeyEvent.Del);
            }
        }
        else
        {
            StoreCombined(ctx, op, in target, (int)longest);
            ctx.KeyChanged(in target, KeyEvent.Set);
        }

        ctx.Reply.Integer(longest);
    }

    /// <summary>Makes the result of BITOP and stores it; the target may be one of the sources.</summary>
    private static void StoreCombined(CommandContext ctx, BitmapOperator op, in Key target, int lengthBytes)
    {
        if (lengthBytes > Database.MaxInlineString)
        {
            using LargeString large = new(ctx.Server.Keyspace.Heap, lengthBytes);
            Combine(ctx, op, large.GetFreeSpan(lengthBytes)[..lengthBytes]);
            large.Advance(lengthBytes);
            ctx.Database.AdoptString(target, large);
            return;
        }

        byte[]? rented = null;
        Span<byte> result = lengthBytes <= StackBytes
            ? stackalloc byte[StackBytes]
            : rented = ArrayPool<byte>.Shared.Rent(lengthBytes);
        result = result[..lengthBytes];
        Combine(ctx, op, result);
        ctx.Database.CreateString(target, lengthBytes, out Span<byte> stored);
        result.CopyTo(stored);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Fills a span as long as the longest source with the combination of all of them.</summary>
    private static void Combine(CommandContext ctx, BitmapOperator op, Span<byte> result)
    {
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        for (int i = 3; i < ctx.Args.Count; i++)
        {
            bool found = ctx.Database.TryFind(ctx.Key(i), LookupFlags.NoStats | LookupFlags.NoTouch, out Entry entry);
            ReadOnlySpan<byte> source = found ? entry.GetStringSpan(scratch) : default;
            if (i > 3)
            {
                BitmapOperations.Combine(op, result, source);
                continue;
            }

            source.CopyTo(result);
            result[source.Length..].Clear();
        }

        if (op == BitmapOperator.Not)
        {
            BitmapOperations.Not(result);
        }
    }

    private static bool TryReadOperator(ReadOnlySpan<byte> word, out BitmapOperator op)
    {
        op = BitmapOperator.And;
        if (Ascii.EqualsIgnoreCase(word, "OR"u8))
        {
            op = BitmapOperator.Or;
        }
        else if (Ascii.EqualsIgnoreCase(word, "XOR"u8))
        {
            op = BitmapOperator.Xor;
        }
        else if (Ascii.EqualsIgnoreCase(word, "NOT"u8))
        {
            op = BitmapOperator.Not;
        }
        else
        {
            return Ascii.EqualsIgnoreCase(word, "AND"u8);
        }

        return true;
    }

    /// <summary>Reads BITPOS's range, or replies with what is wrong with it.</summary>
    private static bool TryReadRange(CommandContext ctx, int lengthBytes, out BitmapRange range)
    {
        Arguments args = ctx.Args;
        range = BitmapRange.All(lengthBytes);
        long end = -1;
        bool inBits = false;
        if (args.Count == 3)
        {
            return true;
        }

        if (args.Count > 6)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        if (!Numbers.TryParseInt64(args[3], out long start))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        if (args.Count == 6 && !BitmapRange.TryParseUnit(args[5], out inBits))
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        if (args.Count > 4 && !Numbers.TryParseInt64(args[4], out end))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        range = BitmapRange.From(start, end, inBits, lengthBytes);
        return true;
    }

    private static bool TryReadOffset(CommandContext ctx, out long offset)
    {
        if (BitmapRange.TryParseOffset(
            ctx.Args[2], fieldBits: 0, ctx.Server.Config.ProtoMaxBulkLenBytes, out offset))
        {
            return true;
        }

        ctx.Reply.Error(BadOffset);
        return false;
    }

    /// <summary>Finds a string to read, or replies: <paramref name="missing"/> or the error of the wrong type.</summary>
    private static bool TryFindString(CommandContext ctx, int argIndex, out Entry entry, long missing)
    {
        switch (ctx.Database.FindForRead(ctx.Key(argIndex), ValueType.String, out entry))
        {
            case Lookup.Missing:
                ctx.Reply.Integer(missing);
                return false;
            case Lookup.WrongType:
                ctx.Reply.Error(CommandError.WrongType);
                return false;
            default:
                return true;
        }
    }
}
