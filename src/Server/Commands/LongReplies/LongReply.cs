using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>What is left to say of a reply that is too long for one turn: the elements of a large value go out in parts, while
/// other clients are served in between.</summary>
/// <remarks>
/// <para>The client sees one reply, of the value as it was when the command ran: before the value changes, the rest is written
/// at once (<see cref="PartialRead"/>), unless the reader has a share that nobody changes. Its next request waits meanwhile. No
/// part is written while the client has more than <see cref="MaxUnreadBytes"/> to read, so a reply of any length takes little
/// memory unless somebody changes the value.</para>
/// <para>Command loop only.</para>
/// </remarks>
internal abstract class LongReply(CommandContext ctx) : PartialRead
{
    /// <summary>Values with fewer elements are written at once.</summary>
    public const int MinElements = 8192;

    /// <summary>Bytes a client may have left to read when the next part is written.</summary>
    public const long MaxUnreadBytes = 1024 * 1024;

    // Together some hundreds of microseconds, also where every element is a miss of the cache.
    private const int PartElements = 2048;
    private const long PartBytes = 256 * 1024;

    private readonly ServerState _server = ctx.Server;
    private readonly Client _client = ctx.Client;
    private readonly Command _command = ctx.Command;
    private bool _isUnderWay;

    /// <summary>The database the command ran on; its data may be another's by now, which does not matter for reading.</summary>
    protected Database Database { get; } = ctx.Database;

    /// <summary>The key that is read.</summary>
    protected virtual ReadOnlySpan<byte> KeyBytes => Entry.KeyBytes;

    /// <summary>Whether so many elements are to go out in parts: not inside a transaction, whose replies are one.</summary>
    public static bool Pays(CommandContext ctx, long elements) =>
        elements >= MinElements && !ctx.Client.Is(ClientFlags.DenyBlocking) && !ctx.IsRetry;

    /// <summary>Writes the next part.</summary>
    /// <returns>Whether it was the last; the client goes on with its next request then.</returns>
    /// <remarks>At most some thousand elements.</remarks>
    public bool WritePart()
    {
        long nanosBefore = _command.ElapsedNanos;
        bool isLast = Write(PartElements, _client.Reply.TotalBytesWritten + PartBytes);

        // Not so in WriteRest: whose call that is part of counts the time.
        _server.Statistics.Loop.AddCommands(_command.ElapsedNanos - nanosBefore);
        if (isLast)
        {
            Abandon();
            _client.ReleasePushes();
        }

        return isLast;
    }

    /// <summary>Writes everything that is left: something else is to follow, or the value is about to change.</summary>
    public void WriteRest()
    {
        if (!_isUnderWay)
        {
            return;
        }

        Invariant.Check(Write(long.MaxValue, long.MaxValue), "a reply without a limit comes to its end");
        Abandon();
        _client.ReleasePushes();
        _client.Connection.MarkOutputPending();
        _client.Connection.Resume();
    }

    /// <summary>Ends without the rest: the client is gone, or has everything.</summary>
    public void Abandon()
    {
        End();
        Release();
        _isUnderWay = false;
        _client.LongReply = null;
        _client.Set(ClientFlags.Suspended, on: false);
    }

    /// <inheritdoc/>
    protected sealed override void Complete() => WriteRest();

    /// <summary>Has the rest of the reply follow in parts, until the value of an entry changes. Its head has been
    /// written.</summary>
    protected void Begin(Entry entry)
    {
        Begin(_server.Keyspace, entry);
        Begin();
    }

    /// <summary>Has the rest of the reply follow in parts, of something that does not change. Its head has been
    /// written.</summary>
    protected void Begin()
    {
        _isUnderWay = true;
        _client.LongReply = this;
        _client.Set(ClientFlags.Suspended, on: true);
    }

    /// <summary>Writes elements.</summary>
    /// <param name="reply">Where to.</param>
    /// <param name="elements">How many at most.</param>
    /// <param name="endBytes">Where <see cref="ReplyWriter.TotalBytesWritten"/> is enough.</param>
    /// <returns>Whether there are no more.</returns>
    protected abstract bool Write(ReplyWriter reply, long elements, long endBytes);

    /// <summary>Lets go of what was kept for reading.</summary>
    protected virtual void Release()
    {
        // Most read the key's own value.
    }

    private bool Write(long elements, long endBytes)
    {
        long startedAt = _server.Clock.GetTimestamp();
        long bytesBefore = _client.Reply.TotalBytesWritten;
        bool isLast = Write(_client.Reply, elements, endBytes);
        if (_server.KeyTraffic.IsOn)
        {
            long bytes = _client.Reply.TotalBytesWritten - bytesBefore;
            _server.KeyTraffic.NoteMore(_server.Keyspace, Database, KeyBytes, bytes);
        }

        _command.ElapsedNanos += (long)_server.Clock.GetElapsedTime(startedAt).TotalNanoseconds;
        return isLast;
    }
}
