using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Notifications;
using KvServer.Server.Persistence;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>What a handler sees of one call: arguments, database, client, and where the reply goes.</summary>
/// <remarks>
/// One instance serves the command loop and is filled anew for each call, so that a call allocates nothing. A handler
/// writes exactly one reply. Spans from <see cref="Args"/> end with the call; spans into entries end with the next
/// change of the database.
/// </remarks>
internal sealed class CommandContext(ServerState server, Action<Client>? runQueue = null)
{
    private RequestBatch _batch = null!;
    private int _requestIndex;
    private ulong _firstKeyHash;
    private int _firstKey;
    private bool _isPropagated;
    private bool _isPropagatedAnyway;
    private byte[] _readyKey = [];

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

    /// <summary>Finds a value of one type that is about to be read; tells the client when it is of another.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="type">The type the command works on.</param>
    /// <param name="entry">The entry when the result is true.</param>
    /// <param name="replied">Whether the client has been told that the type is another one.</param>
    /// <returns>False when there is no such value.</returns>
    public bool TryFindForRead(Key key, Storage.ValueType type, out Entry entry, out bool replied) =>
        Exists(Database.FindForRead(key, type, out entry), out replied);

    /// <summary>Finds a value of one type that is about to be changed; tells the client when it is of another.</summary>
    /// <inheritdoc cref="TryFindForRead"/>
    public bool TryFindForWrite(Key key, Storage.ValueType type, out Entry entry, out bool replied) =>
        Exists(Database.FindForWrite(key, type, out entry), out replied);

    /// <summary>Finds the first of several keys that has a value, which is about to be changed; tells the client when it is of
    /// another type.</summary>
    /// <param name="firstKey">The first key argument.</param>
    /// <param name="keyCount">How many there are.</param>
    /// <param name="type">The type it must have.</param>
    /// <param name="key">The key when the result is true.</param>
    /// <param name="entry">The entry when the result is true.</param>
    /// <param name="replied">Whether the client has been told that the type is another one.</param>
    /// <returns>False when there is no such value.</returns>
    /// <remarks>O(keys). A call that is run again is served from the key that has changed, which need not be the first that has a
    /// value, and goes on waiting when that is of another type.</remarks>
    public bool TryFindFirstForWrite(
        int firstKey, int keyCount, Storage.ValueType type, out Key key, out Entry entry, out bool replied)
    {
        for (int i = firstKey; i < firstKey + keyCount; i++)
        {
            key = Key(i);
            if (IsRetry && !key.Bytes.SequenceEqual(_readyKey))
            {
                continue;
            }

            Lookup found = Database.FindForWrite(key, type, out entry);
            if (found == Lookup.Found || (found == Lookup.WrongType && !IsRetry))
            {
                return Exists(found, out replied);
            }
        }

        key = default;
        entry = default;
        replied = false;
        return false;
    }

    /// <summary>Reports a change, which counts towards the next save. Handlers name the key and what happened to it at
    /// every change, so that whoever wants to know of changes has this one place to listen.</summary>
    /// <param name="key">The key that changed.</param>
    /// <param name="keyEvent">What happened to it.</param>
    /// <param name="changes">How much the dirty count grows; most commands change one thing.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void KeyChanged(in Key key, KeyEvent keyEvent, long changes = 1)
    {
        Changes += changes;
        if ((Server.KeyWaits.Count | Server.Transactions.Watched.Count | (int)Server.KeyListeners) > 0)
        {
            TellOfChange(Database, key.Bytes, keyEvent);
        }
    }

    /// <summary>Reports a change of a key that may be in another database than the client's.</summary>
    public void KeyArrived(Database database, in Key key, KeyEvent keyEvent, long changes = 0)
    {
        Changes += changes;
        if ((Server.KeyWaits.Count | Server.Transactions.Watched.Count | (int)Server.KeyListeners) > 0)
        {
            TellOfChange(database, key.Bytes, keyEvent);
        }
    }

    /// <summary>Has the event of a new key published where the store cannot know of it, or not at the right moment.</summary>
    public void KeyIsNew(in Key key) => Server.Keyspace.Added?.Invoke(Database, key.Bytes);

    /// <summary>Reports changes that belong to no single key (FLUSHALL, SWAPDB).</summary>
    public void DatasetChanged(long changes) => Changes += changes;

