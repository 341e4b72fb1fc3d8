using System.Buffers;
using System.Diagnostics;
using System.Text;
using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Commands that count different elements approximately, on strings in the format of <see cref="HyperLogLog"/>.
/// </summary>
/// <remarks>
/// Semantics: redis.io/commands, group hyperloglog. A sketch is a string, so clients can damage one. Every command that
/// reads registers checks all of them first: a corrupt sketch is refused as it is, and stays so.
/// </remarks>
internal static class HyperLogLogCommands
{
    private static ReadOnlySpan<byte> NotASketch => "WRONGTYPE Key is not a valid HyperLogLog string value."u8;

    private static ReadOnlySpan<byte> Corrupt => "INVALIDOBJ Corrupted HLL object detected"u8;

    /// <summary>Adds elements to a sketch, which is made where the key is missing. Replies 1 when something changed.</summary>
    /// <remarks>O(elements) for a dense sketch, O(elements and bytes of the sketch) for a sparse one.</remarks>
    [Command("PFADD", arity: -2, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Fast,
        Group = CommandGroup.HyperLogLog, Since = "2.8.9", Complexity = "O(1) for each element.",
        Summary = "Adds elements to a HyperLogLog.", Syntax = "key [element...]")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Insert)]
    internal static void PfAdd(CommandContext ctx)
    {
        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (!TryView(ctx, found, entry, out ReadOnlySpan<byte> sketch))
        {
            return;
        }

        int changes;
        if (found == Lookup.Found && HyperLogLog.EncodingOf(sketch) == HyperLogLogEncoding.Dense)
        {
            changes = AddToDense(ctx, ref entry, sketch);
        }
        else if (found == Lookup.Found && !HyperLogLogSparse.IsSound(sketch[HyperLogLog.HeaderBytes..]))
        {
            ctx.Reply.Error(Corrupt);
            return;
        }
        else
        {
            changes = AddToSparse(ctx, in key, found, ref entry, sketch);
        }

        if (changes != 0)
        {
            ctx.KeyChanged(in key, KeyEvent.PfAdd, changes);
        }

        ctx.Reply.Integer(changes != 0 ? 1 : 0);
    }

    /// <summary>Replies with about how many different elements one sketch has seen, or several together.</summary>
    /// <remarks>
    /// O(registers) for each sketch; O(1) for one that has not changed since it was counted. A count of one sketch is kept
    /// in its string, which is a change, though no other than every count of it makes.
    /// </remarks>
    [Command("PFCOUNT", arity: -2, CommandFlags.ReadOnly | CommandFlags.MayReplicate, Group = CommandGroup.HyperLogLog,
        Since = "2.8.9", Complexity = "O(1) for one key, O(N) for N keys, which are merged for the purpose.",
        Summary = "Returns about how many different elements HyperLogLogs have seen.", Syntax = "key...")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access, Last = -1,
        Notes = "RW because it may change the internal representation of the key, and propagate to replicas")]
    internal static void PfCount(CommandContext ctx)
    {
        if (ctx.Args.Count > 2)
        {
            CountUnion(ctx);
            return;
        }

        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForRead(key, ValueType.String, out Entry entry);
        if (!TryView(ctx, found, entry, out ReadOnlySpan<byte> sketch))
        {
            return;
        }

        long count = 0;
        if (found == Lookup.Found && !HyperLogLog.TryGetKnownCount(sketch, out count))
        {
            if (!HyperLogLog.TryCount(sketch, out count))
            {
                ctx.Reply.Error(Corrupt);
                return;
            }

            ctx.Database.EditString(ref entry, sketch.Length, out Span<byte> bytes, 0, HyperLogLog.HeaderBytes);
            HyperLogLog.SetKnownCount(bytes, count);
            ctx.KeyChanged(in key, KeyEvent.PfCount);
        }

        ctx.Reply.Integer(count);
    }

    /// <summary>Merges sketches into another, which counts as one of them. O(registers) for each.</summary>
    /// <remarks>The result is dense as soon as one of them is.</remarks>
    [Command("PFMERGE", arity: -2, CommandFlags.Write | CommandFlags.DenyOom, Group = CommandGroup.HyperLogLog,
        Since = "2.8.9", Complexity = "O(N) to merge N HyperLogLogs.", Summary = "Merges HyperLogLogs into one.",
        Syntax = "destkey sourcekey...")]
    [Keys(first: 1, KeyAccess.ReadWrite | KeyAccess.Access | KeyAccess.Insert)]
    [Keys(first: 2, KeyAccess.ReadOnly | KeyAccess.Access, Last = -1)]
    internal static void PfMerge(CommandContext ctx)
    {
        Span<byte> registers = stackalloc byte[HyperLogLog.RegisterCount];
        registers.Clear();
        if (!TryMergeAll(ctx, registers, out bool isDense))
        {
            return;
        }

        Key key = ctx.Key(1);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (!TryView(ctx, found, entry, out ReadOnlySpan<byte> sketch))
        {
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(HyperLogLogEditor.BufferBytes);
        try
        {
            HyperLogLogEditor editor = Edit(ctx, buffer, sketch);
            if (isDense && HyperLogLog.EncodingOf(editor.Bytes) == HyperLogLogEncoding.Sparse)
            {
                editor.MakeDense();
            }

            editor.RaiseAll(registers);
            HyperLogLog.ForgetCount(editor.Bytes);
            Store(ctx, in key, found, ref entry, editor.Bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        ctx.KeyChanged(in key, KeyEvent.PfAdd);
        ctx.Reply.Ok();
    }

    /// <summary>Shows how a sketch is kept, or makes it dense.</summary>
    /// <remarks>One command with words of its own instead of subcommands, because the reference server declares it so.
    /// O(registers).</remarks>
    [Command("PFDEBUG", arity: 3, CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.Admin,
        Group = CommandGroup.HyperLogLog, Since = "2.8.9", Complexity = "O(registers)",
        Summary = "Shows how a HyperLogLog is kept, for tests and operators.", Syntax = "subcommand key",
        IsInternal = true)]
    [Keys(first: 2, KeyAccess.ReadWrite | KeyAccess.Access)]
    internal static void PfDebug(CommandContext ctx)
    {
        Key key = ctx.Key(2);
        Lookup found = ctx.Database.FindForWrite(key, ValueType.String, out Entry entry);
        if (found == Lookup.Missing)
        {
            ctx.Reply.Error("ERR The specified key does not exist"u8);
            return;
        }

        if (!TryView(ctx, found, entry, out ReadOnlySpan<byte> sketch))
        {
            return;
        }

        ReadOnlySpan<byte> word = ctx.Args[1];
        if (Ascii.EqualsIgnoreCase(word, "GETREG"u8))
        {
            ReplyRegisters(ctx, in key, ref entry, sketch);
        }
        else if (Ascii.EqualsIgnoreCase(word, "DECODE"u8))
        {
            ReplyRuns(ctx, sketch);
        }
        else if (Ascii.EqualsIgnoreCase(word, "ENCODING"u8))
        {
            bool isDense = HyperLogLog.EncodingOf(sketch) == HyperLogLogEncoding.Dense;
            ctx.Reply.SimpleString(isDense ? "dense"u8 : "sparse"u8);
        }
        else if (Ascii.EqualsIgnoreCase(word, "TODENSE"u8))
        {
            bool wasSparse = HyperLogLog.EncodingOf(sketch) == HyperLogLogEncoding.Sparse;
            if (TryMakeDense(ctx, in key, ref entry, sketch))
            {
                ctx.Reply.Integer(wasSparse ? 1 : 0);
            }
        }
        else
        {
            ctx.Reply.Error(CommandError.Format("ERR Unknown PFDEBUG subcommand '", word, "'"));
        }
    }

    /// <summary>Checks registers and estimates on sketches of its own. A few milliseconds; touches no key.</summary>
    [Command("PFSELFTEST", arity: 1, CommandFlags.Admin, Group = CommandGroup.HyperLogLog, Since = "2.8.9",
        Complexity = "O(1), some milliseconds.", Summary = "Checks the HyperLogLog implementation.", IsInternal = true)]
    internal static void PfSelfTest(CommandContext ctx)
    {
        if (HyperLogLogSelfTest.Run() is { } fault)
        {
            ctx.Reply.Error(Encoding.UTF8.GetBytes("TESTFAILED " + fault));
            return;
        }

        ctx.Reply.Ok();
    }

    /// <summary>Views what a look-up found as a sketch, or replies that it is none. A missing key gives no bytes.</summary>
    private static bool TryView(CommandContext ctx, Lookup found, Entry entry, out ReadOnlySpan<byte> sketch)
    {
        sketch = default;
        switch (found)
        {
            case Lookup.Missing:
                return true;
            case Lookup.WrongType:
                ctx.Reply.Error(CommandError.WrongType);
                return false;
        }

        if (entry.Encoding != ValueEncoding.Integer)
        {
            sketch = entry.GetStringSpan(default);
            if (HyperLogLog.IsValid(sketch))
            {
                return true;
            }
        }

        ctx.Reply.Error(NotASketch);
        return false;
    }

    /// <summary>Adds a call's elements to a dense sketch. The string is opened for changes at the first that changes it.
    /// </summary>
    /// <returns>How many changed something.</returns>
    private static int AddToDense(CommandContext ctx, ref Entry entry, scoped ReadOnlySpan<byte> sketch)
    {
        Arguments args = ctx.Args;
        scoped Span<byte> bytes = default;
        int changes = 0;
        for (int i = 2; i < args.Count; i++)
        {
            int index = HyperLogLog.RegisterOf(args[i], out byte rank);
            if (changes == 0)
            {
                if (HyperLogLogDense.Get(sketch[HyperLogLog.HeaderBytes..], index) >= rank)
                {
                    continue;
                }

                ctx.Database.EditString(ref entry, HyperLogLog.DenseBytes, out bytes);
                HyperLogLog.ForgetCount(bytes);
            }

            changes += HyperLogLogDense.Raise(bytes[HyperLogLog.HeaderBytes..], index, rank) ? 1 : 0;
        }

        return changes;
    }

    /// <summary>Adds a call's elements to a sparse sketch, or to a new one.</summary>
    /// <returns>How many changed something; making the key is a change too.</returns>
    private static int AddToSparse(
        CommandContext ctx, in Key key, Lookup found, ref Entry entry, scoped ReadOnlySpan<byte> sketch)
    {
        Arguments args = ctx.Args;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(HyperLogLogEditor.BufferBytes);
        try
        {
            HyperLogLogEditor editor = Edit(ctx, buffer, sketch);
            int changes = found == Lookup.Missing ? 1 : 0;
            for (int i = 2; i < args.Count; i++)
            {
                int index = HyperLogLog.RegisterOf(args[i], out byte rank);
                changes += editor.Raise(index, rank) ? 1 : 0;
            }

            if (changes != 0)
            {
                HyperLogLog.ForgetCount(editor.Bytes);
                Store(ctx, in key, found, ref entry, editor.Bytes);
            }

            return changes;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Copies a sketch for editing; an empty one where there is none.</summary>
    private static HyperLogLogEditor Edit(CommandContext ctx, byte[] buffer, scoped ReadOnlySpan<byte> sketch)
    {
        Debug.Assert(sketch.Length <= HyperLogLog.MaxSparseBytes, "The sketch is sound.");
        if (sketch.IsEmpty)
        {
            HyperLogLog.WriteEmpty(buffer);
        }

        sketch.CopyTo(buffer);
        return new HyperLogLogEditor(
            buffer, sketch.IsEmpty ? HyperLogLog.EmptyBytes : sketch.Length, ctx.Server.Config.HllSparseMaxBytes);
    }

    /// <summary>Puts an edited sketch into the store; an expiry time stays.</summary>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    private static void Store(
        CommandContext ctx, in Key key, Lookup found, ref Entry entry, scoped ReadOnlySpan<byte> sketch)
    {
        if (found == Lookup.Found && entry.StringLength == sketch.Length)
        {
            ctx.Database.EditString(ref entry, sketch.Length, out Span<byte> bytes);
            sketch.CopyTo(bytes);
            return;
        }

        // Made anew rather than grown: it may have become shorter, and sketches need no room to spare.
        entry = ctx.Database.CreateString(key, sketch.Length, out Span<byte> stored, Database.KeepExpiry);
        sketch.CopyTo(stored);
    }

    private static void CountUnion(CommandContext ctx)
    {
        Span<byte> registers = stackalloc byte[HyperLogLog.RegisterCount];
        registers.Clear();
        if (TryMergeAll(ctx, registers, out _))
        {
            ctx.Reply.Integer(HyperLogLog.CountOf(registers));
        }
    }

    /// <summary>Merges the sketches of all keys of a call into registers of a byte each, or replies with what is wrong.
    /// </summary>
    private static bool TryMergeAll(CommandContext ctx, Span<byte> registers, out bool anyDense)
    {
        anyDense = false;
        for (int i = 1; i < ctx.Args.Count; i++)
        {
            Lookup found = ctx.Database.FindForRead(ctx.Key(i), ValueType.String, out Entry entry);
            if (!TryView(ctx, found, entry, out ReadOnlySpan<byte> sketch))
            {
                return false;
            }

            if (sketch.IsEmpty)
            {
                continue;
            }

            anyDense |= HyperLogLog.EncodingOf(sketch) == HyperLogLogEncoding.Dense;
            if (!HyperLogLog.TryMergeInto(registers, sketch))
            {
                ctx.Reply.Error(Corrupt);
                return false;
            }
        }

        return true;
    }

    /// <summary>Makes a stored sketch dense where it is not, or replies that it is corrupt.</summary>
    private static bool TryMakeDense(CommandContext ctx, in Key key, ref Entry entry, scoped ReadOnlySpan<byte> sketch)
    {
        if (HyperLogLog.EncodingOf(sketch) == HyperLogLogEncoding.Dense)
        {
            return true;
        }

        if (!HyperLogLogSparse.IsSound(sketch[HyperLogLog.HeaderBytes..]))
        {
            ctx.Reply.Error(Corrupt);
            return false;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(HyperLogLogEditor.BufferBytes);
        try
        {
            HyperLogLogEditor editor = Edit(ctx, buffer, sketch);
            editor.MakeDense();
            Store(ctx, in key, Lookup.Found, ref entry, editor.Bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        ctx.KeyChanged(in key, KeyEvent.PfDebug);
        return true;
    }

    /// <summary>PFDEBUG GETREG: all registers, of a sketch that becomes dense by it.</summary>
    private static void ReplyRegisters(
        CommandContext ctx, in Key key, ref Entry entry, scoped ReadOnlySpan<byte> sketch)
    {
        if (!TryMakeDense(ctx, in key, ref entry, sketch))
        {
            return;
        }

        ReadOnlySpan<byte> registers = entry.GetStringSpan(default)[HyperLogLog.HeaderBytes..];
        ctx.Reply.Array(HyperLogLog.RegisterCount);
        for (int i = 0; i < HyperLogLog.RegisterCount; i++)
        {
            ctx.Reply.Integer(HyperLogLogDense.Get(registers, i));
        }
    }

    /// <summary>PFDEBUG DECODE: the runs of a sparse sketch as text.</summary>
    private static void ReplyRuns(CommandContext ctx, ReadOnlySpan<byte> sketch)
    {
        if (HyperLogLog.EncodingOf(sketch) == HyperLogLogEncoding.Dense)
        {
            ctx.Reply.Error("ERR HLL encoding is not sparse"u8);
            return;
        }

        ReadOnlySpan<byte> runs = sketch[HyperLogLog.HeaderBytes..];
        if (!HyperLogLogSparse.IsSound(runs))
        {
            ctx.Reply.Error(Corrupt);
            return;
        }

        ctx.Reply.BulkString(Encoding.ASCII.GetBytes(HyperLogLogSparse.Describe(runs)));
    }
}
