using System.Net;
using System.Net.Sockets;
using System.Runtime;
using System.Security.Cryptography;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Notifications;
using KvServer.Server.Observability;
using KvServer.Server.Persistence;
using KvServer.Server.Persistence.Aof;
using KvServer.Server.Text;
using KvServer.Server.Tracking;
using KvServer.Storage;
using Microsoft.Extensions.Logging;

namespace KvServer.Server;

/// <summary>What the commands of one server share: configuration, data, clients and counters.</summary>
/// <remarks>Made once at start-up. Its parts belong to the command loop unless they say otherwise.</remarks>
internal sealed class ServerState(
    ServerConfig config, Keyspace keyspace, CommandTable commands, TimeProvider clock, ILogger log)
{
    private readonly CompilerMemory _compilerMemory = new(
        static () => JitInfo.GetCompiledMethodCount(currentThread: false),
        () => ThreadPool.UnsafeQueueUserWorkItem(
            static reclaimer =>
            {
                GC.WaitForPendingFinalizers();
                try
                {
                    reclaimer.TrimLibrary();
                }
                catch (OutOfMemoryException)
                {
                    // It is tried again.
                }
            },
            keyspace.Reclaimer,
            preferLocal: false));
    private readonly ProtocolLimits _unauthenticatedLimits = new() { BeforeAuthentication = true };
    private ProtocolLimits _limits = new();

    public ServerConfig Config { get; } = config;

    public Keyspace Keyspace { get; } = keyspace;

    public CommandTable Commands { get; } = commands;

    /// <summary>The only source of time; tests bring their own.</summary>
    public TimeProvider Clock { get; } = clock;

    /// <summary>Where commands log.</summary>
    public ILogger Log { get; } = log;

    public ClientRegistry Clients { get; } = new();

    /// <summary>CLIENT PAUSE.</summary>
    public ClientPause Pause { get; } = new(keyspace);

    public PubSub.PubSubRegistry PubSub { get; } = new();

    public ServerStatistics Statistics { get; } = new();

    /// <summary>Users and their rights.</summary>
    public Acl.AccessControl Acl => field ??= new Acl.AccessControl(this);

    /// <summary>The clients that see every command.</summary>
    public Monitors Monitors => field ??= new Monitors(this);

    /// <summary>Calls that took long.</summary>
    public SlowLog SlowLog => field ??= new SlowLog(this);

    /// <summary>Whatever took long.</summary>
    public LatencyMonitor Latency => field ??= new LatencyMonitor(this);

    /// <summary>Behind CONFIG. Set at start-up, together with what the loader found.</summary>
    public ConfigService Configuration { get; set; } = ConfigService.WithoutFile(config);

    /// <summary>What commands change, for the append-only file.</summary>
    public PropagationLog Propagation { get; } = new(keyspace);

    /// <summary>Ends the process; null where nothing can, as in a server inside a test.</summary>
    public Hosting.IShutdown? Shutdown { get; set; }

    /// <summary>For the one command that runs; it clears the list when done.</summary>
    public ByteStringList Scratch { get; } = new();

    /// <summary>Where DUMP gathers its reply; empty between commands.</summary>
    public RdbOutput DumpOutput { get; } = new(stream: null, bufferBytes: 4096);

    /// <summary>Forty hexadecimal digits, new for every start.</summary>
    public string RunId { get; } = RandomNumberGenerator.GetHexString(40, lowercase: true);

    /// <summary>Names the history of the dataset to replicas: forty hexadecimal digits.</summary>
    public string ReplicationId { get; } = RandomNumberGenerator.GetHexString(40, lowercase: true);

    /// <summary>Bytes the heap held when nothing was stored yet.</summary>
    public long StartupHeapBytes { get; } = keyspace.Heap.UsedBytes;

    /// <summary>Bytes that were resident then; code compiled later comes on top.</summary>
    public long StartupResidentBytes { get; } = ProcessFigures.ResidentBytes;

    /// <summary>Bytes that the collector held of the system then, as far as it had counted them.</summary>
    public long StartupManagedBytes { get; } = GC.GetGCMemoryInfo().TotalCommittedBytes;

    /// <summary>Bytes that are resident for other reasons than data: the start, and what managed memory has grown since, by
    /// the count of the last collection.</summary>
    public long ProcessBytes =>
        StartupResidentBytes + Math.Max(0, GC.GetGCMemoryInfo().TotalCommittedBytes - StartupManagedBytes);

    /// <summary>When the server started, ms since the Unix epoch.</summary>
    public long StartedAtMs { get; } = clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Saves the dataset.</summary>
    public SnapshotService Snapshots => field ??= new SnapshotService(this);

    /// <summary>The append-only file.</summary>
    public AppendOnlyFile Aof => field ??= new AppendOnlyFile(this);

    /// <summary>The certificates of TLS.</summary>
    public Net.Tls.TlsService Tls { get; } = new(clock, log);

    /// <summary>Who waits for which keys.</summary>
    public KeyWaits KeyWaits { get; } = new(keyspace);

    /// <summary>The clients in blocking commands.</summary>
    public BlockedClients Blocked { get; } = new();

    /// <summary>MULTI and WATCH.</summary>
    public Transactions.ClientTransactions Transactions { get; } = new(keyspace);

    /// <summary>Keyspace notifications.</summary>
    public KeyNotifications Notifications => field ??= new KeyNotifications(this);

    /// <summary>Which clients cache what, and are told when it changes.</summary>
    public ClientTracking Tracking => field ??= new ClientTracking(this);

    /// <summary>Who wants to know of every change of a key.</summary>
    public KeyListeners KeyListeners { get; private set; }

    /// <summary>The client whose commands run now, EXEC and calls that have waited included; null between entries.</summary>
    public Client? RunningClient { get; set; }

    /// <summary>Which keys are asked for most: HOTKEYS.</summary>
    public KeyTraffic KeyTraffic { get; } = new(clock);

    /// <summary>Which keys are largest: BIGKEYS.</summary>
    public BigKeys BigKeys { get; } = new(keyspace, clock);

    /// <summary>How large the buffers of clients were lately.</summary>
    public ClientPeaks ClientPeaks { get; } = new();

    /// <summary>The limit on the memory of all clients.</summary>
    public ClientEviction ClientEviction => field ??= new ClientEviction(this);

    /// <summary>Loads the dataset at start-up; null before and afterwards.</summary>
    public DatasetLoader? Loader { get; set; }

    /// <summary>What the state of the dataset forbids at the moment.</summary>
    public Restrictions Restrictions { get; private set; }

    /// <summary>Whether the dataset is still being loaded.</summary>
    public bool IsLoading => (Restrictions & Restrictions.Loading) != 0;

    /// <summary>DEBUG PAUSE-CRON.</summary>
    public bool CronPaused { get; set; }

    /// <summary>DEBUG SET-SKIP-CHECKSUM-VALIDATION.</summary>
    public bool IgnoresChecksums { get; set; }

    /// <summary>Bytes outside of the heap that clients make the server hold: what waits for them, subscriptions, what is
    /// tracked. O(clients).</summary>
    public long ClientBytes => Clients.BufferBytes + PubSub.SizeBytes + Tracking.SizeBytes;

    /// <summary>True while clients must give a password.</summary>
    public bool RequiresPassword => Acl.RequiresPassword;

    /// <summary>How often the cron runs now; grows with the number of clients under dynamic-hz.</summary>
    public int Hz => Config.EffectiveHz(Clients.Count);

    /// <summary>The limits that a client's next request is framed under.</summary>
    public ProtocolLimits LimitsFor(Client client)
    {
        if (!client.Authenticated)
        {
            return _unauthenticatedLimits;
        }

        if (_limits.MaxBulkBytes != Config.ProtoMaxBulkLenBytes)
        {
            _limits = new ProtocolLimits { MaxBulkBytes = Config.ProtoMaxBulkLenBytes };
        }

        return _limits;
    }

    /// <summary>Whether a command that can harm the server may be called by this client.</summary>
    public bool AllowsProtected(Command command, Client client)
    {
        AccessPolicy policy = command.DisplayName == "debug" ? Config.EnableDebugCommand : Config.EnableModuleCommand;
        return policy switch
        {
            AccessPolicy.Yes => true,
            AccessPolicy.Local => IsLocal(client),
            _ => false,
        };
    }

    /// <summary>Stands still for a while, and every client with it: DEBUG SLEEP.</summary>
    public static void StopTheLoop(TimeSpan duration)
    {
        // Standing still is the point here: the loop's thread itself must not do anything else meanwhile.
        using ManualResetEventSlim never = new();
        never.Wait(duration);
    }

    /// <summary>Gets the store below its memory limit as far as one command may take; see <see cref="Eviction"/>.</summary>
    /// <remarks>While the dataset is being loaded, or clients are paused, the data shall not change.</remarks>
    public EvictionResult MakeRoom()
    {
        if (IsLoading || Pause.IsActive)
        {
            return EvictionResult.Enough;
        }

        long startedAt = Latency.Begin();
        EvictionResult result = Keyspace.Eviction.MakeRoom();
        Latency.End("eviction-cycle", startedAt);
        return result;
    }

    /// <summary>Replies to a client that somebody has called away from a command it waited in, and counts that as an error of
    /// this command.</summary>
    public void Unblock(Client client, Command command)
    {
        client.Reply.Error(CommandError.Unblocked);
        Statistics.CountError(client.Reply.LastErrorCode);
        command.FailedCalls++;
    }

    /// <summary>Forbids something, or no longer.</summary>
    public void Restrict(Restrictions restriction, bool applies)
    {
        if (IsLoading && !applies && restriction == Restrictions.Loading)
        {
            KeyTraffic.Reset(); // A log that was replayed is nobody's traffic.
        }

        Restrictions = applies ? Restrictions | restriction : Restrictions & ~restriction;
    }

    /// <summary>Adds somebody who wants to know of every change of a key, or takes them away.</summary>
    public void Listen(KeyListeners listener, bool on) => KeyListeners = on ? KeyListeners | listener : KeyListeners & ~listener;

    /// <summary>The periodic work on the data: expiry and the rehash of tables nobody touches.</summary>
    /// <param name="hz">Runs per second, which the share of time that may be spent follows from.</param>
    public void RunCron(int hz)
    {
        long startedAt = Latency.Begin();
        Keyspace.ExpireSlowly(hz);
        Latency.End("expire-cycle", startedAt);
        if (Keyspace.Eviction.IsOn)
        {
            Keyspace.Eviction.CountBuffersNow();
            Keyspace.Eviction.CheckResident(ProcessFigures.ResidentBytes, ProcessBytes);
        }

        Keyspace.Cron(rehashBudgetMs: Config.ActiveRehashing ? 1 : 0);
        BigKeys.Step(TimeSpan.FromMilliseconds(5.0 / hz));
        _compilerMemory.Tick(Clock.GetTimestamp() / (Clock.TimestampFrequency / 1000));
    }

    /// <summary>Whether a client is on this machine.</summary>
    public static bool IsLocal(Client client) => client.Connection.RemoteEndPoint switch
    {
        IPEndPoint ip => IPAddress.IsLoopback(ip.Address),
        UnixDomainSocketEndPoint => true,
        _ => client.Is(ClientFlags.UnixSocket),
    };
}
