using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Observability;
using KvServer.Server.Persistence;
using KvServer.Server.PubSub;
using KvServer.Server.Transactions;
using KvServer.Storage;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Commands;

/// <summary>Runs framed requests: looks commands up, prefetches their keys, checks, calls handlers, counts.</summary>
/// <remarks>
/// Everything here runs inside the command loop, one request at a time. A batch is worked in waves: the commands of a
/// wave are found, their first keys hashed and the buckets asked for, then the entries, and only then do the handlers
/// run, so that the cache misses of up to <see cref="WaveLength"/> requests overlap.
/// </remarks>
internal sealed partial class CommandExecutor
{
    /// <summary>Requests whose keys are prefetched together; more would push each other out of the first-level cache.</summary>
    public const int WaveLength = 64;

    private const ClientFlags Skips = ClientFlags.ReplySkip | ClientFlags.ReplySkipNext;
    private const ClientFlags Afterwards = ClientFlags.Tracking | ClientFlags.HoldsPushes;
    private const ClientFlags Stops = ClientFlags.Closing | ClientFlags.CloseAfterReplies | ClientFlags.Suspended;

    private readonly ServerState _server;
    private readonly CommandContext _context;
    private readonly CommandContext _queuedContext;
    private readonly CommandGate _gate;
    private readonly PubSubRegistry _pubSub;
    private readonly KeyTraffic _keyTraffic;
    private readonly CommandTiming _timing;
    private readonly Monitors _monitors;
    private readonly ILogger _log;

    public CommandExecutor(ServerState server, ILogger<CommandExecutor> log)
    {
        _server = server;
        _context = new CommandContext(server, RunQueue);
        _queuedContext = new CommandContext(server);
        _gate = new CommandGate(server);
        _pubSub = server.PubSub;
        _keyTraffic = server.KeyTraffic;
        _timing = new CommandTiming(server);
        _monitors = server.Monitors;
        _log = log;
    }

    /// <summary>First stage for the next wave of a batch: finds its commands, hashes their first keys and starts
    /// loading the buckets. Call it for several clients before <see cref="PrefetchEntries"/>.</summary>
    public void LookAhead(Client client, RequestBatch batch) => LookAhead(_server, client, batch);

    /// <inheritdoc cref="LookAhead(Client, RequestBatch)"/>
    /// <param name="server">Whose commands and keys.</param>
    /// <param name="client">Who asks.</param>
    /// <param name="batch">What for.</param>
    /// <param name="isLogged">Whether the requests come from the append-only file, which has names of its own.</param>
    public static void LookAhead(ServerState server, Client client, RequestBatch batch, bool isLogged = false)
    {
        int end = Math.Min(batch.Count, batch.Next + WaveLength);
        for (int i = Math.Max(batch.Next, batch.LookedAhead); i < end; i++)
        {
            ref Request request = ref batch[i];
            Arguments args = batch.ArgumentsOf(i);
            Command? command = isLogged ? server.Commands.FindLogged(args) : server.Commands.Find(args);
            request.Command = command;
            request.FirstKey = 0;
            if (command is { FirstKey: > 0 } && args.Count > command.FirstKey)
            {
                request.FirstKey = command.FirstKey;
                request.KeyHash = server.Keyspace.HashOf(args[command.FirstKey]);
                client.Database.PrefetchBucket(request.KeyHash);
            }
        }

        batch.LookedAhead = end;
    }

    /// <summary>Second stage: the buckets have arrived by now, so the entries they name can be asked for.</summary>
    public static void PrefetchEntries(Client client, RequestBatch batch)
    {
        int end = batch.LookedAhead;
        for (int i = batch.Next; i < end; i++)
        {
            ref Request request = ref batch[i];
            if (request.FirstKey > 0)
            {
                client.Database.PrefetchEntry(request.KeyHash);
            }
        }
    }

    /// <summary>Runs the requests of a batch in order, from where it was left.</summary>
    /// <returns>False when the client was suspended with requests left, or with a reply that is not complete; its connection's
    /// <see cref="Net.IClientConnection.Resume"/> goes on with them.</returns>
    public bool Run(Client client, RequestBatch batch)
    {
        if (client.LongReply?.WritePart() == false)
        {
            return false;
        }

        client.LastActiveMs = _server.Keyspace.NowMs;
        _server.Keyspace.AccessFlags = client.Is(ClientFlags.NoTouch) ? LookupFlags.NoTouch : LookupFlags.None;
        _server.RunningClient = client;
        _timing.Refresh();
        while (batch.Next < batch.Count)
        {
            if (batch.Next >= batch.LookedAhead)
            {
                LookAhead(client, batch);
                PrefetchEntries(client, batch);
            }

            RunWave(client, batch, batch.LookedAhead);
            if ((client.Flags & Stops) != 0)
            {
                break;
            }
        }

        _server.RunningClient = null;
        return !client.Is(ClientFlags.Suspended);
    }

