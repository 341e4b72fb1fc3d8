using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>What a handler sees of one call: arguments, database, client, and where the reply goes.</summary>
/// <remarks>
/// One instance serves the command loop and is filled anew for each call, so that a call allocates nothing. A handler
/// writes exactly one reply. Spans from <see cref="Args"/> end with the call; spans into entries end with the next
/// change of the database.
/// </remarks>
internal sealed class CommandContext(ServerState server)
{
    private RequestBatch _batch = null!;
    private int _requestIndex;
    private ulong _firstKeyHash;
    private int _firstKey;

    public ServerState Server { get; } = server;

    public Client Client { get; private set; } = null!;

    public Command Command { get; private set; } = null!;

    /// <summary>The client's selected database.</summary>
    public Database Database { get; private set; } = null!;

    public ReplyWriter Reply { get; private set; } = null!;

    /// <summary>Wall clock of this turn of the loop, ms since the Unix epoch. All commands of a turn see one time.</summary>
    public long NowMs => Server.Keyspace.NowMs;

    /// <summary>Changes this call reported, for the dirty count.</summary>
    public long Changes { get; private set; }

    /// <summary>The arguments; index 0 is the command's name.</summary>
    public Arguments Args
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _batch.ArgumentsOf(_requestIndex);
    }

    /// <summary>The argument at <paramref name="index"/> as a key with its hash; the first key's is known already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Key Key(int index)
    {
        ReadOnlySpan<byte> bytes = Args[index];
        return index == _firstKey ? new Key(bytes, _firstKeyHash) : Server.Keyspace.KeyOf(bytes);
    }

    /// <summary>Reports a change, which counts towards the next save. Handlers name the key and what happened to it at
    /// every change, so that whoever wants to know of changes has this one place to listen.</summary>
    /// <param name="key">The key that changed.</param>
    /// <param name="keyEvent">What happened to it.</param>
    /// <param name="changes">How much the dirty count grows; most commands change one thing.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void KeyChanged(in Key key, KeyEvent keyEvent, long changes = 1)
    {
        _ = key;
        _ = keyEvent;
        Changes += changes;
    }

    /// <summary>Reports changes that belong to no single key (FLUSHALL, SWAPDB).</summary>
    public void DatasetChanged(long changes) => Changes += changes;

    /// <summary>Replies that the number of arguments is wrong for this command.</summary>
    public void WrongArity() => Reply.Error(Command.ArityError);

    /// <summary>Selects another database for this client, from the next look-up on.</summary>
    public void Select(Database database)
    {
        Client.Database = database;
        Database = database;
    }

    /// <summary>Points the context at the next call. Command loop only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Begin(Client client, RequestBatch batch, int requestIndex, Command command, ref readonly Request request)
    {
        _batch = batch;
        _requestIndex = requestIndex;
        _firstKeyHash = request.KeyHash;
        _firstKey = request.FirstKey;
        Client = client;
        Database = client.Database;
        Reply = client.Reply;
        Command = command;
        Changes = 0;
    }
}
