using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>The options of HGETEX and HSETEX up to their fields.</summary>
/// <param name="Expiry">EX, PX, EXAT, PXAT, PERSIST or KEEPTTL; the instant is in <paramref name="ExpireAtMs"/>.</param>
/// <param name="ExpireAtMs">In ms since the Unix epoch.</param>
/// <param name="Condition">FNX or FXX.</param>
/// <param name="First">Where the first field stands.</param>
/// <param name="Count">How many fields there are.</param>
internal readonly record struct HashExOptions(
    ExpiryKind Expiry, long ExpireAtMs, SetCondition Condition, int First, int Count)
{
    /// <summary>Whether an instant is given.</summary>
    public bool HasTime => Expiry is >= ExpiryKind.Seconds and <= ExpiryKind.AtMilliseconds;

    /// <summary>Reads the options.</summary>
    /// <param name="ctx">The call, which is answered when the result is false.</param>
    /// <param name="isSet">Whether fields come with values: HSETEX, which takes FNX, FXX and KEEPTTL, not PERSIST.</param>
    /// <param name="options">The options when the result is true.</param>
    public static bool TryParse(CommandContext ctx, bool isSet, out HashExOptions options)
    {
        Arguments args = ctx.Args;
        options = default;
        ExpiryKind expiry = ExpiryKind.None;
        SetCondition condition = SetCondition.Always;
        long expireAtMs = 0;
        for (int i = 2; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            if (Ascii.EqualsIgnoreCase(word, "FIELDS"u8))
            {
                return TryParseFields(ctx, i, isSet, new HashExOptions(expiry, expireAtMs, condition, 0, 0), out options);
            }

            ExpiryKind kind = ExpiryOption.KindOf(word);
            if (kind == ExpiryKind.None && Ascii.EqualsIgnoreCase(word, isSet ? "KEEPTTL"u8 : "PERSIST"u8))
            {
                kind = isSet ? ExpiryKind.KeepTtl : ExpiryKind.Persist;
            }

            if (kind != ExpiryKind.None)
            {
                if (expiry != ExpiryKind.None)
                {
                    ctx.Reply.Error(isSet
                        ? "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"u8
                        : "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"u8);
                    return false;
                }

                expiry = kind;
                if (kind is ExpiryKind.KeepTtl or ExpiryKind.Persist)
                {
                    continue;
                }

                if (++i >= args.Count)
                {
                    ctx.Reply.Error("ERR missing expire time"u8);
                    return false;
                }

                if (!FieldExpiryTime.TryParse(
                    args[i], kind, ctx.NowMs, ctx.Command.DisplayName, out expireAtMs, out ReadOnlySpan<byte> error))
                {
                    ctx.Reply.Error(error);
                    return false;
                }
            }
            else if (isSet && ConditionOf(word) is var given and not SetCondition.Always)
            {
                if (condition != SetCondition.Always)
                {
                    ctx.Reply.Error("ERR Only one of FXX or FNX arguments can be specified"u8);
                    return false;
                }

                condition = given;
            }
            else
            {
                ctx.Reply.Error(CommandError.Format("ERR unknown argument: ", word));
                return false;
            }
        }

        ctx.Reply.Error("ERR missing FIELDS argument"u8);
        return false;
    }

    private static bool TryParseFields(
        CommandContext ctx, int at, bool isSet, HashExOptions given, out HashExOptions options)
    {
        Arguments args = ctx.Args;
        options = default;
        if (at + 1 >= args.Count)
        {
            ctx.WrongArity();
            return false;
        }

        if (!Numbers.TryParseInt64(args[at + 1], out long count) || count is < 1 or > int.MaxValue)
        {
            ctx.Reply.Error("ERR invalid number of fields"u8);
            return false;
        }

        int first = at + 2;
        if (count * (isSet ? 2 : 1) != args.Count - first)
        {
            ctx.WrongArity();
            return false;
        }

        options = given with { First = first, Count = (int)count };
        return true;
    }

    private static SetCondition ConditionOf(ReadOnlySpan<byte> word)
    {
        if (Ascii.EqualsIgnoreCase(word, "FNX"u8))
        {
            return SetCondition.IfMissing;
        }

        return Ascii.EqualsIgnoreCase(word, "FXX"u8) ? SetCondition.IfPresent : SetCondition.Always;
    }
}