    /// <summary>Whether an instant is over for a key that is to expire then. Never while a log of commands is replayed:
    /// what the key went through later still has to find it.</summary>
    public bool HasPassed(long atMs) => Server.Keyspace.HasPassed(atMs);

    /// <summary>Whether the call comes from a log of commands that is being replayed: its options were settled when it was
    /// written, and it cannot wait.</summary>
    public bool IsReplayed => Server.Keyspace.IgnoresExpiry;

    /// <summary>Deletes a key that was to expire at an instant already over, and passes that on.</summary>
    public void DeleteExpired(in Key key)
    {
        bool lazily = Server.Config.LazyFreeLazyExpire;
        Database.Delete(key, lazily);
        KeyChanged(key, KeyEvent.Del);
        PropagateAs(lazily ? "UNLINK"u8 : "DEL"u8, key.Bytes);
    }

    /// <summary>The bytes of an argument that was stored as a string; its block may be the value's by now.</summary>
    /// <param name="key">Where it was stored.</param>
    /// <param name="index">Which argument.</param>
    /// <param name="scratch">Of at least <see cref="Entry.ScratchBytes"/>.</param>
    /// <returns>Valid until the next change.</returns>
    public ReadOnlySpan<byte> StoredArgument(in Key key, int index, Span<byte> scratch) =>
        Args.IsTaken(index) && Database.TryFind(key, LookupFlags.NoTouch | LookupFlags.NoStats, out Entry entry)
            ? entry.GetStringSpan(scratch)
            : Args[index];

    /// <summary>Whether changes are passed on, so that the trouble of saying them in another form is worth it.</summary>
    public bool Propagates => Server.Propagation.IsOn;

    /// <summary>Has this call passed on as another request instead of the way it came: one that makes the same change
    /// whenever it runs. Called more than once, all of them are passed on, as one transaction.</summary>
    /// <remarks>A call that reports no change and says nothing here is not passed on. The last argument is a number in
    /// the overloads that take one.</remarks>
    public void PropagateAs(ReadOnlySpan<byte> name, ReadOnlySpan<byte> first)
    {
        if (BeginPropagation(2) is { } log)
        {
            log.Argument(name);
            log.Argument(first);
        }
    }

