using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using KvServer.Server.Net.Pipes;
using KvServer.Server.Net.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace KvServer.Server.Net;

/// <summary>A socket of the event loop with its pipe pair.</summary>
/// <remarks>
/// <para>Belongs to the thread of its event loop, except for the writing end of the output pipe, which belongs to the
/// command loop. The pipes run their continuations inline, have no threshold (the limits on unread bytes are ours)
/// and hold no block while they are empty; see <see cref="ReceivePipe"/> for why they are ours.</para>
/// <para>Beside the output pipe there is a place for one array that other connections send as well: a published
/// message. It is filled only while nothing is unsent, so what lies there always comes before what lies in the
/// pipe.</para>
/// </remarks>
internal sealed class EpollConnection : ConnectionContext, IDuplexPipe
{
    // A tail shorter than this is not worth a receive of its own.
    private const int MinReceiveBytes = 2048;

    private readonly ReceivePipe _input;
    private readonly SendPipe _output;
    private EndPoint? _localEndPoint;
    private IDictionary<object, object?>? _items;
    private IFeatureCollection? _features;
    private byte[]? _shared;
    private int _sharedSentBytes;
    private string? _connectionId;

    /// <summary>Wraps an accepted, non-blocking descriptor, which is owned from here on.</summary>
    internal EpollConnection(int descriptor, EndPoint? remote, BlockPool blocks)
    {
        Descriptor = descriptor;
        RemoteEndPoint = remote;
        _input = new ReceivePipe(blocks);
        _output = new SendPipe(blocks);
    }

    /// <summary>How a receive or send ended.</summary>
    internal enum Transfer
    {
        /// <summary>All that could be done now was done.</summary>
        Done,

        /// <summary>The socket has no room: wait for EPOLLOUT.</summary>
        Full,

        /// <summary>The peer has closed its sending side.</summary>
        Ended,

        /// <summary>The connection is broken.</summary>
        Broken,
    }

    /// <summary>The socket.</summary>
    internal int Descriptor { get; }

    /// <summary>The protocol side of this connection.</summary>
    internal Connection Handler { get; set; } = null!;

    /// <summary>The TLS layer; null on a plain connection.</summary>
    internal TlsChannel? Tls { get; set; }

    /// <summary>What epoll watches for this socket.</summary>
    internal uint Interest { get; set; }

    /// <summary>Whether the socket is in the epoll set.</summary>
    internal WatchState Watch { get; set; }

    /// <summary>Where the batch is: not handed over, waiting for this loop's next turn, or in a turn that waits for
    /// or is in the command loop.</summary>
    internal BatchPlace BatchPlace { get; set; }

    /// <summary>Waits in the loop's list of connections with output.</summary>
    internal bool SendQueued { get; set; }

    /// <summary>Nothing more can be received: the peer ended it, or it broke.</summary>
    internal bool InputEnded { get; set; }

    /// <summary>Given to the command loop as broken already.</summary>
    internal bool IsLost { get; set; }

    /// <summary>When a close that waits for output is over, in ms; 0 while the connection is open.</summary>
    internal long DrainDeadlineMs { get; set; }

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => this;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public PipeReader Input => _input;

    /// <inheritdoc/>
    public PipeWriter Output => _output;

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => _localEndPoint ??= LinuxSocket.LocalEndPoint(Descriptor);
        set => _localEndPoint = value;
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _connectionId ??= CorrelationId();
        set => _connectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _features ??= new FeatureCollection();

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _items ??= new Dictionary<object, object?>();
        set => _items = value;
    }

    /// <summary>Receives once into the input pipe. The receive loop frames what came inside this call.</summary>
    internal Transfer Receive()
    {
        if (Tls is { } tls)
        {
            return tls.Receive(_input);
        }

        int received = LinuxSocket.Receive(Descriptor, _input.Room(MinReceiveBytes));
        if (received > 0)
        {
            _input.Written(received);
        }

        _input.Flush(); // A block that stayed untouched goes back.
        return received switch
        {
            0 => Transfer.Ended,
            > 0 or LinuxSocket.WouldBlock => Transfer.Done,
            _ => Transfer.Broken,
        };
    }

    /// <summary>Starts decrypting, once the handshake is over and the receive loop waits.</summary>
    internal Transfer OpenTls() => Tls!.Open(_input);

    /// <summary>Tells the receive loop that nothing more comes.</summary>
    internal void EndInput()
    {
        if (!InputEnded)
        {
            InputEnded = true;
            _input.EndWriting();
        }
    }

    /// <summary>Takes bytes that are to be sent next. Inside the command loop, while no output is unsent.</summary>
    internal void Share(byte[] bytes) => Volatile.Write(ref _shared, bytes);

    /// <summary>Sends what is committed, with one system call; with two when a shared message and replies behind it have
    /// to go.</summary>
    /// <param name="sentBytes">What the socket took.</param>
    internal Transfer Send(out int sentBytes)
    {
        if (Tls is { } tls)
        {
            return tls.Send(_output, Handler, out sentBytes);
        }

        // The pipe is looked at first: what the command loop adds to it from here on waits for the next call, so that
        // nothing can get ahead of a message that is shared only now.
        bool hasPiped = Handler.HasUnsentReplies;
        sentBytes = 0;
        if (Volatile.Read(ref _shared) is { } message)
        {
            Transfer transfer = SendShared(message, out sentBytes);
            if (transfer != Transfer.Done)
            {
                return transfer;
            }
        }

        return hasPiped ? SendPiped(ref sentBytes) : Transfer.Done;
    }

    private Transfer SendShared(byte[] message, out int sentBytes)
    {
        sentBytes = 0;
        int sent = LinuxSocket.Send(Descriptor, message.AsSpan(_sharedSentBytes));
        if (sent < 0)
        {
            return Failed(sent);
        }

        sentBytes = sent;
        _sharedSentBytes += sent;
        bool isThrough = _sharedSentBytes == message.Length;
        if (isThrough)
        {
            _sharedSentBytes = 0;
            _shared = null;
        }

        Handler.CountSent(sent); // Only now can the command loop see that nothing is unsent, and fill the place again.
        return isThrough ? Transfer.Done : Transfer.Full;
    }

    private Transfer SendPiped(ref int sentBytes)
    {
        ReadOnlySequence<byte> unsent = _output.Unread();
        if (unsent.IsEmpty)
        {
            return Transfer.Done;
        }

        int sent = LinuxSocket.Send(Descriptor, unsent);
        if (sent < 0)
        {
            return Failed(sent);
        }

        // Consumed before it is counted: what waits for it to be counted may write and send more inside that call.
        sentBytes += sent;
        _output.Consume(sent);
        Handler.CountSentReplies(sent);
        return _output.UnreadBytes == 0 ? Transfer.Done : Transfer.Full;
    }

    /// <summary>Closes the socket and lets go of the pipes. The receive loop ends inside this call.</summary>
    internal void Destroy()
    {
        _ = LocalEndPoint; // CLIENT LIST in the running entry may still ask.
        Tls?.Close(orderly: Handler is { IsClosed: true, DropsOutput: false } && !IsLost);
        LinuxSocket.Close(Descriptor);
        EndInput();
        Handler.BatchDone();
        _output.EndReading();
    }

    private static Transfer Failed(int sent) => sent == LinuxSocket.WouldBlock ? Transfer.Full : Transfer.Broken;

    private string CorrelationId() => "fd" + Descriptor.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
