using System.Text;

namespace KvServer.Server.Commands;

/// <summary>The reply of every HELP subcommand: a heading, the lines, and HELP itself.</summary>
internal static class HelpReply
{
    /// <summary>Writes the reply for the container of the running subcommand.</summary>
    public static void Write(CommandContext ctx, string[] lines)
    {
        string name = (ctx.Command.Container ?? ctx.Command).Declaration.Name;
        ctx.Reply.Array(lines.Length + 3);
        Line(ctx, $"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        foreach (string line in lines)
        {
            Line(ctx, line);
        }

        Line(ctx, "HELP");
        Line(ctx, "    Prints this help.");
    }

    private static void Line(CommandContext ctx, string line) => ctx.Reply.SimpleString(Encoding.ASCII.GetBytes(line));
}