    /// <inheritdoc cref="PropagateAs(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void PropagateAs(ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (BeginPropagation(3) is { } log)
        {
            log.Argument(name);
            log.Argument(first);
            log.Argument(second);
        }
    }

    /// <inheritdoc cref="PropagateAs(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void PropagateAs(ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, long number)
    {
        Span<byte> text = stackalloc byte[20];
        PropagateAs(name, first, text[..Numbers.FormatInt64(number, text)]);
    }

    /// <inheritdoc cref="PropagateAs(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void PropagateAs(
        ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        if (BeginPropagation(4) is { } log)
        {
            log.Argument(name);
            log.Argument(first);
            log.Argument(second);
            log.Argument(third);
        }
    }

    /// <inheritdoc cref="PropagateAs(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void PropagateAs(
        ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, long number)
    {
        if (BeginPropagation(5) is { } log)
        {
            log.Argument(name);
            log.Argument(first);
            log.Argument(second);
            log.Argument(third);
            log.Argument(number);
        }
    }

    /// <summary>Has this call never passed on the way it came: only what the handler says, or nothing.</summary>
    public void PropagateOnlyAs() => _isPropagated = true;

    /// <summary>Has this call passed on even if it changes nothing here: elsewhere it may.</summary>
    public void PropagateAnyway() => _isPropagatedAnyway = true;

    /// <summary>Begins another request that this call is passed on as.</summary>
    /// <param name="argumentCount">Arguments that the caller then adds, the name included.</param>
    /// <returns>Null when nobody listens.</returns>
    public PropagationLog? BeginPropagation(int argumentCount)
    {
        if (!Propagates)
        {
            return null;
        }

        _isPropagated = true;
        Server.Propagation.Begin(Database, argumentCount);
        return Server.Propagation;
    }

    /// <summary>Passes this call on unless the handler has done so in other words. Command loop only.</summary>
    internal void PropagateChanges()
    {
        if ((Changes == 0 && !_isPropagatedAnyway) || _isPropagated || !Propagates)
        {
            return;
        }

        Server.Propagation.Begin(Database, Args.Count);
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        for (int i = 0; i < Args.Count; i++)
        {
            if (i == 0 && Command.PropagatedName is { } declaredName)
            {
                Server.Propagation.Argument(declaredName); // Whoever reads it may have other names.
                continue;
            }

            // The one argument whose block may have become a value is that of the first key.
            Server.Propagation.Argument(Args.IsTaken(i) ? StoredArgument(Key(_firstKey), i, scratch) : Args[i]);
        }
    }

    /// <summary>Replies that the number of arguments is wrong for this command.</summary>
    public void WrongArity() => Reply.Error(Command.ArityError);

    /// <summary>Selects another database for this client, from the next look-up on.</summary>
    public void Select(Database database)
    {
        Client.Database = database;
        Database = database;
    }

    /// <summary>Whether this call waited for a key and is being run again because the key has changed: it replies if it
    /// can be served now, and passes over keys of the wrong type.</summary>
    public bool IsRetry { get; private set; }

    /// <summary>The key that a call is run again for.</summary>
    public ReadOnlySpan<byte> ReadyKey => _readyKey;

    /// <summary>What a call that is run again has left when it began to wait.</summary>
    public object? WaitState { get; private set; }

    /// <summary>Whether this call waits now, and has not replied.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Lets the client wait until one of its keys changes, when the call is run again. A call that is run again
    /// goes on waiting. Where a client may not wait, the null array comes at once.</summary>
    /// <param name="firstKey">The first key argument.</param>
    /// <param name="keyCount">How many there are, at least 1.</param>
    /// <param name="endsAtMs">When it stops waiting and a null array is replied, in ms since the Unix epoch; 0 for never.</param>
    /// <param name="state">What the call wants to know when it is run again: <see cref="WaitState"/>.</param>
    /// <param name="wakesWhenGone">Run it again also when one of its keys is deleted.</param>
    public void WaitForKeys(int firstKey, int keyCount, long endsAtMs, object? state = null, bool wakesWhenGone = false)
    {
        if (Client.Is(ClientFlags.DenyBlocking))
        {
            Client.Reply.NullArray(); // As when the time is over at once.
            return;
        }

        IsBlocked = true;
        if (IsRetry)
        {
            return;
        }

        HashSet<byte[]> keys = new(PubSub.ByteStringComparer.Instance);
        for (int i = 0; i < keyCount; i++)
        {
            keys.Add(Args[firstKey + i].ToArray());
        }

        KeyWait wait = new(Server, Client, _batch, _requestIndex, Command, Database, [.. keys])
        {
            State = state,
            WakesWhenGone = wakesWhenGone,
        };
        Server.KeyWaits.Add(wait);
        Server.Blocked.Block(Client, wait, endsAtMs);
    }

    /// <summary>Runs the commands the client has queued, and replies with the array of their replies.</summary>
    public void RunQueue() => runQueue!(Client);

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
        _isPropagated = false;
        _isPropagatedAnyway = false;
        IsRetry = false;
        IsBlocked = false;
    }

    /// <summary>Says that the call is one that has waited. After <see cref="Begin"/>.</summary>
    /// <param name="readyKey">The key it is run again for.</param>
    /// <param name="state">What it has left when it began to wait.</param>
    internal void BeginRetry(byte[] readyKey, object? state)
    {
        IsRetry = true;
        _readyKey = readyKey;
        WaitState = state;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TellOfChange(Database database, ReadOnlySpan<byte> key, KeyEvent keyEvent)
    {
        if (Server.KeyWaits.Count > 0 && keyEvent.Wakes())
        {
            Server.KeyWaits.Note(database, key);
        }

        if (keyEvent.IsWatched())
        {
            Server.Transactions.Watched.KeyChanged(database, key);
            if ((Server.KeyListeners & KeyListeners.Tracking) != 0)
            {
                Server.Tracking.KeyChanged(key, Client);
            }
        }

        if ((Server.KeyListeners & KeyListeners.Notifications) != 0 && keyEvent != KeyEvent.New)
        {
            Server.Notifications.Notify(database, key, keyEvent);
        }
    }

    private bool Exists(Lookup found, out bool replied)
    {
        replied = found == Lookup.WrongType;
        if (replied)
        {
            Reply.Error(CommandError.WrongType);
        }

        return found == Lookup.Found;
    }
}
