using System.Text;

namespace KvServer.Server.Commands;

/// <summary>Commands that write the dataset to disk.</summary>
internal static class SaveCommands
{
    /// <summary>Saves, and does nothing else meanwhile.</summary>
    [Command("SAVE", arity: 1,
        CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.NoAsyncLoading | CommandFlags.NoMulti,
        Group = CommandGroup.Server, Since = "1.0.0", Complexity = "O(N) in all keys.",
        Summary = "Saves the dataset while everybody waits.")]
    internal static void Save(CommandContext ctx)
    {
        if (ctx.Server.Snapshots.IsSaving)
        {
            ctx.Reply.Error("ERR Background save already in progress"u8);
        }
        else if (ctx.Server.Snapshots.TrySaveNow())
        {
            ctx.Reply.Ok();
        }
        else
        {
            ctx.Reply.Error("ERR"u8);
        }
    }

    /// <summary>Starts to save while commands go on.</summary>
    /// <remarks>With or without SCHEDULE the save waits while what was left of one that was given up is cleared up.</remarks>
    [Command("BGSAVE", arity: -1, CommandFlags.Admin | CommandFlags.NoScript | CommandFlags.NoAsyncLoading,
        Group = CommandGroup.Server, Since = "1.0.0", Complexity = "O(1)", Syntax = "[schedule:SCHEDULE@3.2.2]",
        Summary = "Saves the dataset in the background.", History = "3.2.2: Can wait for its turn.")]
    internal static void BackgroundSave(CommandContext ctx)
    {
        if (ctx.Args.Count > 2 || (ctx.Args.Count == 2 && !Ascii.EqualsIgnoreCase(ctx.Args[1], "schedule"u8)))
        {
            ctx.Reply.Error(CommandError.Syntax);
        }
        else if (ctx.Server.Snapshots.TryStart())
        {
            ctx.Reply.SimpleString(ctx.Server.Snapshots.IsScheduled
                ? "Background saving scheduled"u8
                : "Background saving started"u8);
        }
        else
        {
            ctx.Reply.Error("ERR Background save already in progress"u8);
        }
    }
}
