using System.Text;
using KvServer.Server.Observability;

namespace KvServer.Server.Commands;

/// <summary>INFO: the figures of the server as text.</summary>
internal static class InfoCommands
{
    /// <summary>Replies with sections of fields; the usual ones without an argument.</summary>
    [Command("INFO", arity: -1, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.Server, Since = "1.0.0",
        Complexity = "O(N) in the clients.", Syntax = "[section...]", Acl = "dangerous",
        Tips = "nondeterministic_output request_policy:all_shards response_policy:special",
        Summary = "Tells figures about the server.", History = "7.0.0: Takes several sections.")]
    internal static void Info(CommandContext ctx) => ctx.Reply.Verbatim(
        Encoding.UTF8.GetBytes(InfoReport.Make(ctx.Server, ctx.Args, first: 1)), "txt"u8);
}
