using System.Buffers;
using KvServer.Resp;
using KvServer.Server.Net;
using KvServer.Storage;

namespace KvServer.Server.Clients;

/// <summary>The session of one connection: who it is, what it selected, how it wants its replies.</summary>
/// <remarks>Belongs to the command loop: no other thread reads or writes it.</remarks>
internal sealed class Client(long id, IClientConnection connection, ReplyWriter reply, Database database)
{
    private const int MaxKeptPushBytes = 64 * 1024;
    private const int MaxHeldPushBytes = 256 * 1024 * 1024;
    private const int MaxPushesBesideReply = 64 * 1024;

    private ArrayBufferWriter<byte>? _heldPushes;

    /// <summary>Unique and ascending for the life of the process; starts at 1.</summary>
    public long Id { get; } = id;

    public IClientConnection Connection { get; } = connection;

    public ReplyWriter Reply { get; } = reply;

    /// <summary>Where it comes from, as CLIENT LIST shows it; see <see cref="ClientDescription.AddressOf"/>.</summary>
    public string Address => field ??= ClientDescription.AddressOf(this);

    /// <summary>The selected database.</summary>
    public Database Database { get; set; } = database;

    public ClientFlags Flags { get; set; }

    /// <summary>False while a password is required and has not been given.</summary>
    public bool Authenticated { get; set; }

    /// <summary>The ACL user; the default one until AUTH names another. Null for a client of the server's own, which may do
    /// everything.</summary>
    public Acl.AclUser? User { get; set; }

    /// <summary>CLIENT SETNAME's name, empty when none.</summary>
    public byte[] Name { get; set; } = [];

    public byte[] LibraryName { get; set; } = [];

    public byte[] LibraryVersion { get; set; } = [];

    /// <summary>When the connection was accepted, in ms since the Unix epoch.</summary>
    public long CreatedAtMs { get; init; }

    /// <summary>When its last batch arrived, in ms since the Unix epoch.</summary>
    public long LastActiveMs { get; set; }

    /// <summary>The command that it called last, for CLIENT LIST; null when there was none of that name.</summary>
    public Commands.Command? LastCommand { get; set; }

    /// <summary>Commands run for this client.</summary>
    public long CommandCount { get; set; }

    /// <summary>Where the log of changes ended behind the last change this client made; see
    /// <see cref="Persistence.Aof.AofWriter"/>.</summary>
    public long LogEnd { get; set; }

    /// <summary>The commands queued since MULTI; null outside of a transaction.</summary>
    public Transactions.Transaction? Transaction { get; set; }

    /// <summary>The keys it watches; null when it never has.</summary>
    public HashSet<Transactions.Watch>? Watches { get; set; }

    /// <summary>Bytes held for its queued commands and watched keys, bookkeeping included.</summary>
    public long TransactionBytes { get; set; }

    /// <summary>What <see cref="ClientEviction"/> has counted for it, in bytes.</summary>
    public long AccountedBytes { get; set; }

    /// <summary>What it waits for in a blocking command, else null.</summary>
    public IClientWait? Wait { get; set; }

    /// <summary>What is left to write of its last command's reply, else null; its batch is held until then.</summary>
    public Commands.LongReply? LongReply { get; set; }

    /// <summary>Its subscriptions; null while it has had none.</summary>
    public PubSub.Subscriptions? Subscriptions { get; set; }

    /// <summary>What it asked for with CLIENT TRACKING ON, else null.</summary>
    public Tracking.TrackingSession? Tracking { get; set; }

    /// <summary>Bytes of pushes that wait for the end of a command or of a long reply.</summary>
    public long HeldPushBytes => _heldPushes?.WrittenCount ?? 0;

    /// <summary>True when <paramref name="flag"/> is set.</summary>
    public bool Is(ClientFlags flag) => (Flags & flag) != 0;

    /// <summary>Sets or clears <paramref name="flag"/>.</summary>
    public void Set(ClientFlags flag, bool on) => Flags = on ? Flags | flag : Flags & ~flag;

    /// <summary>Notes that a command has been refused: inside MULTI that makes EXEC refuse all of them.</summary>
    public void BreakQueue() => Set(ClientFlags.QueueBroken, Is(ClientFlags.Multi));

    /// <summary>Silences replies for good (CLIENT REPLY OFF) until <see cref="StopSilence"/>.</summary>
    public void SilenceAll()
    {
        Flags = (Flags & ~(ClientFlags.ReplySkip | ClientFlags.ReplySkipNext)) | ClientFlags.ReplyOff;
        Reply.Suppressed = true;
    }

