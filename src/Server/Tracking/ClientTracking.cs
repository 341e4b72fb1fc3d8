using System.Buffers;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Notifications;

namespace KvServer.Server.Tracking;

/// <summary>Client-side caching: remembers what clients have read, and tells them when it changes.</summary>
/// <remarks>
/// <para>What a client reads is remembered after the command, and forgotten with the message that it has changed: the
/// client has to read it again to be told again. Clients in BCAST mode are told at the end of the turn of every change
/// under their prefixes, and nothing is remembered for them.</para>
/// <para>A message to the client whose command runs follows its reply. Others get theirs at once: what they have been
/// sent before was true then, and nothing older can follow. A client that cannot be told for lack of memory is
/// disconnected, because it would go on with what is no longer true.</para>
/// <para>The table holds at most <c>tracking-table-max-keys</c> names. Beyond that keys are taken out at random, as if
/// they had changed. While nobody tracks, a change costs one comparison. Command loop only.</para>
/// </remarks>
internal sealed class ClientTracking
{
    // Keys taken out of a table that is too large: one for each that has come, and so many more per command and turn.
    private const int TrimStep = 1000;
    private const int MaxKeptMessageBytes = 64 * 1024;
    private const ClientFlags Leaving = ClientFlags.Closing | ClientFlags.CloseAfterReplies;

    private readonly ServerState _server;
    private readonly TrackingTable _table = new();
    private readonly BroadcastTable _prefixes = new();
    private readonly List<int> _positions = [];
    private readonly Predicate<long> _isTracking;
    private ArrayBufferWriter<byte> _message = new();

    /// <summary>Listens to what the store removes by itself.</summary>
    public ClientTracking(ServerState server)
    {
        _server = server;
        _isTracking = id => server.Clients.Find(id) is { Tracking: { Mode: not TrackingMode.Broadcast } };
        server.Keyspace.Expired += (_, key) => KeyChanged(key, changedBy: null);
        server.Keyspace.Evicted += (_, key) => KeyChanged(key, changedBy: null);
        server.Keyspace.FieldsExpired += (_, key, _) => KeyChanged(key, changedBy: null);
    }

    /// <summary>Clients with tracking on.</summary>
    public int ClientCount { get; private set; }

    /// <summary>Keys remembered.</summary>
    public int KeyCount => _table.KeyCount;

    /// <summary>Clients of all keys remembered.</summary>
    public long ItemCount => _table.ItemCount;

    /// <summary>Distinct prefixes of clients in BCAST mode.</summary>
    public int PrefixCount => _prefixes.Count;

    /// <summary>Whether the end of a turn has something to do.</summary>
    public bool HasWork => _prefixes.HasChanges || IsOverLimit;

    private bool IsOverLimit =>
        _table.KeyCount > _server.Config.TrackingTableMaxKeys && _server.Config.TrackingTableMaxKeys > 0;

    /// <summary>Begins to track for a client, or changes how: what is remembered for it stays, prefixes are added.</summary>
    public void Enable(Client client, TrackingMode mode, bool sparesOwn, long redirectId, IReadOnlyList<byte[]> prefixes)
    {
        if (client.Tracking is not { } session)
        {
            client.Tracking = session = new TrackingSession();
            client.Set(ClientFlags.Tracking, on: true);
            ClientCount++;
        }

        session.Mode = mode;
        session.SparesOwn = sparesOwn;
        session.RedirectId = redirectId;
        session.IsRedirectBroken = false;
        if (mode == TrackingMode.Broadcast)
        {
            List<byte[]> added = session.Add(prefixes.Count > 0 ? prefixes : [[]]);
            foreach (byte[] prefix in added)
            {
                _prefixes.Add(client, prefix);
            }
        }

        Listen();
    }

    /// <summary>Ends tracking for a client. O(its prefixes): the keys it has read stay until they change.</summary>
    public void Disable(Client client)
    {
        if (client.Tracking is not { } session)
        {
            return;
        }

        foreach (byte[] prefix in session.Prefixes)
        {
            _prefixes.Remove(client, prefix);
        }

        client.Tracking = null;
        client.Set(ClientFlags.Tracking, on: false);
        ClientCount--;
        Listen();
    }

    /// <summary>Ends tracking for a client that disconnects; with the last one the keys are forgotten.</summary>
    public void Disconnected(Client client)
    {
        Disable(client);
        if (ClientCount == 0 && _table.KeyCount > 0)
        {
            _table.Clear();
            Listen();
        }
    }

    /// <summary>Remembers the keys of a command of a tracking client that has just read them.</summary>
    /// <remarks>O(keys), and as many messages when the table is full.</remarks>
    public void Remember(CommandContext ctx)
    {
        Command command = ctx.Command;
        if (!command.Is(CommandFlags.ReadOnly) || ctx.Client.Tracking is not { Remembers: true })
        {
            return;
        }

        Arguments args = ctx.Args;
        _positions.Clear();
        foreach (KeySpec spec in command.Keys)
        {
            if (!spec.TryFind(args, _positions))
            {
                return;
            }
        }

        try
        {
            foreach (int position in _positions)
            {
                _table.Add(args[position], ctx.Client.Id, _isTracking);
            }
        }
        catch (OutOfMemoryException)
        {
            Drop(ctx.Client);
        }

        Listen();
        if (IsOverLimit)
        {
            Trim(_positions.Count + TrimStep);
        }
    }