    private void RunWave(Client client, RequestBatch batch, int end)
    {
        CallRun run = default;
        while (batch.Next < end && (client.Flags & Stops) == 0)
        {
            ref Request request = ref batch[batch.Next];
            Command? command = Unsafe.As<Command?>(request.Command);
            if (command != run.Command || request.ArgumentCount > _timing.RunArguments)
            {
                _timing.End(ref run, client, batch);
                run.Command = command;
            }

            if (run.StartedAt == 0)
            {
                run.StartedAt = _timing.Now;
            }

            int index = batch.Next++;
            long bytesBefore = client.Reply.TotalBytesWritten;
            if (Execute(client, batch, index, command, in request))
            {
                run.Calls++;
                run.LastIndex = index;
                if (_timing.EndsRun(command!, request.ArgumentCount, client.Reply.TotalBytesWritten - bytesBefore))
                {
                    _timing.End(ref run, client, batch);
                }
            }
            else if (run.Calls == 0)
            {
                run.StartedAt = 0; // Refused or queued: that time is no command's.
            }

            if (_server.KeyWaits.HasReady)
            {
                _timing.End(ref run, client, batch);
                ServeWaiting();
                run.StartedAt = 0;
            }
        }

        _timing.End(ref run, client, batch);
    }

    /// <returns>True when the handler ran.</returns>
    private bool Execute(
        Client client, RequestBatch batch, int index, Command? command, ref readonly Request request, KeyWait? retried = null,
        byte[]? readyKey = null)
    {
        bool isRetry = retried is not null;
        CommandContext ctx = _context;
        ReplyWriter reply = client.Reply;
        long errorsBefore = reply.ErrorCount;
        long bytesBefore = reply.TotalBytesWritten;
        bool ran = false;
        if (_pubSub.HoldsMessages && (command is null || !command.Is(CommandFlags.MayReplicate) || client.Is(ClientFlags.Subscribed)))
        {
            _pubSub.SendHeld(); // What this call replies, or does to others, comes after them.
        }

        if ((client.Flags & Skips) != 0 && !isRetry)
        {
            client.AdvanceSkip();
        }

        try
        {
            ctx.Begin(client, batch, index, command!, in request);
            client.LastCommand = command is { Subcommands: not null } && request.ArgumentCount > 1 ? null : command;
            if (isRetry)
            {
                ctx.BeginRetry(readyKey!, retried!.State);
            }

            if (command is null)
            {
                CommandGate.RejectUnknown(ctx);
            }
            else if (isRetry || _gate.Admits(ctx, command, client, request.ArgumentCount))
            {
                bytesBefore = reply.TotalBytesWritten; // Pushes about keys evicted for it are no part of its reply.
                if ((_server.Pause.IsActive || _server.Aof.IsBehind) && !isRetry && Holds(client, command))
                {
                    batch.Next = index; // The request stays where it is, and is come back to.
                    return false;
                }

                if ((client.Flags & ClientFlags.Multi) != 0 && !command.Is(CommandFlags.InMulti))
                {
                    ClientTransactions.Queue(client, command, ctx.Args, in request);
                    reply.Queued();
                    return false;
                }

                ran = true;
                PropagationLog log = _server.Propagation;
                bool propagates = log.IsOn;
                int logBefore = log.LengthBytes;
                if (propagates)
                {
                    log.BeginUnit();
                }

                command.Handler(ctx);
                NoteKeys(ctx, command, reply.TotalBytesWritten - bytesBefore);
                if (!isRetry)
                {
                    client.CommandCount++;
                    _server.Statistics.CommandsProcessed++;
                }

                _server.Statistics.Dirty += ctx.Changes;
                if (propagates)
                {
                    ctx.PropagateChanges();
                    log.EndUnit();
                    if (log.LengthBytes != logBefore)
                    {
                        client.LogEnd = _server.Aof.LogEnd;
                    }
                }
            }
        }
        catch (OutOfMemoryException)
        {
            FailForMemory(ctx, client, bytesBefore);
            EndAbandonedUnit();
        }
        catch (Exception fault) // A handler's bug must not take the other clients down: this is the boundary.
        {
            FailByFault(ctx, client, command, fault);
            EndAbandonedUnit();
        }

        if (reply.ErrorCount != errorsBefore)
        {
            if (reply.ErrorCount != _errorsCounted)
            {
                CountErrors(client, command, ran);
            }

            _errorsCounted = 0;
        }

        if (_monitors.Count > 0 && ran && !isRetry)
        {
            _monitors.Show(client, command!, ctx.Args);
        }

        if ((client.Flags & Afterwards) != 0)
        {
            TryFinishCall(ctx, client, command, ran);
        }

        return ran;
    }

