using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvServer.Server.Tests;

/// <summary>A whole server without sockets: real commands, table, gate, executor and storage; a clock and clients that
/// the test drives. Test classes derive from it.</summary>
/// <remarks>Arguments are strings of one char per byte. The store lives on a heap that tracks every block, so disposing
/// fails the test when anything leaked or was written outside its bounds.</remarks>
public abstract class CommandHarness : IDisposable
{
    private readonly NativeHeap _heap;
    private readonly FakeClock _clock = new();
    private readonly CommandExecutor _executor;
    private readonly List<TestClient> _clients = [];
    private readonly TestClient _client;

    protected CommandHarness()
        : this(new TrackingHeap())
    {
    }

    /// <summary>Keeps the store on a heap of the test's choice; only <see cref="TrackingHeap"/> finds errors.</summary>
    protected CommandHarness(NativeHeap heap)
    {
        _heap = heap;
        Keyspace keyspace = new(new KeyspaceOptions { Heap = _heap }) { NowMs = _clock.NowMs };
        Server = new ServerState(new ServerConfig { Save = [] }, keyspace, CommandCatalog.CreateTable(), _clock, NullLogger.Instance);
        _executor = new CommandExecutor(Server, NullLogger<CommandExecutor>.Instance);
        _client = Connect();
    }

    internal ServerState Server { get; }

    internal CommandExecutor Executor => _executor;

    /// <summary>The time commands see, ms since the Unix epoch.</summary>
    protected long NowMs => _clock.NowMs;

    /// <summary>The first client.</summary>
    internal TestClient Client => _client;

    /// <summary>Runs a command of the first client and decodes its reply: a string, a long, a double, a bool, null, an
    /// <see cref="ErrorReply"/> or an <c>object?[]</c> of these.</summary>
    protected object? Run(params string[] args) => _client.Run(args);

    /// <summary>Runs a command of the first client and returns the reply's bytes as they go over the wire.</summary>
    protected string Raw(params string[] args) => _client.Raw(args);

    /// <summary>Runs a command that must fail and returns the error's text.</summary>
    protected string Error(params string[] args) => Assert.IsType<ErrorReply>(_client.Run(args)).Text;

    /// <summary>Runs a command and returns how much the dirty count grew.</summary>
    protected long DirtyAfter(params string[] args)
    {
        long before = Server.Statistics.Dirty;
        Assert.IsNotType<ErrorReply>(Run(args));
        return Server.Statistics.Dirty - before;
    }

    /// <summary>Moves the clock. Commands that run afterwards see the new time.</summary>
    protected void Advance(long ms)
    {
        _clock.Advance(ms);
        Server.Keyspace.NowMs = _clock.NowMs;
    }

    /// <summary>From now on everything that is timed takes as long.</summary>
    /// <param name="micros">Microseconds between two readings of the clock.</param>
    protected void EachCallTakes(long micros) => _clock.MicrosPerReading = micros;

    /// <summary>Connects one more client.</summary>
    internal TestClient Connect(int protocol = 2)
    {
        TestClient client = new(Server, _executor, protocol);
        _clients.Add(client);
        return client;
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        var tracking = _heap as TrackingHeap;
        Server.Keyspace.Reclaimer.WaitUntilIdle();
        tracking?.Verify();
        Server.Keyspace.Dispose();
        Assert.True(tracking is null || tracking.LiveBytes == 0, "Leaked:\n" + tracking?.ReportLeaks());
        GC.SuppressFinalize(this);
    }
}