    /// <summary>Tells whoever has cached a key that it has changed.</summary>
    /// <param name="key">Its name, in whatever database.</param>
    /// <param name="changedBy">Whose command changed it; null when the server did by itself.</param>
    /// <remarks>O(clients that have read it + distinct lengths of prefixes). Never fails.</remarks>
    public void KeyChanged(ReadOnlySpan<byte> key, Client? changedBy)
    {
        if (_prefixes.Count > 0)
        {
            NoteUnderPrefixes(key, changedBy);
        }

        if (_table.KeyCount > 0 && _table.TryTake(key, out TrackedKey? tracked))
        {
            Invalidate(tracked, isChange: true);
            Listen();
        }
    }

    /// <summary>Tells all clients that all keys are gone.</summary>
    public void Flushed()
    {
        if (ClientCount > 0)
        {
            foreach (Client client in _server.Clients.All)
            {
                if (client.Tracking is { } session)
                {
                    Tell(client, session, keys: []);
                }
            }
        }

        if (_table.KeyCount > 0)
        {
            _table.Clear();
            Listen();
        }
    }

    /// <summary>Tells clients in BCAST mode of the changes of the turn, and takes keys out of a table that is too large.</summary>
    public void EndTurn()
    {
        if (_prefixes.HasChanges)
        {
            foreach (BroadcastPrefix prefix in _prefixes.TakeChanged())
            {
                Broadcast(prefix);
            }
        }

        if (IsOverLimit)
        {
            Trim(TrimStep);
        }
    }

    private void NoteUnderPrefixes(ReadOnlySpan<byte> key, Client? changedBy)
    {
        try
        {
            _prefixes.KeyChanged(key, changedBy);
        }
        catch (OutOfMemoryException)
        {
            foreach (Client client in _server.Clients.All)
            {
                if (client.Tracking is { Mode: TrackingMode.Broadcast })
                {
                    Drop(client);
                }
            }
        }
    }

    private void Invalidate(TrackedKey key, bool isChange)
    {
        byte[][] keys = [key.Name];
        foreach (long id in key.ClientIds)
        {
            if (_server.Clients.Find(id) is { Tracking: { Mode: not TrackingMode.Broadcast } session } client
                && !(isChange && session.SparesOwn && client == _server.RunningClient))
            {
                Tell(client, session, keys);
            }
        }
    }

    private void Broadcast(BroadcastPrefix prefix)
    {
        IReadOnlyList<byte[]> all = prefix.ChangedBut(null);
        foreach (Client client in prefix.Clients)
        {
            TrackingSession session = client.Tracking!;
            IReadOnlyList<byte[]> keys = session.SparesOwn ? prefix.ChangedBut(client) : all;
            if (keys.Count > 0)
            {
                Tell(client, session, keys);
            }
        }

        prefix.Changed.Clear();
    }

    private void Trim(int most)
    {
        for (int i = 0; i < most && IsOverLimit; i++)
        {
            if (_table.TryTake(_table.PickAny().Name, out TrackedKey? key))
            {
                Invalidate(key, isChange: false);
            }
        }
    }

    // Tells a client, or the one it redirects to, that keys have changed: all there are, when none is named.
    private void Tell(Client client, TrackingSession session, IReadOnlyList<byte[]> keys)
    {
        Client? target = client;
        try
        {
            if (session.RedirectId != 0)
            {
                target = _server.Clients.Find(session.RedirectId);
            }

            if (target is null || target.Is(Leaving))
            {
                session.IsRedirectBroken = true;
                target = client;
                if (client.Reply.Protocol > 2)
                {
                    BeginPush("tracking-redir-broken"u8);
                    Write(":"u8, session.RedirectId);
                    Push(client);
                }
            }
            else if (target.Reply.Protocol > 2)
            {
                BeginPush("invalidate"u8);
                WriteKeys(keys, "_\r\n"u8);
                Push(target);
            }
            else if (target.Is(ClientFlags.Subscribed) && session.RedirectId != 0)
            {
                _message.Write("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"u8);
                WriteKeys(keys, "$-1\r\n"u8);
                Push(target);
            }
        }
        catch (OutOfMemoryException)
        {
            Drop(target!);
        }
        finally
        {
            _message.ResetWrittenCount();
            if (_message.Capacity > MaxKeptMessageBytes)
            {
                _message = new ArrayBufferWriter<byte>();
            }
        }
    }

    private void Push(Client target)
    {
        bool isRunning = target == _server.RunningClient;
        if (isRunning)
        {
            target.DeferPushes(true);
        }

        target.Push(_message.WrittenSpan);
        if (isRunning)
        {
            target.DeferPushes(false);
        }
    }

    private void BeginPush(ReadOnlySpan<byte> kind)
    {
        _message.Write(">2\r\n"u8);
        WriteBulk(kind);
    }

    private void WriteKeys(IReadOnlyList<byte[]> keys, ReadOnlySpan<byte> none)
    {
        if (keys.Count == 0)
        {
            _message.Write(none);
            return;
        }

        Write("*"u8, keys.Count);
        foreach (byte[] key in keys)
        {
            WriteBulk(key);
        }
    }

    private void WriteBulk(ReadOnlySpan<byte> bytes)
    {
        Write("$"u8, bytes.Length);
        _message.Write(bytes);
        _message.Write("\r\n"u8);
    }

    private void Write(ReadOnlySpan<byte> sign, long number)
    {
        Span<byte> text = stackalloc byte[20];
        _message.Write(sign);
        _message.Write(text[..Numbers.FormatInt64(number, text)]);
        _message.Write("\r\n"u8);
    }

    private static void Drop(Client client)
    {
        client.Set(ClientFlags.Closing, on: true);
        client.Connection.CloseNow("no memory to tell of a changed key");
    }

    private void Listen() => _server.Listen(KeyListeners.Tracking, _table.KeyCount > 0 || _prefixes.Count > 0);
}