    // Outside the boundary above: there is no reply any more that could tell of it.
    private void TryFinishCall(CommandContext ctx, Client client, Command? command, bool ran)
    {
        try
        {
            FinishCall(ctx, client, command, ran);
        }
        catch (OutOfMemoryException)
        {
            client.CloseNow("no memory for what follows its reply");
        }
    }

    // What a client caches of what it has read, and pushes that must not get into the middle of its reply.
    private void FinishCall(CommandContext ctx, Client client, Command? command, bool ran)
    {
        if (client.Tracking is { } tracking)
        {
            if (ran)
            {
                _server.Tracking.Remember(ctx);
            }

            tracking.EndCall(client, command);
        }

        client.ReleasePushes();
    }

    // A call that waits counts when it is served.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void NoteKeys(CommandContext ctx, Command command, long replyBytes)
    {
        if (_keyTraffic.IsOn && command.NamesKeys && !ctx.IsBlocked)
        {
            _keyTraffic.Note(ctx, replyBytes);
        }
    }

    // The heap could not grow. Whatever the handler had not changed by then is as it was; the client is told.
    private void FailForMemory(CommandContext ctx, Client client, long bytesBefore)
    {
        ReplyWriter reply = client.Reply;
        _server.Statistics.Dirty += ctx.Changes;
        client.BreakQueue(); // If it was to be queued, EXEC must not run without it.
        AbandonPropagation(ctx);
        reply.AbandonDeferred();
        bool isCut = reply.TotalBytesWritten != bytesBefore;
        reply.Error(CommandError.AllocationFailed);
        if (isCut)
        {
            client.CloseAfterReplies(); // From here on it would take each reply for that of another command.
        }
    }

    private void FailByFault(CommandContext ctx, Client client, Command? command, Exception fault)
    {
        _server.Statistics.InternalErrors++;
        AbandonPropagation(ctx);
        Log.HandlerFailed(_log, command?.DisplayName ?? "?", client.Id, fault);
        client.Reply.AbandonDeferred();
        client.Reply.Error(CommandError.Internal);
        client.CloseAfterReplies();
    }

    /// <summary>Runs the calls again that wait for keys which the last command, one of these calls or the expiry cycle has
    /// changed.</summary>
    public void ServeWaiting()
    {
        while (_server.KeyWaits.TryTake(out Database database, out byte[] key, out LinkedList<KeyWait>? queue))
        {
            LinkedListNode<KeyWait>? node = queue?.First;
            while (node is not null)
            {
                // Most calls need the key to be there, and each takes something away.
                LinkedListNode<KeyWait>? next = node.Next;
                bool exists = database.TryFind(
                    _server.Keyspace.KeyOf(key), LookupFlags.NoTouch | LookupFlags.NoStats | LookupFlags.Write, out _);
                if (!exists && _server.KeyWaits.WakesWhenGoneCount == 0)
                {
                    break;
                }

                if (exists || node.Value.WakesWhenGone)
                {
                    Retry(node.Value, key);
                }

                node = next;
            }
        }
    }

    private void Retry(KeyWait wait, byte[] readyKey)
    {
        Client client = wait.Client;
        ref Request request = ref wait.Batch[wait.RequestIndex];
        Database selected = client.Database;
        Client? running = _server.RunningClient;
        client.Database = wait.Database;
        _server.RunningClient = client;
        long startedAt = _timing.Now;
        Execute(client, wait.Batch, wait.RequestIndex, wait.Command, in request, wait, readyKey);
        _server.RunningClient = running;
        client.Database = selected;
        if (!_context.IsBlocked)
        {
            _timing.EndWait(wait, startedAt);
            _server.KeyWaits.Remove(wait);
            _server.Blocked.Release(client);
        }
    }

    private bool Holds(Client client, Command command)
    {
        CommandFlags flags = command.FlagsFor(client);
        if (_server.Pause.Holds(flags))
        {
            _server.Pause.Hold(client);
            return true;
        }

        if (_server.Aof.Holds(flags))
        {
            _server.Aof.Hold(client);
            return true;
        }

        return false;
    }

    // What a failed handler had said so far is taken back; the file is written anew in case that was the truth.
    private void AbandonPropagation(CommandContext ctx)
    {
        if (_server.Propagation.IsOn && (_server.Propagation.AbandonPart() || ctx.Changes != 0))
        {
            _server.Aof.RequestRewrite();
        }
    }

    // What was said before the part that failed stays: it was true.
    private void EndAbandonedUnit()
    {
        if (_server.Propagation.IsOn)
        {
            _server.Propagation.EndAbandonedUnit();
        }
    }

    private void CountErrors(Client client, Command? command, bool ran)
    {
        _server.Statistics.CountError(client.Reply.LastErrorCode);
        if (ran && command is not null)
        {
            command.FailedCalls++;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2001, Level = LogLevel.Critical,
            Message = "Command {Command} of client {ClientId} failed with an internal error")]
        public static partial void HandlerFailed(ILogger logger, string command, long clientId, Exception fault);
    }
}
