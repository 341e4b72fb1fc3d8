using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Threading.Tasks.Sources;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Net.Pipes;
using Microsoft.AspNetCore.Connections;

namespace KvServer.Server.Net;

/// <summary>One client: the pipes of its transport, its parser, and the way of its replies.</summary>
/// <remarks>
/// <para>Two worlds meet here. Reading and framing happen on the connection's own thread (its event loop, or whichever
/// pool thread runs <see cref="ReceiveLoopAsync"/>). Everything about the session, the writing end of the output pipe
/// included, belongs to the command loop, whichever thread holds it. They take turns: a batch is handed over with
/// <see cref="ConnectionHost.RunAsync"/> and not touched again before that completes.</para>
/// <para>Life: open, then either <see cref="CloseNow"/> or <see cref="CloseAfterReplies"/> inside the command loop, then
/// <see cref="Settle"/> at the end of that entry takes the session away and leaves the rest to the transport.</para>
/// </remarks>
internal sealed partial class Connection : IClientConnection, IValueTaskSource
{
    private readonly ConnectionHost _host;
    private readonly CommandLoop _loop;
    private readonly PipeWriter _output;
    private readonly RequestReader _requestReader;
    private ManualResetValueTaskSourceCore<bool> _batchRun;
    private RequestBatch? _batch;
    private bool _awaitsBatch;
    private bool _isClosed;
    private bool _protocolBroken;
    private bool _inputEnded;
    private bool _overQueryLimit;
    private bool _closesAfterReplies;
    private bool _isResuming;
    private bool _isRunning;
    private bool _areRepliesReleased;
    private string? _closesNowBecause;
    private ConnectionOutput? _sessionOutput;
    private long _handedOverInputBytes;

    /// <summary>Makes the connection of an accepted transport connection; nothing runs yet.</summary>
    internal Connection(ConnectionContext context, ConnectionHost host, RequestReader requestReader)
    {
        Context = context;
        _host = host;
        _loop = host.CommandLoop;
        _requestReader = requestReader;
        _output = context.Transport.Output;
    }

    /// <summary>The transport's view of this connection.</summary>
    internal ConnectionContext Context { get; }

    /// <summary>The session; <see langword="null"/> before the command loop has made it.</summary>
    internal Client? Client { get; private set; }

    /// <summary>The transport waits in the command loop's list for the end of the entry. Command loop only.</summary>
    internal bool IsTouched { get; set; }

    /// <summary>Whether the session has ended, seen from the command loop.</summary>
    internal bool IsClosed
    {
        get => Volatile.Read(ref _isClosed);
        private set => Volatile.Write(ref _isClosed, value);
    }

    /// <summary>Whether replies not sent yet are to be thrown away. Valid once <see cref="IsClosed"/>.</summary>
    internal bool DropsOutput { get; private set; }

    /// <summary>Whether the batch was left in the middle because the client is blocked or paused.</summary>
    internal bool IsSuspended { get; private set; }

    /// <summary>Whether replies wait for the disk before they are committed; then the batch counts as suspended.</summary>
    internal bool AwaitsDisk { get; private set; }

    /// <summary>Whether the reply to a command is not written to its end yet; the batch counts as suspended.</summary>
    internal bool IsReplying => Client?.LongReply is not null;

    /// <summary>When the last bytes came in, in ms of <see cref="Environment.TickCount64"/>.</summary>
    internal long LastInputMs { get; set; } = Environment.TickCount64;

    /// <inheritdoc/>
    public EndPoint? RemoteEndPoint => Context.RemoteEndPoint;

    /// <inheritdoc/>
    public EndPoint? LocalEndPoint => Context.LocalEndPoint;

    /// <inheritdoc/>
    public int FileDescriptor => Context is EpollConnection epoll ? epoll.Descriptor : -1;

    /// <inheritdoc/>
    public long PendingInputBytes => _requestReader.PendingBytes;

    /// <inheritdoc/>
    public long PendingArgumentBytes => _requestReader.DetachedBytes;

    /// <inheritdoc/>
    public long BatchBytes => (_isRunning || IsSuspended) && _batch is { } batch ? batch.ConsumedBytes : 0;

    /// <inheritdoc/>
    public ProtocolLimits Limits
    {
        set => _requestReader.Limits = value;
    }

    private bool IsStopped => _closesNowBecause is not null || _closesAfterReplies || IsClosed || Client is null;

