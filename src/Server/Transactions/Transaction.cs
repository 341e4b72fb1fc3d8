using KvServer.Resp;
using KvServer.Server.Commands;

namespace KvServer.Server.Transactions;

/// <summary>The commands a client has queued since MULTI.</summary>
/// <remarks>They are copied out of the receive buffer once, into a batch of their own, and run from there: EXEC copies
/// nothing. Command loop only.</remarks>
internal sealed class Transaction : IDisposable
{
    private const int SlotBytes = 16;
    private const int RequestBytes = 40;
    private const int PointerBytes = 8;

    private const CommandFlags Adding = CommandFlags.Write | CommandFlags.DenyOom | CommandFlags.MayReplicate;

    private CommandFlags _flags;
    private bool _isLoadingAllowed = true;

    /// <summary>The commands in order, with what was found out about them when they were queued.</summary>
    public RequestBatch Requests { get; } = new();

    /// <summary>How many there are.</summary>
    public int Count => Requests.Count;

    /// <summary>Bytes of their arguments as the reference server counts them: CLIENT LIST's multi-mem.</summary>
    public long ArgumentBytes { get; private set; }

    /// <summary>Bytes they take, bookkeeping included.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Queues a call: its arguments are copied, large bulks taken over.</summary>
    /// <exception cref="OutOfMemoryException">It has not been queued.</exception>
    public void Add(Command command, Arguments arguments, ref readonly Request request)
    {
        long bytes = 0;
        for (int i = 0; i < arguments.Count; i++)
        {
            bytes += arguments[i].Length;
        }

        ref Request queued = ref Requests.AddCopy(arguments);
        queued.Command = command;
        queued.FirstKey = request.FirstKey;
        queued.KeyHash = request.KeyHash;
        ArgumentBytes += bytes + ((long)PointerBytes * queued.ArgumentCount);
        MemoryBytes += bytes + ((long)SlotBytes * queued.ArgumentCount) + RequestBytes;
        _flags |= command.Flags & Adding;
        _isLoadingAllowed &= command.Is(CommandFlags.Loading);
    }

    /// <summary>What a command may do that runs these as well.</summary>
    public CommandFlags AddTo(CommandFlags flags) =>
        (flags | _flags) & ~(_isLoadingAllowed ? CommandFlags.None : CommandFlags.Loading);

    /// <summary>Forgets the commands; the smallest arrays are kept for the next ones.</summary>
    public void Clear()
    {
        Requests.Trim();
        ArgumentBytes = 0;
        MemoryBytes = 0;
        _flags = CommandFlags.None;
        _isLoadingAllowed = true;
    }

    /// <inheritdoc/>
    public void Dispose() => Requests.Dispose();
}
