using System.Buffers;
using System.Net.Security;
using KvServer.Server.Net.Pipes;

namespace KvServer.Server.Net.Tls;

/// <summary>The TLS layer of a connection of the event loop: an SslStream between the socket and the pipes.</summary>
/// <remarks>The handshake runs on the thread pool. From <see cref="Open"/> on, records are decrypted and encrypted on the
/// loop's thread, as a part of receiving and sending; nothing waits there, because the stream below never does.</remarks>
internal sealed class TlsChannel : IDisposable
{
    // The most plain text that one record holds.
    private const int RecordBytes = 16 * 1024;

    // What is encrypted in one go, so that one client that reads fast does not hold up the turn.
    private const int SendBytes = 16 * RecordBytes;

    private const int ScratchBytes = 32 * 1024;

    // One for each loop. What is decrypted stays here only until the continuation that runs at once has copied it, so
    // connections that wait for input may all name the same array.
    [ThreadStatic]
    private static byte[]? _scratch;

    private readonly RecordStream _records;
    private readonly SslStream _ssl;
    private EpollConnection.Transfer _inputState = EpollConnection.Transfer.Done;
    private bool _isOpen;
    private int _restPlainBytes;

    /// <summary>Makes the layer; nothing runs yet.</summary>
    /// <param name="descriptor">The socket, which stays the connection's.</param>
    /// <param name="host">The loop, as the handshake sees it.</param>
    internal TlsChannel(int descriptor, ITlsHost host)
    {
        _records = new RecordStream(descriptor, host);
        _ssl = new SslStream(_records, leaveInnerStreamOpen: true);
    }

    /// <summary>When the handshake must be over, in ms of <see cref="Environment.TickCount64"/>.</summary>
    internal long HandshakeDeadlineMs { get; set; }

    /// <summary>Whether the handshake has begun: the client has sent something.</summary>
    internal bool HasBegun { get; set; }

    /// <summary>Whether a pool thread is busy with the handshake. The loop's thread.</summary>
    internal bool IsHandshakeRunning { get; set; }

    /// <summary>How long the handshake has waited for the client.</summary>
    internal PeerWait PeerWait => _records.PeerWait;

    /// <inheritdoc cref="RecordStream.BeginPeerWait"/>
    internal void BeginPeerWait() => _records.BeginPeerWait();

    /// <summary>Whether records wait for the socket to have room.</summary>
    internal bool HasRest => _records.HasRest;

    /// <summary>Does the handshake. On a pool thread; it throws what SslStream throws.</summary>
    internal Task HandshakeAsync(TlsCredentials credentials) =>
        _ssl.AuthenticateAsServerAsync(credentials.ServerOptions, CancellationToken.None);

    /// <summary>Receives for the handshake. The loop's thread.</summary>
    /// <returns>False when nobody waits for input now.</returns>
    internal bool TryReceiveForHandshake() => _records.TryReceiveForHandshake();

    /// <summary>Starts decrypting into the input pipe, first of all what came together with the end of the handshake.
    /// The loop's thread.</summary>
    internal EpollConnection.Transfer Open(ReceivePipe input)
    {
        _isOpen = true;
        _records.BelongToLoop();
        _ = DecryptAsync(input);
        return _inputState;
    }

    /// <summary>Receives once and decrypts what is whole. The receive loop frames it inside this call.</summary>
    /// <param name="input">The pipe of the requests.</param>
    internal EpollConnection.Transfer Receive(ReceivePipe input)
    {
        if (!_records.TryReceive())
        {
            _ = DecryptAsync(input);
        }

        return _inputState;
    }