    /// <summary>Reads, frames and hands over batches until the connection ends.</summary>
    /// <remarks>Both awaits are resumed inline on the connection's own thread, and the state machine is allocated once
    /// for the life of the connection: a turn costs two resumptions and no allocation. A plain callback could save
    /// little: with GET at -P 1, 12 % of the loop's time is spent outside the kernel, about 0.8 us, and all managed code
    /// of a request together, framing and running included, is half of that.</remarks>
    internal async Task ReceiveLoopAsync()
    {
        PipeReader input = Context.Transport.Input;
        long leftoverBytes = 0;
        try
        {
            while (true)
            {
                ReadResult result = await input.ReadAsync();
                ReadOnlySequence<byte> unread = result.Buffer;
                if (IsClosed)
                {
                    input.AdvanceTo(unread.End);
                    return;
                }

                _host.CountReceived(this, unread.Length - leftoverBytes);
                RequestBatch batch = _batch = _host.RentBatch();
                ReadStatus status = _requestReader.ReadAll(ref unread, batch);
                _protocolBroken = status == ReadStatus.ProtocolError;
                _inputEnded = result.IsCompleted && !batch.IsFull;
                _overQueryLimit = _requestReader.PendingBytes > _host.Config.ClientQueryBufferLimitBytes;

                // The arguments in the batch point into result.Buffer, so the pipe
                // moves on only after the command loop has finished with them.
                if (batch.Count > 0 || _protocolBroken || _inputEnded || _overQueryLimit || HasGrownHeavy())
                {
                    _handedOverInputBytes = _requestReader.PendingBytes;
                    await _host.RunAsync(this);
                }

                ReturnBatch();
                leftoverBytes = unread.Length;
                input.AdvanceTo(unread.Start, status == ReadStatus.Incomplete ? unread.End : unread.Start);
                if (_protocolBroken || _inputEnded)
                {
                    return;
                }
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException)
        {
            // The transport broke or was aborted: there is nobody left to tell.
            _loop.Post(() => CloseNow("connection lost"));
        }
        catch (OutOfMemoryException)
        {
            // What it has sent so far is freed with the reader; a smaller request may fit.
            _loop.Post(() => CloseNow("out of memory"));
            Log.InputOutOfMemory(_host.Logger, RemoteEndPoint);
        }
        catch (Exception fault)
        {
            // A bug of ours in framing or running costs this client its connection, not the others theirs.
            Log.ConnectionFailed(_host.Logger, RemoteEndPoint, fault);
            _loop.Post(() => CloseNow("internal error"));
        }
        finally
        {
            ReturnBatch();
            _requestReader.Dispose();
            await input.CompleteAsync();
        }
    }

    /// <summary>Makes the session. Inside the command loop, once, before the first batch.</summary>
    internal void Open(CommandExecutor executor)
    {
        _sessionOutput = new ConnectionOutput(_output, this);
        Client = executor.Accept(this, _sessionOutput);
        _loop.Touch(this);
    }

    /// <summary>Lets go of what a connection holds that never came to have a session.</summary>
    internal void Discard() => _requestReader.Dispose();

    /// <summary>First stage of running the batch: commands are found, buckets asked for.</summary>
    internal void LookAhead(CommandExecutor executor)
    {
        if (!IsStopped)
        {
            executor.LookAhead(Client!, _batch!);
        }
    }

    /// <summary>Second stage of running the batch: entries are asked for.</summary>
    internal void PrefetchEntries(CommandExecutor executor)
    {
        if (!IsStopped)
        {
            CommandExecutor.PrefetchEntries(Client!, _batch!);
        }
    }

    /// <summary>Runs the batch, or the rest of one that was suspended, and what follows from the end of the
    /// input.</summary>
    internal void RunBatch(CommandExecutor executor)
    {
        _isResuming = false;
        if (AwaitsDisk)
        {
            return; // What resumed it did not know.
        }

        bool wasReleased = _areRepliesReleased;
        _areRepliesReleased = false;
        IsSuspended = false;
        if (wasReleased)
        {
            _loop.Touch(this);
        }

        if (IsStopped)
        {
            return;
        }

        _loop.Touch(this);
        if (_overQueryLimit || Client!.TransactionBytes > _host.Config.ClientQueryBufferLimitBytes)
        {
            executor.Statistics.ClientQueryBufferLimitDisconnections++;
            Log.QueryBufferLimit(_host.Logger, Describe());
            CloseNow("query buffer limit");
            return;
        }

        int next = _batch!.Next;
        _isRunning = true;
        bool isThrough = executor.Run(Client!, _batch!);
        _isRunning = false;
        if (_batch.Next != next || !wasReleased)
        {
            AwaitsDisk = WrittenBytes != _committedBytes && executor.HoldsReplyOf(Client!);
        }

        if (AwaitsDisk)
        {
            IsSuspended = true; // What is left of the batch, if anything, runs when the replies so far may go.
            return;
        }

        if (!isThrough && !IsStopped)
        {
            if (IsReplying)
            {
                IsSuspended = true;
                GoOnWhenDrained();
            }
            else if (_inputEnded || _host.HasPeerEnded(this))
            {
                CloseAfterReplies(); // What it waits for would come too late; what it has been told may not.
            }
            else
            {
                IsSuspended = true;
            }

            return;
        }

        if (_protocolBroken && !IsStopped)
        {
            RejectInput(executor);
        }
        else if (_inputEnded)
        {
            CloseAfterReplies();
        }
    }

    /// <summary>Waits for the batch to have run. Called by the host, on the connection's own thread.</summary>
    internal ValueTask BatchRunAsync()
    {
        _batchRun.Reset();
        _awaitsBatch = true;
        return new ValueTask(this, _batchRun.Version);
    }

    /// <summary>Lets the receive loop go on after its batch; does nothing when it does not wait for one.</summary>
    /// <remarks>On the connection's own thread. The receive loop runs inside this call, up to its next wait.</remarks>
    internal void BatchDone()
    {
        if (_awaitsBatch)
        {
            _awaitsBatch = false;
            _batchRun.SetResult(true);
        }
    }

    /// <summary>Commits the replies of the entry that ends, applies the limits on unread ones, and takes the session
    /// away when the connection is to be closed. Command loop only.</summary>
    internal void Settle(CommandExecutor executor)
    {
        if (IsClosed)
        {
            return;
        }

        if (AwaitsDisk && _closesNowBecause is null)
        {
            return; // Even a connection that is to be closed: its last replies wait as well.
        }

        bool committed = _closesNowBecause is null && Commit();
        if (_closesNowBecause is not null || _closesAfterReplies)
        {
            DropsOutput = _closesNowBecause is not null;
            IsClosed = true;
            if (Client is not null)
            {
                executor.Disconnected(Client);
            }

            _output.Complete();
            _host.Close(this);
        }
        else
        {
            if (committed)
            {
                _host.OutputCommitted(this);
            }

            if (Client is not null)
            {
                executor.Account(Client);
            }
        }
    }

    /// <summary>Looks at what only time changes: the soft limit on unread replies and the idle time. Command loop
    /// only, about once a second.</summary>
    internal void Maintain(long nowMs)
    {
        if (IsStopped || Client is null)
        {
            return;
        }

        if (_overSoftLimitSinceMs >= 0)
        {
            CheckOutputLimit();
        }

        _host.Services.Executor.Account(Client);
        _host.Services.Executor.NotePeaks(Client);
        int timeoutSeconds = _host.Config.TimeoutSeconds;
        if (timeoutSeconds > 0 && (!IsSuspended || IsReplying) && !Client.Is(ClientFlags.Subscribed | ClientFlags.Monitor)
            && nowMs - Math.Max(LastInputMs, Volatile.Read(ref _lastDrainMs)) > timeoutSeconds * 1000L)
        {
            Log.IdleClient(_host.Logger, Client.Id);
            CloseNow("idle");
        }
    }

    /// <inheritdoc/>
    public void MarkOutputPending() => _loop.Touch(this);

    /// <inheritdoc/>
    public void Resume()
    {
        // While replies wait for the disk, their release resumes it; and one run of the batch is enough.
        if (IsSuspended && !AwaitsDisk && !_isResuming)
        {
            _isResuming = true;
            _host.Resume(this);
        }
    }

    /// <inheritdoc/>
    public void ReleaseReplies()
    {
        if (AwaitsDisk)
        {
            AwaitsDisk = false;
            _areRepliesReleased = true;
            Resume();
        }
    }

    /// <inheritdoc/>
    public void CloseAfterReplies()
    {
        Client?.LongReply?.WriteRest();
        _closesAfterReplies = true;
        Client?.Set(ClientFlags.CloseAfterReplies, true);
        _loop.Touch(this);
    }

    /// <inheritdoc/>
    public void CloseNow(string reason)
    {
        if (_closesNowBecause is not null || IsClosed)
        {
            return;
        }

        _closesNowBecause = reason;
        Client?.Set(ClientFlags.Closing, true);
        _loop.Touch(this);
    }

    /// <inheritdoc/>
    void IValueTaskSource.GetResult(short token) => _ = _batchRun.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _batchRun.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _batchRun.OnCompleted(continuation, state, token, flags);

    // While the memory of clients is limited, what gathers for a request that is not complete yet has to be told.
    private bool HasGrownHeavy() =>
        _host.Config.MaxMemoryClients.Amount > 0
        && _requestReader.PendingBytes >= _handedOverInputBytes + BlockPool.BlockBytes;

    private void ReturnBatch()
    {
        if (_batch is not null)
        {
            _batch.Clear();
            _host.ReturnBatch(_batch);
            _batch = null;
        }
    }

    private void RejectInput(CommandExecutor executor)
    {
        if (_requestReader.Error.IsHttpRequest)
        {
            _host.ReportAttack();
            CloseNow("looks like HTTP");
            return;
        }

        executor.Reject(Client!, _requestReader.Error);
        CloseAfterReplies();
    }

    private string Describe()
    {
        StringBuilder line = new();
        ClientDescription.Append(line, Client!, Client!.LastActiveMs);
        return line.ToString();
    }
}
