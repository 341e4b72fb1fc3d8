using System.Text;
using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands on integers of any width inside strings.</summary>
/// <remarks>Semantics: redis.io/commands/bitfield. All parts of a call are read and checked before the first one runs.
/// </remarks>
internal static class BitFieldCommands
{
    private static ReadOnlySpan<byte> BadType =>
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."u8;

    /// <summary>Reads, sets and increments fields, one reply for each part; null where a value did not fit and the
    /// overflow rule says to fail.</summary>
    /// <remarks>O(1) for each part. The string is grown to the furthest field written before the first part runs.</remarks>
    [Command("BITFIELD", arity: -2, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.Bitmap,
        Since = "3.2.0", Complexity = "O(1) for each part.",
        Summary = "Reads and changes integers of any width inside a string.",
        Syntax = "key [operation:GET encoding offset|write:[OVERFLOW (WRAP|SAT|FAIL)] write_operation:("
            + "SET encoding offset value:integer|INCRBY encoding offset increment)]...")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Update | KeyAccess.Variable,
        Rule = KeyAccessRule.WritesUnlessAllGet, Notes = "Reads only unless a part writes")]
    internal static void BitField(CommandContext ctx) => Run(ctx, readOnly: false);

    /// <summary>BITFIELD without the parts that write, for replicas.</summary>
    [Command("BITFIELD_RO", arity: -2, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Bitmap,
        Since = "6.0.0", Complexity = "O(1) for each part.",
        Summary = "Reads integers of any width inside a string.", Syntax = "key [GET encoding offset]...")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access)]
    internal static void BitFieldReadOnly(CommandContext ctx) => Run(ctx, readOnly: true);

    private static void Run(CommandContext ctx, bool readOnly)
    {
        List<BitFieldOperation> operations = [];
        if (!TryParse(ctx, operations))
        {
            return;
        }

        long firstBitWritten = long.MaxValue;
        long lastBitWritten = -1;
        foreach (BitFieldOperation operation in operations)
        {
            if (operation.Verb != BitFieldVerb.Get)
            {
                firstBitWritten = Math.Min(firstBitWritten, operation.Offset);
                lastBitWritten = Math.Max(lastBitWritten, operation.LastBit);
            }
        }

        if (lastBitWritten < 0)
        {
            RunReading(ctx, operations);
        }
        else if (readOnly)
        {
            ctx.Reply.Error("ERR BITFIELD_RO only supports the GET subcommand"u8);
        }
        else
        {
            RunWriting(ctx, operations, firstBitWritten >> 3, (lastBitWritten >> 3) + 1);
        }
    }

    private static void RunReading(CommandContext ctx, List<BitFieldOperation> operations)
    {
        Lookup found = ctx.Database.FindForRead(ctx.Key(1), ValueType.String, out Entry entry);
        if (found == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        ReadOnlySpan<byte> bytes = found == Lookup.Found ? entry.GetStringSpan(scratch) : default;
        ctx.Reply.Array(operations.Count);
        foreach (BitFieldOperation operation in operations)
        {
            ctx.Reply.Integer(operation.Type.Read(bytes, operation.Offset));
        }
    }

    private static void RunWriting(
        CommandContext ctx, List<BitFieldOperation> operations, long firstByte, long neededBytes)
    {
        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (found == Lookup.WrongType)
        {
            ctx.Reply.Error(CommandError.WrongType);
            return;
        }

        long before = found == Lookup.Found ? entry.StringLength : 0;
        if (!StringCommands.TryOpen(
            ctx,
            in key,
            found,
            ref entry,
            Math.Max(before, neededBytes),
            firstByte,
            neededBytes - firstByte,
            out Span<byte> bytes))
        {
            return;
        }

        bool grew = neededBytes > before;
        long changes = 0;
        ctx.Reply.Array(operations.Count);
        foreach (BitFieldOperation operation in operations)
        {
            if (!operation.TryRun(bytes, out long reply, out bool changed))
            {
                ctx.Reply.Null();
                continue;
            }

            ctx.Reply.Integer(reply);
            changes += operation.Verb != BitFieldVerb.Get && (changed || grew) ? 1 : 0;
        }

        if (changes > 0)
        {
            ctx.KeyChanged(in key, KeyEvent.SetBit, changes);
        }
        else if (grew)
        {
            ctx.PropagateAnyway(); // It counts as no change, on the reference server too, but the string is longer.
        }
    }

    /// <summary>Reads all parts, or replies with the first thing that is wrong.</summary>
    private static bool TryParse(CommandContext ctx, List<BitFieldOperation> operations)
    {
        Arguments args = ctx.Args;
        BitFieldOverflow overflow = BitFieldOverflow.Wrap;
        int i = 2;
        while (i < args.Count)
        {
            int left = args.Count - i - 1;
            if (left >= 1 && Ascii.EqualsIgnoreCase(args[i], "OVERFLOW"u8))
            {
                if (!TryParseOverflow(args[i + 1], out overflow))
                {
                    ctx.Reply.Error("ERR Invalid OVERFLOW type specified"u8);
                    return false;
                }

                i += 2;
                continue;
            }

            if (!TryParseVerb(args[i], left, out BitFieldVerb verb))
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }

            if (!TryParsePart(ctx, i, verb, overflow, out BitFieldOperation operation))
            {
                return false;
            }

            operations.Add(operation);
            i += verb == BitFieldVerb.Get ? 3 : 4;
        }

        return true;
    }

    /// <summary>Reads type, offset and number of the part whose verb stands at an index.</summary>
    private static bool TryParsePart(
        CommandContext ctx, int index, BitFieldVerb verb, BitFieldOverflow overflow, out BitFieldOperation operation)
    {
        Arguments args = ctx.Args;
        operation = default;
        if (!BitFieldType.TryParse(args[index + 1], out BitFieldType type))
        {
            ctx.Reply.Error(BadType);
            return false;
        }

        if (!BitmapRange.TryParseOffset(
            args[index + 2], type.Bits, ctx.Server.Config.ProtoMaxBulkLenBytes, out long offset))
        {
            ctx.Reply.Error(BitmapCommands.BadOffset);
            return false;
        }

        long number = 0;
        if (verb != BitFieldVerb.Get && !Numbers.TryParseInt64(args[index + 3], out number))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return false;
        }

        operation = new BitFieldOperation(verb, overflow, type, offset, number);
        return true;
    }

    private static bool TryParseVerb(ReadOnlySpan<byte> word, int argumentsLeft, out BitFieldVerb verb)
    {
        verb = BitFieldVerb.Get;
        if (argumentsLeft >= 2 && Ascii.EqualsIgnoreCase(word, "GET"u8))
        {
            return true;
        }

        if (argumentsLeft >= 3 && Ascii.EqualsIgnoreCase(word, "SET"u8))
        {
            verb = BitFieldVerb.Set;
            return true;
        }

        verb = BitFieldVerb.IncrBy;
        return argumentsLeft >= 3 && Ascii.EqualsIgnoreCase(word, "INCRBY"u8);
    }

    private static bool TryParseOverflow(ReadOnlySpan<byte> word, out BitFieldOverflow overflow)
    {
        overflow = BitFieldOverflow.Wrap;
        if (Ascii.EqualsIgnoreCase(word, "SAT"u8))
        {
            overflow = BitFieldOverflow.Saturate;
        }
        else if (Ascii.EqualsIgnoreCase(word, "FAIL"u8))
        {
            overflow = BitFieldOverflow.Fail;
        }
        else
        {
            return Ascii.EqualsIgnoreCase(word, "WRAP"u8);
        }

        return true;
    }
}
