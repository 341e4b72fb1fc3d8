namespace KvServer.Storage;

/// <summary>What a dict, or a family of dicts, has done about its size; shown by <c>INFO dicts</c>.</summary>
public sealed class DictStatistics
{
    /// <summary>Buckets moved because a command used the dict.</summary>
    public long StepsByCommands { get; internal set; }

    /// <summary>Buckets moved by the cron.</summary>
    public long StepsByCron { get; internal set; }

    /// <summary>Resizes begun, up or down, including the first table.</summary>
    public long ResizesDone { get; internal set; }

    /// <summary>Operations that wanted to resize while it was not allowed.</summary>
    public long ResizesRefused { get; internal set; }

    /// <summary>Entries added while there was no room under the memory limit for the table they would have grown.</summary>
    public long ResizesPutOff { get; internal set; }

    /// <summary>Of the resizes done: those begun although resizing was off, because the load was too high.</summary>
    public long ResizesForced { get; internal set; }

    /// <summary>Resizes not begun because the system had no memory for the table; the dict goes on as it is.</summary>
    public long ResizesFailed { get; internal set; }
}
