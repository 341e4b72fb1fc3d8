using System.Diagnostics.CodeAnalysis;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Config;

namespace KvServer.Server.Persistence.Aof;

/// <summary>The append-only file as the command loop sees it: what is written, who waits for it, when it is rewritten.</summary>
/// <remarks>
/// <para>At the end of every entry of the loop (<see cref="EndTurn"/>) the text that its commands left in the
/// <see cref="PropagationLog"/> goes to the <see cref="AofWriter"/>. With <c>appendfsync always</c> the replies of that
/// entry are held until the disk has it, while the loop goes on with other clients' commands.</para>
/// <para>When the disk falls behind, commands that write wait, and nothing else does: with <c>everysec</c> nothing is
/// accepted while something accepted more than two seconds ago is not on disk.</para>
/// <para>Rewriting is in <c>AppendOnlyFile.Rewrite.cs</c>. Command loop only.</para>
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Close ends the writer; the file can be opened again afterwards.")]
internal sealed partial class AppendOnlyFile
{
    private const int MaxDelayMs = 2000;
    private const long MaxPendingBytes = 256 * 1024 * 1024;

    private readonly ServerState _server;
    private readonly PropagationLog _log;
    private readonly HeldClients _heldWriters = new();
    private readonly ReplyHold _heldReplies = new();
    private readonly List<AofWait> _waits = [];
    private Action<Action> _post = static work => work();
    private AofWriter? _writer;
    private long _lastEnd;
    private long _sizeAtEnd;
    private string? _error;
    private int _heldInTurn;

    /// <summary>Makes one that is off.</summary>
    public AppendOnlyFile(ServerState server)
    {
        _server = server;
        _log = server.Propagation;
    }

    /// <summary>Whether commands are written.</summary>
    public AofState State { get; private set; }

    /// <summary>Where the log ends now, in bytes since the start of the process.</summary>
    public long LogEnd => (_writer?.AppendedEnd ?? _lastEnd) + _log.LengthBytes;

    /// <summary>How far the log is on disk.</summary>
    public long DurableEnd => _writer?.DurableEnd ?? _lastEnd;

    /// <summary>Why the file cannot be written, or null.</summary>
    public string? Error => _error;

    /// <summary>Bytes of all files, those that wait to be written included.</summary>
    public long SizeBytes => State == AofState.Off ? 0 : _sizeAtEnd + LogEnd;

    /// <summary>Bytes of all files after the last rewrite, or at the start.</summary>
    public long BaseSizeBytes { get; private set; }

    /// <summary>Bytes that wait to be written.</summary>
    public long BufferedBytes => _writer is null ? 0 : LogEnd - _writer.WrittenEnd;

    /// <summary>Times that forcing the file to disk took too long.</summary>
    public long DelayedFsyncs => _writer?.DelayedFsyncs ?? 0;

    /// <summary>Whether bytes wait to be forced to disk.</summary>
    public bool HasUnsyncedBytes => _writer is not null && _writer.DurableEnd < _writer.WrittenEnd;

    /// <summary>Clients that wait because the disk has fallen behind.</summary>
    public int HeldWriterCount => _heldWriters.Count;

    /// <summary>Whether the disk has fallen behind, so that commands that write must wait.</summary>
    public bool IsBehind { get; private set; }

    private ServerConfig Config => _server.Config;

    private bool HoldsReplies =>
        State == AofState.On && Config.AppendFsync == AppendFsync.Always && _writer is { PostponesFsync: false };

    /// <summary>Says how the writer's thread gets something done inside the command loop, which it must not enter itself:
    /// the loop waits for it now and then. Once, before the file is opened.</summary>
    public void PostWith(Action<Action> post) => _post = post;

    /// <summary>Whether a call that may do these things must wait until the disk has caught up; then it is to be held.</summary>
    public bool Holds(CommandFlags flags) => IsBehind && (flags & CommandFlags.Write) != 0;

    /// <summary>Suspends a client until the disk has caught up.</summary>
    public void Hold(Client client) => _heldWriters.Hold(client);

    /// <summary>Whether replies written now must wait for the disk. If so the client's connection is resumed when they
    /// may go, or closed if the disk refuses.</summary>
    /// <remarks>While it refuses, writes are refused as well and other replies go at once.</remarks>
    public bool HoldsReplyOf(Client client)
    {
        if (!HoldsReplies || _error is not null || LogEnd <= DurableEnd)
        {
            return false;
        }

        _heldReplies.Add(client, LogEnd);
        _heldInTurn++;
        return true;
    }

    /// <summary>Lets a client wait until the log is on disk as far as its own last change: WAITAOF.</summary>
    /// <param name="client">Who waits.</param>
    /// <param name="command">In which command.</param>
    /// <param name="endsAtMs">When it stops waiting, in ms since the Unix epoch; 0 for never.</param>
    /// <param name="isEndable">False when reaching that place is not enough.</param>
    public void Wait(Client client, Command command, long endsAtMs, bool isEndable)
    {
        AofWait wait = new(_server, client, command, client.LogEnd, isEndable);
        _waits.Add(wait);
        _server.Blocked.Block(client, wait, endsAtMs);
    }

    /// <summary>Ends a client's wait after it has been replied to.</summary>
    public void EndWait(AofWait wait)
    {
        _waits.Remove(wait);
        _server.Blocked.Release(wait.Client);
    }

    /// <summary>Forgets a client that disconnects.</summary>
    public void Remove(Client client)
    {
        _heldWriters.Remove(client);
        if (_heldReplies.Count > 0)
        {
            _heldReplies.Remove(client);
        }

        if (_waits.Count > 0)
        {
            _waits.RemoveAll(wait => wait.Client == client);
        }
    }

