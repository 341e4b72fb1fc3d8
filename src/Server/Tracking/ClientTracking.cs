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
/// <para>A message to the client whose command runs follows its reply, unless a key was evicted for it. Others get theirs
/// at once: what they have been sent before was true then, and nothing older can follow. A client that cannot be told for
/// lack of memory is disconnected, because it would go on with what is no longer true.</para>
/// <para>The table holds at most <c>tracking-table-max-keys</c> names, and half a kilobyte for each of so many. Beyond
/// that keys are taken out at random, as if they had changed. While nobody tracks, a change costs one comparison. Command loop only.</para>
/// </remarks>
internal sealed class ClientTracking
{
    // Keys taken out of a table that is too large: one for each that has come, and so many more per command and turn.
    private const int TrimStep = 1000;

    // The table may be so large in bytes, whatever its keys are called: room for as many keys as it may have of names of
    // some 300 bytes, and at least 2 MB.
    private const long MeanKeyBytes = 512;
    private const long LeastKeys = 4096;
    private const ClientFlags Leaving = ClientFlags.Closing | ClientFlags.CloseAfterReplies;

    private readonly ServerState _server;
    private readonly TrackingTable _table = new();
    private readonly BroadcastTable _prefixes = new();
    private readonly List<int> _positions = [];
    private readonly Predicate<long> _isTracking;
    private readonly InvalidationMessage _message = new();
    private readonly InvalidationMessage _ownMessage = new();
    private readonly byte[][] _oneKey = new byte[1][];

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

    /// <summary>About the bytes that are taken by what is remembered, and by prefixes.</summary>
    public long SizeBytes => _table.SizeBytes + _prefixes.SizeBytes;

    /// <summary>Whether the end of a turn has something to do.</summary>
    public bool HasWork => _prefixes.HasChanges || IsOverLimit;

    private bool IsOverLimit =>
        _server.Config.TrackingTableMaxKeys is > 0 and long most
        && (_table.KeyCount > most || _table.SizeBytes / MeanKeyBytes > Math.Max(most, LeastKeys));

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
        if (!command.TryFindKeys(args, _positions))
        {
            return;
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
            _message.Begin([]);
            foreach (Client client in _server.Clients.All)
            {
                if (client.Tracking is { } session)
                {
                    Tell(client, session, _message);
                }
            }

            _message.End();
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
            BroadcastAll();
        }

        if (IsOverLimit)
        {
            Trim(TrimStep);
        }
    }

    private void BroadcastAll()
    {
        BroadcastPrefix[] changed;
        try
        {
            changed = _prefixes.TakeChanged();
        }
        catch (OutOfMemoryException)
        {
            _prefixes.ForgetChanges();
            DropAll(_server.Clients.All);
            return;
        }

        foreach (BroadcastPrefix prefix in changed)
        {
            Broadcast(prefix);
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
            DropAll(_server.Clients.All);
        }
    }

    private void Invalidate(TrackedKey key, bool isChange)
    {
        _oneKey[0] = key.Name;
        _message.Begin(_oneKey);
        foreach (long id in key.ClientIds)
        {
            if (_server.Clients.Find(id) is { Tracking: { Mode: not TrackingMode.Broadcast } session } client
                && !(isChange && session.SparesOwn && client == _server.RunningClient))
            {
                Tell(client, session, _message);
            }
        }

        _message.End();
    }

    // The keys are put in order once, and spelled once for all who have changed none of them themselves.
    private void Broadcast(BroadcastPrefix prefix)
    {
        try
        {
            List<byte[]> all = prefix.ChangedInOrder();
            _message.Begin(all);
            foreach (Client client in prefix.Clients)
            {
                TrackingSession session = client.Tracking!;
                if (session.SparesOwn && prefix.Changers.Contains(client))
                {
                    TellOfOthers(client, session, prefix, all);
                }
                else if (all.Count > 0)
                {
                    Tell(client, session, _message);
                }
            }
        }
        catch (OutOfMemoryException)
        {
            DropAll(prefix.Clients);
        }
        finally
        {
            _message.End();
            prefix.Forget();
        }
    }

    private void TellOfOthers(Client client, TrackingSession session, BroadcastPrefix prefix, List<byte[]> all)
    {
        List<byte[]> keys = all.FindAll(key => prefix.Changed[key] != client);
        if (keys.Count > 0)
        {
            _ownMessage.Begin(keys);
            Tell(client, session, _ownMessage);
            _ownMessage.End();
        }
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

    // Tells a client, or the one it redirects to.
    private void Tell(Client client, TrackingSession session, InvalidationMessage message)
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
                    PushRedirectBroken(client, session.RedirectId);
                }
            }
            else if (target.Reply.Protocol > 2)
            {
                Push(target, message.AsPush());
            }
            else if (target.Is(ClientFlags.Subscribed) && session.RedirectId != 0)
            {
                Push(target, message.AsPublished());
            }
        }
        catch (OutOfMemoryException)
        {
            Drop(target!);
        }
    }

    private void PushRedirectBroken(Client client, long redirectId)
    {
        ReadOnlySpan<byte> head = ">2\r\n$21\r\ntracking-redir-broken\r\n:"u8;
        Span<byte> text = stackalloc byte[64];
        head.CopyTo(text);
        int length = head.Length + Numbers.FormatInt64(redirectId, text[head.Length..]);
        "\r\n"u8.CopyTo(text[length..]);
        Push(client, text[..(length + 2)]);
    }

    private void Push(Client target, ReadOnlySpan<byte> encoded)
    {
        bool isRunning = target == _server.RunningClient;
        if (isRunning)
        {
            target.DeferPushes(true);
        }

        target.Push(encoded);
        if (isRunning)
        {
            target.DeferPushes(false);
        }
    }

    private static void DropAll(IEnumerable<Client> clients)
    {
        foreach (Client client in clients)
        {
            if (client.Tracking is { Mode: TrackingMode.Broadcast })
            {
                Drop(client);
            }
        }
    }

    private static void Drop(Client client)
    {
        client.CloseNow("no memory to tell of a changed key");
    }

    private void Listen() => _server.Listen(KeyListeners.Tracking, _table.KeyCount > 0 || _prefixes.Count > 0);
}
