using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Net;
using KvServer.TestSupport;

namespace KvServer.Server.Tests;

/// <summary>A client without a socket: frames requests as a connection does, runs them, collects the replies.</summary>
internal sealed class TestClient : IClientConnection, IDisposable
{
    private readonly ServerState _server;
    private readonly CommandExecutor _executor;
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly RequestBatch _batch = new();
    private readonly RequestReader _reader;
    private bool _resumes;

    public TestClient(ServerState server, CommandExecutor executor, int protocol)
    {
        _server = server;
        _executor = executor;
        _reader = new RequestReader(new ProtocolLimits(), new LargeBulkBridge(server.Keyspace));
        Session = new Client(
            server.Clients.NextId(), this, new ReplyWriter(_output) { Protocol = protocol }, server.Keyspace[0])
        {
            CreatedAtMs = server.Keyspace.NowMs,
        };
        server.Acl.EnterAsDefault(Session);
        server.Clients.Add(Session);
    }

    /// <summary>What the server knows of this client.</summary>
    public Client Session { get; }

    /// <summary>Why the server closed the connection; null while it is open.</summary>
    public string? ClosedBecause { get; private set; }

    /// <summary>Whether memory runs out wherever something is written out of turn for this client, or its address asked
    /// for.</summary>
    public bool IsOutOfMemory { get; set; }

    public EndPoint? RemoteEndPoint => Checked(new IPEndPoint(IPAddress.Loopback, 50000));

    public EndPoint? LocalEndPoint { get; } = new IPEndPoint(IPAddress.Loopback, 6379);

    public int FileDescriptor => 7;

    public long PendingOutputBytes => _output.WrittenCount;

    public bool IsSendBlocked => false;

    public long PendingInputBytes { get; set; }

    public long PendingArgumentBytes { get; set; }

    public long BatchBytes => 0;

    public ProtocolLimits Limits
    {
        set => _reader.Limits = value;
    }

    /// <summary>Runs a command and decodes its one reply.</summary>
    public object? Run(params string[] args)
    {
        string raw = Raw(args);
        ReplyDecoder decoder = new(Encoding.Latin1.GetBytes(raw));
        object? reply = decoder.Next();
        Assert.True(decoder.AtEnd, $"{args[0]} wrote more than one reply: {raw}");
        return reply;
    }

    /// <summary>Runs a command and returns the reply's bytes, one char per byte.</summary>
    public string Raw(params string[] args) => Send(Request(args));

    /// <summary>Runs requests given as bytes, a pipeline for example, and returns all replies.</summary>
    public string Send(byte[] requests)
    {
        ReadOnlySequence<byte> unread = new(requests);
        while (!unread.IsEmpty && ClosedBecause is null)
        {
            ReadStatus status = _reader.ReadAll(ref unread, _batch);
            Assert.NotEqual(ReadStatus.ProtocolError, status);
            bool isThrough;
            do
            {
                isThrough = _executor.Run(Session, _batch);
            }
            while (!isThrough && Session.LongReply is not null);

            Assert.True(isThrough, "The client was suspended inside its batch.");
            _batch.Clear();
            Assert.True(status == ReadStatus.Complete || unread.IsEmpty, "A request of the test is cut.");
        }

        return TakeOutput();
    }

    /// <summary>Reads and runs the same requests again and again, throwing the replies away.</summary>
    /// <returns>Managed bytes allocated by the rounds after the first few, which warm everything up.</returns>
    public long AllocatedBytesOf(string[][] requests, int rounds)
    {
        const int WarmUpRounds = 50;
        byte[] bytes = [.. requests.SelectMany(Request)];
        RunAll(bytes, WarmUpRounds);
        return Allocations.LeastOf(() => RunAll(bytes, rounds));
    }

    /// <summary>Sends a command that may be held, by CLIENT PAUSE for example; <see cref="TakeOutput"/> has its reply once
    /// it ran.</summary>
    /// <returns>True when it ran at once.</returns>
    public bool Start(params string[] args)
    {
        ReadOnlySequence<byte> unread = new(Request(args));
        Assert.Equal(ReadStatus.Complete, _reader.ReadAll(ref unread, _batch));
        return Finish(_executor.Run(Session, _batch));
    }

    /// <summary>Goes on with what <see cref="Start"/> has left: the next part of a long reply.</summary>
    /// <returns>True when it is through.</returns>
    public bool Continue()
    {
        _resumes = false;
        return Finish(_executor.Run(Session, _batch));
    }

    /// <summary>Ends the session as a lost connection does.</summary>
    public void Disconnect() => _executor.Disconnected(Session);

    /// <summary>Takes what was written for this client, pushes of other clients' commands included.</summary>
    public string TakeOutput()
    {
        if (_resumes)
        {
            _resumes = false;
            Finish(_executor.Run(Session, _batch));
        }

        Session.Reply.Commit();
        string text = Encoding.Latin1.GetString(_output.WrittenSpan);
        _output.Clear();
        return text;
    }

    // Output is taken when the test asks for it.
    public void MarkOutputPending() => Checked(true);

    public void PushShared(byte[] bytes) => _output.Write(bytes);

    public void Resume() => _resumes = true;

    public void ReleaseReplies()
    {
        // Replies are taken when the test asks for them.
    }

    public void CloseAfterReplies() => ClosedBecause ??= "after its replies";

    public void CloseNow(string reason) => ClosedBecause ??= reason;

    public void Dispose()
    {
        _server.Clients.Remove(Session);
        _reader.Dispose();
        _batch.Dispose();
        Session.Reply.Dispose();
    }

    private T Checked<T>(T value) => IsOutOfMemory ? throw new InsufficientMemoryException() : value;

    private void RunAll(byte[] requests, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            ReadOnlySequence<byte> unread = new(requests);
            while (!unread.IsEmpty)
            {
                _reader.ReadAll(ref unread, _batch);
                _executor.Run(Session, _batch);
                _batch.Clear();
            }

            Session.Reply.Commit();
            _output.ResetWrittenCount();
        }
    }

    private bool Finish(bool ran)
    {
        if (ran)
        {
            _batch.Clear();
        }

        return ran;
    }

    internal static byte[] Request(string[] args)
    {
        using MemoryStream request = new();
        request.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"*{args.Length}\r\n")));
        foreach (string arg in args)
        {
            request.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"${arg.Length}\r\n")));
            request.Write(Encoding.Latin1.GetBytes(arg));
            request.Write("\r\n"u8);
        }

        return request.ToArray();
    }
}
