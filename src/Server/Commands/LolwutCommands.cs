using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>LOLWUT: a small picture, and the line with the version that tools look for at its end.</summary>
internal static class LolwutCommands
{
    private const int MaxSide = 64;

    /// <summary>Replies with a hash table in the middle of its rehash, different each time.</summary>
    /// <remarks>VERSION 5 and 6 take up to two and three numbers: columns and rows of the picture. O(columns * rows).</remarks>
    [Command("LOLWUT", arity: -1, CommandFlags.ReadOnly | CommandFlags.Fast, Group = CommandGroup.Server, Since = "5.0.0",
        Complexity = "", Syntax = "[VERSION version]", Summary = "Draws a picture and tells the version.")]
    internal static void Lolwut(CommandContext ctx)
    {
        Arguments args = ctx.Args;
        int first = 1;
        long version = 0;
        if (args.Count >= 3 && Ascii.EqualsIgnoreCase(args[1], "version"u8))
        {
            first = 3;
            if (!Numbers.TryParseInt64(args[2], out version))
            {
                ctx.Reply.Error(CommandError.NotAnInteger);
                return;
            }
        }

        long columns = 32;
        long rows = 6;
        bool drawsToSize = version is 5 or 6;
        if (drawsToSize
            && ((args.Count > first && !Numbers.TryParseInt64(args[first], out columns))
                || (args.Count > first + 1 && !Numbers.TryParseInt64(args[first + 1], out rows))))
        {
            ctx.Reply.Error(CommandError.NotAnInteger);
            return;
        }

        StringBuilder text = new();
        Draw(text, (int)Math.Clamp(columns, 1, MaxSide), (int)Math.Clamp(rows, 1, MaxSide));
        text.Append("\nBuckets on the move. Redis ver. ").Append(ServerVersion.Compatible).Append('\n');
        ctx.Reply.Verbatim(Encoding.UTF8.GetBytes(text.ToString()), "txt"u8);
    }

    /// <summary>Table 0 above, half moved; table 1 below, filling up: chains are columns, entries are blocks.</summary>
    private static void Draw(StringBuilder text, int columns, int rows)
    {
        int moved = Random.Shared.Next(columns + 1);
        int[] before = [.. Enumerable.Range(0, columns).Select(i => i < moved ? 0 : Random.Shared.Next(rows + 1))];
        int[] after = [.. Enumerable.Range(0, columns).Select(i => i < moved ? Random.Shared.Next(rows + 1) : 0)];
        Append(before);
        text.Append(' ', moved).Append('v').Append('\n');
        Append(after);

        void Append(int[] chains)
        {
            for (int row = rows; row > 0; row--)
            {
                foreach (int length in chains)
                {
                    text.Append(length >= row ? '\u2588' : ' ');
                }

                text.Append('\n');
            }

            text.Append('\u2500', columns).Append('\n');
        }
    }
}
