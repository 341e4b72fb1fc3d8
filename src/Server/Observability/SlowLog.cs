using System.Globalization;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <summary>The calls that took longer than slowlog-log-slower-than, the newest first, at most slowlog-max-len.</summary>
/// <remarks>An entry takes at most some 5 KB, however large the call was. Command loop only.</remarks>
internal sealed class SlowLog(ServerState server)
{
    private const int MaxArguments = 32;
    private const int MaxArgumentBytes = 128;

    private readonly LinkedList<SlowLogEntry> _entries = [];
    private long _nextId;

    /// <summary>The entries, the newest first.</summary>
    public IReadOnlyCollection<SlowLogEntry> Entries => _entries;

    /// <summary>Adds a call, and drops the oldest ones that are too many. O(arguments kept).</summary>
    /// <param name="client">Who called.</param>
    /// <param name="command">What.</param>
    /// <param name="args">The arguments as they came; the call has run.</param>
    /// <param name="micros">How long it took, in microseconds.</param>
    public void Add(Client client, Command command, Arguments args, long micros)
    {
        _entries.AddFirst(new SlowLogEntry(
            _nextId++,
            server.Clock.GetUtcNow().ToUnixTimeSeconds(),
            micros,
            Copy(client, command, args),
            client.Address,
            client.Name));
        while (_entries.Count > server.Config.SlowlogMaxLen)
        {
            _entries.RemoveLast();
        }
    }

    /// <summary>Forgets all entries. Ids go on from where they are.</summary>
    public void Clear() => _entries.Clear();

    private byte[][] Copy(Client client, Command command, Arguments args)
    {
        byte[][] copies = new byte[Math.Min(args.Count, MaxArguments)][];
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        for (int i = 0; i < copies.Length; i++)
        {
            copies[i] = args.Count > MaxArguments && i == MaxArguments - 1
                ? Text($"... ({args.Count - MaxArguments + 1} more arguments)")
                : Cut(ShownArgument.Read(server.Keyspace, client.Database, command, args, i, scratch));
        }

        return copies;
    }

    private static byte[] Cut(ReadOnlySpan<byte> argument) => argument.Length <= MaxArgumentBytes
        ? argument.ToArray()
        : [.. argument[..MaxArgumentBytes], .. Text($"... ({argument.Length - MaxArgumentBytes} more bytes)")];

    private static byte[] Text(FormattableString text) =>
        Encoding.ASCII.GetBytes(text.ToString(CultureInfo.InvariantCulture));
}
