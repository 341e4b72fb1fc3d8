using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>What XREAD and XREADGROUP are told before the streams, and where these stand.</summary>
internal struct StreamReadOptions
{
    /// <summary>No BLOCK.</summary>
    public const long NoWait = -1;

    /// <summary>Until when to wait, in ms since the Unix epoch, 0 for ever, or <see cref="NoWait"/>.</summary>
    public long EndsAtMs;

    /// <summary>How many entries of each stream at most; 0 for all.</summary>
    public long Count;

    /// <summary>Where the first key stands; the ids follow the keys.</summary>
    public int FirstKey;

    /// <summary>How many keys there are.</summary>
    public int KeyCount;

    /// <summary>Where the group's name stands, followed by the consumer's; 0 without a group.</summary>
    public int GroupIndex;

    /// <summary>Take entries for acknowledged as soon as they are read.</summary>
    public bool NoAck;

    /// <summary>Reads the options, or replies with what is wrong with them.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="takesGroup">XREADGROUP; else XREAD.</param>
    /// <param name="options">The options.</param>
    public static bool TryRead(CommandContext ctx, bool takesGroup, out StreamReadOptions options)
    {
        options = default;
        options.EndsAtMs = NoWait;
        Arguments args = ctx.Args;
        for (int i = 1; i < args.Count && options.FirstKey == 0; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            int more = args.Count - i - 1;
            if (more > 0 && Ascii.EqualsIgnoreCase(word, "block"u8))
            {
                if (!BlockingTimeout.TryReadMs(ctx, ++i, out options.EndsAtMs))
                {
                    return false;
                }
            }
            else if (more > 0 && Ascii.EqualsIgnoreCase(word, "count"u8))
            {
                if (!Numbers.TryParseInt64(args[++i], out options.Count))
                {
                    ctx.Reply.Error(CommandError.NotAnInteger);
                    return false;
                }

                options.Count = Math.Max(options.Count, 0);
            }
            else if (more > 0 && Ascii.EqualsIgnoreCase(word, "streams"u8))
            {
                if (more % 2 != 0)
                {
                    ctx.Reply.Error(
                        "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."u8);
                    return false;
                }

                options.FirstKey = i + 1;
                options.KeyCount = more / 2;
            }
            else if (more > 1 && Ascii.EqualsIgnoreCase(word, "group"u8))
            {
                if (!takesGroup)
                {
                    ctx.Reply.Error(
                        "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."u8);
                    return false;
                }

                options.GroupIndex = i + 1;
                i += 2;
            }
            else if (Ascii.EqualsIgnoreCase(word, "noack"u8))
            {
                if (!takesGroup)
                {
                    ctx.Reply.Error(
                        "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."u8);
                    return false;
                }

                options.NoAck = true;
            }
            else
            {
                ctx.Reply.Error(CommandError.Syntax);
                return false;
            }
        }

        if (options.FirstKey == 0)
        {
            ctx.Reply.Error(CommandError.Syntax);
            return false;
        }

        if (takesGroup && options.GroupIndex == 0)
        {
            ctx.Reply.Error("ERR Missing GROUP option for XREADGROUP"u8);
            return false;
        }

        return true;
    }
}
