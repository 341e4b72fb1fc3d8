using System.Buffers;
using KvServer.Server.Commands.Options;
using KvServer.Server.Text;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <content>LCS.</content>
internal static partial class StringCommands
{
    /// <summary>Bytes that the reference server takes for each pair of bytes; its limit counts them, so ours does.</summary>
    private const long LcsBytesPerPair = 4;

    /// <summary>Replies with the longest common subsequence of two strings, its length, or where its parts lie.</summary>
    /// <remarks>Refused when N * M pairs at four bytes each exceed proto-max-bulk-len, which bounds the time it takes; the
    /// memory used is a 32nd of that.</remarks>
    [Command("LCS", arity: -3, CommandFlags.ReadOnly, Group = CommandGroup.String, Since = "7.0.0",
        Complexity = "O(N*M) where N and M are the lengths of the strings.",
        Summary = "Finds the longest common subsequence of two strings.",
        Syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]")]
    [Keys(first: 1, KeyAccess.ReadOnly | KeyAccess.Access, Last = 2)]
    internal static void Lcs(CommandContext ctx)
    {
        Lookup foundA = ctx.Database.FindForRead(ctx.Key(1), ValueType.String, out Entry entryA);
        Lookup foundB = ctx.Database.FindForRead(ctx.Key(2), ValueType.String, out Entry entryB);
        if (foundA == Lookup.WrongType || foundB == Lookup.WrongType)
        {
            ctx.Reply.Error("ERR The specified keys must contain string values"u8);
            return;
        }

        if (!LcsOptions.TryParse(ctx.Args, first: 3, out LcsOptions options, out ReadOnlySpan<byte> error))
        {
            ctx.Reply.Error(error);
            return;
        }

        Span<byte> scratchA = stackalloc byte[Entry.ScratchBytes];
        Span<byte> scratchB = stackalloc byte[Entry.ScratchBytes];
        ReadOnlySpan<byte> a = foundA == Lookup.Found ? entryA.GetStringSpan(scratchA) : default;
        ReadOnlySpan<byte> b = foundB == Lookup.Found ? entryB.GetStringSpan(scratchB) : default;
        if ((a.Length + 1L) * (b.Length + 1L) > ctx.Server.Config.ProtoMaxBulkLenBytes / LcsBytesPerPair)
        {
            ctx.Reply.Error(
                "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"u8);
            return;
        }

        if (options.LengthOnly)
        {
            ctx.Reply.Integer(LcsMatrix.LengthOf(a, b));
            return;
        }

        using LcsMatrix matrix = LcsMatrix.Create(a, b);
        if (options.Indexes)
        {
            ReplyRanges(ctx, in matrix, options);
            return;
        }

        byte[] text = ArrayPool<byte>.Shared.Rent(matrix.Length);
        matrix.Walk(text.AsSpan(0, matrix.Length), ranges: null);
        ctx.Reply.BulkString(text.AsSpan(0, matrix.Length));
        ArrayPool<byte>.Shared.Return(text);
    }

    private static void ReplyRanges(CommandContext ctx, in LcsMatrix matrix, LcsOptions options)
    {
        List<LcsRange> ranges = [];
        matrix.Walk(default, ranges);
        ranges.RemoveAll(range => range.LengthBytes < options.MinMatchBytes);
        ctx.Reply.Map(2);
        ctx.Reply.BulkString("matches"u8);
        ctx.Reply.Array(ranges.Count);
        foreach (LcsRange range in ranges)
        {
            ctx.Reply.Array(options.WithMatchLength ? 3 : 2);
            ReplyRun(ctx, range.StartInA, range.LengthBytes);
            ReplyRun(ctx, range.StartInB, range.LengthBytes);
            if (options.WithMatchLength)
            {
                ctx.Reply.Integer(range.LengthBytes);
            }
        }

        ctx.Reply.BulkString("len"u8);
        ctx.Reply.Integer(matrix.Length);
    }

    private static void ReplyRun(CommandContext ctx, int start, int lengthBytes)
    {
        ctx.Reply.Array(2);
        ctx.Reply.Integer(start);
        ctx.Reply.Integer(start + lengthBytes - 1);
    }
}