    /// <summary>Passes on what the commands of an entry have changed. At the end of every entry of the loop.</summary>
    public void EndTurn()
    {
        if (_log.LostRequests)
        {
            _log.LostRequests = false;
            RequestRewrite();
        }

        if (_log.LengthBytes > 0 && _writer is { } writer)
        {
            writer.Append(_log, _heldInTurn);
            CheckDelay(writer);
        }

        _heldInTurn = 0;
    }

    /// <summary>Follows the options that can change at run time.</summary>
    public void ApplyOptions()
    {
        _log.WritesTimestamps = Config.AofTimestampEnabled;
        if (_writer is { } writer)
        {
            writer.Policy = Config.AppendFsync;
            writer.PostponesFsync = Config.NoAppendFsyncOnRewrite && _server.Snapshots.IsWalking;
        }

        if (!HoldsReplies)
        {
            _heldReplies.Release(long.MaxValue);
        }
    }

    /// <summary>Does what is due: rewrites, looking after the disk.</summary>
    public void Tick()
    {
        if (State != AofState.Off && _writer is { } writer)
        {
            writer.PostponesFsync = Config.NoAppendFsyncOnRewrite && _server.Snapshots.IsWalking;
            if (!HoldsReplies && _heldReplies.Count > 0)
            {
                _heldReplies.Release(long.MaxValue);
            }

            CheckDelay(writer);
            if (_server.Latency.IsOn)
            {
                NoteSlowDisk(writer);
            }
        }

        TickRewrite();
    }

    /// <summary>Writes everything and forces it to disk, while everybody waits.</summary>
    /// <returns>Why that failed, or null.</returns>
    public string? Flush()
    {
        _log.EndUnit(); // The command that asks for this changes nothing itself.
        EndTurn();
        string? error = _writer?.Drain();
        OnProgress();
        return error;
    }

    /// <summary>Stops writing: what there is is on disk first. For CONFIG SET appendonly no, and the end.</summary>
    public void Close()
    {
        if (State == AofState.Off)
        {
            return;
        }

        GiveUpRewrite();
        if (Flush() is { } error)
        {
            Log.AofNotForced(_server.Log, error);
        }

        State = AofState.Off;
        StopWriter();
        _folder = null;
        _isNeeded = false;
        _log.Stop();
        SetError(null);
        IsBehind = false;
        _heldWriters.ReleaseAll();
        _heldReplies.Release(long.MaxValue);
        foreach (AofWait wait in _waits.ToArray())
        {
            wait.TryEnd(withError: false);
        }
    }

    private AofWriter StartWriter()
    {
        if (_writer is null)
        {
            _writer = new AofWriter(Config.AppendFsync, _lastEnd);
            _writer.Progressed += () => _post(OnProgress);
        }

        return _writer;
    }

    private void StopWriter()
    {
        if (_writer is { } writer)
        {
            writer.Dispose();
            _lastEnd = writer.AppendedEnd;
            _writer = null;
        }
    }

    // Inside the loop, after the disk has got further or has begun or ceased to refuse.
    private void OnProgress()
    {
        if (_writer is not { } writer)
        {
            return;
        }

        SetError(State == AofState.Off ? null : writer.Error);
        _heldReplies.Release(writer.DurableEnd);
        if (State == AofState.On)
        {
            foreach (AofWait wait in _waits.ToArray())
            {
                wait.TryEndAt(writer.DurableEnd);
            }
        }

        if (IsBehind)
        {
            CheckDelay(writer);
        }

        if (writer.MustRewrite)
        {
            RequestRewrite();
        }
    }

    private void SetError(string? error)
    {
        if (error == _error)
        {
            return;
        }

        if (error is not null && _error is null)
        {
            Log.AofWriteFailed(_server.Log, error);
            _heldReplies.Abandon(); // Neither "done" nor "refused" would be true.
        }
        else if (error is null)
        {
            Log.AofWritesAgain(_server.Log);
        }

        _error = error;
        _server.Restrict(Restrictions.AofFails, error is not null);
    }

    // Only with "always" do clients wait for the disk each time it is forced.
    private void NoteSlowDisk(AofWriter writer)
    {
        (long writeMs, long fsyncMs) = writer.TakeLongest();
        _server.Latency.AddIfSlow("aof-write", writeMs);
        _server.Latency.AddIfSlow(_server.Snapshots.IsSaving ? "aof-write-active-child" : "aof-write-alone", writeMs);
        if (writer.Policy == AppendFsync.Always)
        {
            _server.Latency.AddIfSlow("aof-fsync-always", fsyncMs);
        }
    }

    private void CheckDelay(AofWriter writer)
    {
        bool isBehind = writer.AppendedEnd - writer.WrittenEnd > MaxPendingBytes
            || (Config.AppendFsync == AppendFsync.EverySecond
                && !writer.PostponesFsync
                && writer.UnsyncedSinceMs is >= 0 and long since
                && Environment.TickCount64 - since > MaxDelayMs);
        isBehind &= State == AofState.On && _error is null; // Writes are refused then, which says more than waiting.
        if (isBehind == IsBehind)
        {
            return;
        }

        IsBehind = isBehind;
        if (isBehind)
        {
            Log.AofBehind(_server.Log, writer.AppendedEnd - writer.DurableEnd);
        }
        else
        {
            _heldWriters.ReleaseAll();
        }
    }
}