    /// <summary>Silences the reply to the next command only (CLIENT REPLY SKIP).</summary>
    public void SilenceNext()
    {
        if (!Is(ClientFlags.ReplyOff))
        {
            Flags |= ClientFlags.ReplySkipNext;
        }
    }

    /// <summary>Replies again, from now on.</summary>
    public void StopSilence()
    {
        Flags &= ~(ClientFlags.ReplyOff | ClientFlags.ReplySkip | ClientFlags.ReplySkipNext);
        Reply.Suppressed = false;
    }

    /// <summary>Moves CLIENT REPLY SKIP on by one command. Called before each command while one of its flags is set.</summary>
    public void AdvanceSkip()
    {
        bool skips = Is(ClientFlags.ReplySkipNext);
        Flags &= ~(ClientFlags.ReplySkip | ClientFlags.ReplySkipNext);
        Set(ClientFlags.ReplySkip, skips);
        Reply.Suppressed = skips;
    }

    /// <summary>Sends bytes that answer no request of this client: a message or another push.</summary>
    /// <remarks>CLIENT REPLY OFF and SKIP silence replies, not these. Sent at the end of this entry of the loop; dropped
    /// when the client is to be closed.</remarks>
    public void Push(ReadOnlySpan<byte> encoded)
    {
        if (Is(ClientFlags.Closing | ClientFlags.CloseAfterReplies))
        {
            return;
        }

        // A push stands between replies, not in one.
        if (Is(ClientFlags.DefersPushes) || (LongReply is not null && HeldPushBytes + encoded.Length <= MaxPushesBesideReply))
        {
            Hold(encoded);
            return;
        }

        LongReply?.WriteRest();
        bool suppressed = Reply.Suppressed;
        Reply.Suppressed = false;
        Reply.Raw(encoded);
        Reply.Suppressed = suppressed;
        Connection.MarkOutputPending();
    }

    /// <summary>Sends bytes that many clients get, as <see cref="Push"/> does, where possible without a copy.</summary>
    /// <param name="encoded">Must not change any more.</param>
    public void PushShared(byte[] encoded)
    {
        if (!Reply.IsIdle || LongReply is not null || Is(ClientFlags.DefersPushes))
        {
            Push(encoded);
        }
        else if (!Is(ClientFlags.Closing | ClientFlags.CloseAfterReplies))
        {
            Connection.PushShared(encoded);
        }
    }

    /// <summary>Begins or ends to hold pushes back: those that the client's own command causes while it runs must not get
    /// into the middle of its reply.</summary>
    public void DeferPushes(bool on) => Set(ClientFlags.DefersPushes, on);

    /// <summary>Sends what has been held back: after the reply of the command, or before it what was evicted for the command.
    /// </summary>
    /// <remarks>Does nothing when there is nothing, or while a long reply is not complete: its end releases them.</remarks>
    public void ReleasePushes()
    {
        if (!Is(ClientFlags.HoldsPushes) || LongReply is not null)
        {
            return;
        }

        ArrayBufferWriter<byte> held = _heldPushes!;
        Set(ClientFlags.HoldsPushes, on: false);
        try
        {
            Push(held.WrittenSpan);
        }
        catch (OutOfMemoryException)
        {
            CloseNow("no memory for pushes"); // It would believe that nothing has changed.
        }

        held.ResetWrittenCount();
        if (held.Capacity > MaxKeptPushBytes)
        {
            _heldPushes = null;
        }
    }

    private void Hold(ReadOnlySpan<byte> encoded)
    {
        _heldPushes ??= new ArrayBufferWriter<byte>();
        if (_heldPushes.WrittenCount + (long)encoded.Length > MaxHeldPushBytes)
        {
            CloseNow("too many pushes by one command");
            return;
        }

        _heldPushes.Write(encoded);
        Set(ClientFlags.HoldsPushes, on: true);
    }

    /// <summary>Runs nothing further for this client and closes it; what has not been sent is dropped.</summary>
    /// <param name="reason">For the log.</param>
    public void CloseNow(string reason)
    {
        Set(ClientFlags.Closing, on: true);
        Connection.CloseNow(reason);
    }

    /// <summary>Runs nothing further for this client and closes it once its replies are out.</summary>
    public void CloseAfterReplies()
    {
        Flags |= ClientFlags.CloseAfterReplies;
        Connection.CloseAfterReplies();
    }
}