    /// <summary>Encrypts and sends what is committed, as far as the socket takes it.</summary>
    /// <param name="output">The pipe of the replies.</param>
    /// <param name="handler">Counts what is sent.</param>
    /// <param name="sentBytes">Plain bytes whose records the socket took whole.</param>
    internal EpollConnection.Transfer Send(SendPipe output, Connection handler, out int sentBytes)
    {
        sentBytes = 0;
        if (!_records.TrySendRest())
        {
            return _records.IsBroken ? EpollConnection.Transfer.Broken : EpollConnection.Transfer.Full;
        }

        if (_restPlainBytes > 0)
        {
            sentBytes = _restPlainBytes;
            _restPlainBytes = 0; // Before it is counted, since that may send more inside the call.
            handler.CountSentReplies(sentBytes);
            if (_records.HasRest)
            {
                return EpollConnection.Transfer.Full;
            }
        }

        for (int total = 0; handler.HasUnsentReplies;)
        {
            ReadOnlyMemory<byte> piece = FirstPiece(output.Unread());
            if (piece.IsEmpty)
            {
                break;
            }

            if (!TryEncrypt(piece))
            {
                return EpollConnection.Transfer.Broken;
            }

            output.Consume(piece.Length);
            if (_records.HasRest)
            {
                _restPlainBytes += piece.Length;
                return EpollConnection.Transfer.Full;
            }

            handler.CountSentReplies(piece.Length);
            sentBytes += piece.Length;
            total += piece.Length;
            if (_records.HasRest)
            {
                return EpollConnection.Transfer.Full;
            }

            if (total >= SendBytes)
            {
                return handler.HasUnsentReplies ? EpollConnection.Transfer.Full : EpollConnection.Transfer.Done;
            }
        }

        return EpollConnection.Transfer.Done;
    }

    /// <summary>Says good-bye, if that is possible at once, and lets go of everything. The loop's thread.</summary>
    /// <remarks>While a pool thread does the handshake, that fails, and <see cref="Dispose"/> is due when it has
    /// ended.</remarks>
    /// <param name="orderly">Whether all replies are sent and the peer is to know that this is the end.</param>
    internal void Close(bool orderly)
    {
        if (orderly && _isOpen && !_records.IsBroken && !_records.HasRest)
        {
            try
            {
                _ = _ssl.ShutdownAsync();
            }
            catch (Exception fault) when (fault is IOException or InvalidOperationException)
            {
                // The peer has ended it first, or the handshake never came to its end.
            }
        }

        _records.Abort();
        if (!IsHandshakeRunning)
        {
            Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ssl.Dispose();
        _records.Dispose();
    }

    private static ReadOnlyMemory<byte> FirstPiece(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            if (!segment.IsEmpty)
            {
                return segment.Length <= RecordBytes ? segment : segment[..RecordBytes];
            }
        }

        return default;
    }

    private bool TryEncrypt(ReadOnlyMemory<byte> plain)
    {
        try
        {
            ValueTask writing = _ssl.WriteAsync(plain);
            if (!writing.IsCompleted)
            {
                return false; // Renegotiation alone would wait, and that is not allowed.
            }

            writing.GetAwaiter().GetResult();
            return !_records.IsBroken;
        }
        catch (Exception)
        {
            return false; // Whatever it is, the client cannot be reached any more, and the loop serves the others.
        }
    }

    // Mostly it ends in the call that began it, with the one record that came. Where more is to come it waits for that.
    private async Task DecryptAsync(ReceivePipe input)
    {
        byte[] scratch = _scratch ??= new byte[ScratchBytes];
        bool isUnread = false;
        try
        {
            while (true)
            {
                _records.BeginRecords();
                ValueTask<int> reading = _ssl.ReadAsync(scratch);
                if (isUnread && !reading.IsCompleted)
                {
                    isUnread = false;
                    input.Flush(); // All that this turn has brought, in one piece.
                }

                int count = await reading.ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                input.Write(scratch.AsSpan(0, count));
                if (_records.HasOneRecord)
                {
                    input.Flush();
                    return;
                }

                isUnread = true;
            }

            _inputState = EpollConnection.Transfer.Ended;
        }
        catch (Exception)
        {
            // Records that are none, no memory, or a connection that is closed meanwhile: it costs this client its
            // connection, and an exception that nobody sees would leave it hanging.
            _inputState = EpollConnection.Transfer.Broken;
        }

        if (isUnread)
        {
            input.Flush();
        }
    }
}
