namespace KvServer.Server.Config;

/// <summary>The value of every option, typed, one field each: hot code reads a field and looks nothing up.</summary>
/// <remarks>
/// The initial value of a field is the default of its option; <see cref="ConfigRegistry"/> ties name and field
/// together. Only <c>ConfigService</c> (and start-up, before anything runs) writes them, on the command loop.
/// Other threads may read the ones that fit a machine word and see a change a little later.
/// What to do when one changes is registered with <c>ConfigService.OnChanged</c>.
/// The file is in parts: this one holds network, clients and the process; the others memory and data types,
/// persistence, and replication with cluster and TLS.
/// </remarks>
public sealed partial class ServerConfig
{
    /// <summary>TCP port; 0 listens on no TCP port at all.</summary>
    public int Port = 6379;

    /// <summary>Addresses to listen on; <c>*</c> is every IPv4 one, <c>::*</c> every IPv6 one, and a leading
    /// <c>-</c> forgives an address this machine does not have.</summary>
    public string[] Bind = ["127.0.0.1", "-::1"];

    /// <summary>The local address of outgoing connections; empty lets the system choose.</summary>
    public string BindSourceAddr = "";

    /// <summary>Refuse connections from elsewhere while the default user has no password.</summary>
    public bool ProtectedMode = true;

    /// <summary>Connections that may wait to be accepted.</summary>
    public int TcpBacklog = 511;

    /// <summary>Path of the unix socket; empty for none.</summary>
    public string UnixSocket = "";

    /// <summary>Permission bits of the unix socket; 0 leaves what the umask gives.</summary>
    public int UnixSocketPerm;

    /// <summary>Seconds after which an idle client is closed; 0 never.</summary>
    public int TimeoutSeconds;

    /// <summary>Seconds between TCP keep-alive probes; 0 sends none.</summary>
    public int TcpKeepaliveSeconds = 300;

    /// <summary>The mark (SO_MARK) of listening sockets; 0 for none.</summary>
    public long SocketMarkId;

    /// <summary>TCP port of health and metrics over HTTP; 0 for none.</summary>
    public int MetricsPort;

    /// <summary>Addresses that health and metrics are served on, in the form of <see cref="Bind"/>.</summary>
    public string[] MetricsBind = ["127.0.0.1", "-::1"];

    /// <summary>What serves the sockets.</summary>
    public EventLoopKind EventLoop = OperatingSystem.IsLinux() ? EventLoopKind.Epoll : EventLoopKind.Sockets;

    /// <summary>Event loops, each with its share of the connections.</summary>
    public int IoThreads = 1;

    /// <summary>Kept for the files that set it: every event loop reads and writes anyway.</summary>
    public bool IoThreadsDoReads;

    /// <summary>Connections accepted at the same time.</summary>
    public long MaxClients = 10000;

    /// <summary>Memory all clients together may use; 0 for no limit.</summary>
    public MemoryAmount MaxMemoryClients;

    /// <summary>Bytes of requests that wait on one connection before it is closed.</summary>
    public long ClientQueryBufferLimitBytes = 1024L * 1024 * 1024;

    /// <summary>Length of the largest bulk string a client may send.</summary>
    public long ProtoMaxBulkLenBytes = 512L * 1024 * 1024;

    /// <summary>Limits on unread replies, indexed by <see cref="ClientClass"/>.</summary>
    public ClientOutputBufferLimit[] ClientOutputBufferLimits =
    [
        default,
        new(256L * 1024 * 1024, 64L * 1024 * 1024, 60),
        new(32L * 1024 * 1024, 8L * 1024 * 1024, 60),
    ];

    /// <summary>Keys remembered on behalf of client-side caches; 0 for no limit.</summary>
    public long TrackingTableMaxKeys = 1000000;

    /// <summary>Password of the default user; empty for none.</summary>
    public byte[] RequirePass = [];

    /// <summary>File with ACL users; empty for none.</summary>
    public string AclFile = "";

    /// <summary>Entries kept by ACL LOG.</summary>
    public long AclLogMaxLen = 128;

    /// <summary>Which channels a new ACL user may use.</summary>
    public AclPubSubDefault AclPubSubDefault = AclPubSubDefault.ResetChannels;

    /// <summary>Numbered databases.</summary>
    public int Databases = 16;

    /// <summary>Cron runs per second; use <see cref="EffectiveHz"/>.</summary>
    public int Hz = 10;

    /// <summary>Run the cron more often when there are many clients.</summary>
    public bool DynamicHz = true;

    /// <summary>Detach from the terminal: never, since setting it is refused.</summary>
    public bool Daemonize;

    /// <summary>The service manager to tell about the state of the process.</summary>
    public SupervisedMode Supervised = SupervisedMode.No;

    /// <summary>File that holds the process id while the server runs; empty for none.</summary>
    public string PidFile = "";

    /// <summary>Working directory; relative paths in other options count from here.</summary>
    public string Dir = Environment.CurrentDirectory;

    /// <summary>The least important line that is logged.</summary>
    public LogVerbosity LogLevel = LogVerbosity.Notice;

    /// <summary>File the log is appended to; empty for standard output.</summary>
    public string LogFile = "";

    /// <summary>Log to the system log as well.</summary>
    public bool SyslogEnabled;

    /// <summary>Name of this process in the system log.</summary>
    public string SyslogIdent = "redis";

    /// <summary>Facility of this process in the system log.</summary>
    public SyslogFacility SyslogFacility = SyslogFacility.Local0;

    /// <summary>Print the logo also when the log is no terminal.</summary>
    public bool AlwaysShowLogo;

    /// <summary>Change the title of the process.</summary>
    public bool SetProcTitle = true;

    /// <summary>Form of the process title.</summary>
    public string ProcTitleTemplate = "{title} {listen-addr} {server-mode}";

    /// <summary>Write a report when the process crashes.</summary>
    public bool CrashLogEnabled = true;

    /// <summary>Test the memory after a crash.</summary>
    public bool CrashMemcheckEnabled = true;

    /// <summary>Exit instead of aborting when something is broken for good.</summary>
    public bool UseExitOnPanic;

    /// <summary>Warnings of start-up that do not stop it.</summary>
    public string IgnoreWarnings = "";

    /// <summary>Seconds a shutdown waits for replicas.</summary>
    public int ShutdownTimeoutSeconds = 10;

    /// <summary>What SIGINT asks for.</summary>
    public SignalShutdown ShutdownOnSigint;

    /// <summary>What SIGTERM asks for.</summary>
    public SignalShutdown ShutdownOnSigterm;

    /// <summary>Who may use DEBUG.</summary>
    public AccessPolicy EnableDebugCommand;

    /// <summary>Who may use MODULE.</summary>
    public AccessPolicy EnableModuleCommand;

    /// <summary>Who may change protected options.</summary>
    public AccessPolicy EnableProtectedConfigs;

    /// <summary>Milliseconds after which a running script lets other clients see BUSY.</summary>
    public long BusyReplyThresholdMs = 5000;

    /// <summary>Microseconds a command takes to be in the slow log; -1 logs none, 0 all.</summary>
    public long SlowlogLogSlowerThanMicros = 10000;

    /// <summary>Entries kept by the slow log.</summary>
    public long SlowlogMaxLen = 128;

    /// <summary>Milliseconds that make an event a latency spike; 0 watches none.</summary>
    public long LatencyMonitorThresholdMs;

    /// <summary>Keep a latency histogram per command.</summary>
    public bool LatencyTracking = true;

    /// <summary>Keep track of the busiest and the largest keys.</summary>
    public bool KeyStatistics = true;

    /// <summary>The percentiles INFO latencystats shows.</summary>
    public double[] LatencyTrackingInfoPercentiles = [50, 99, 99.9];

    /// <summary>Classes of keyspace notifications that are published.</summary>
    public KeyspaceEvents NotifyKeyspaceEvents;

    /// <summary>Milliseconds of the software watchdog; 0 switches it off.</summary>
    public int WatchdogPeriodMs;

    /// <summary>Turn transparent huge pages off for this process.</summary>
    public bool DisableThp = true;

    /// <summary>Whether the out-of-memory score is set.</summary>
    public OomScoreAdjust OomScoreAdj;

    /// <summary>Out-of-memory scores of master, replica and background process.</summary>
    public int[] OomScoreAdjValues = [0, 200, 800];

    /// <summary>Commands that were given another name; an empty name takes the command away.</summary>
    public (string Command, string NewName)[] RenamedCommands = [];

    /// <summary>ACL users, one rule line each (the words after <c>user</c>, name first).</summary>
    public string[][] Users = [];

    /// <summary>Cores for the command and event loops.</summary>
    public string ServerCpuList = "";

    /// <summary>Cores for background threads.</summary>
    public string BioCpuList = "";

    /// <summary>Cores for rewriting the append-only file.</summary>
    public string AofRewriteCpuList = "";

    /// <summary>Cores for snapshots.</summary>
    public string BgSaveCpuList = "";

    /// <summary>Cron runs per second for so many clients: with <c>dynamic-hz</c> doubled until one run has at most
    /// 200 of them to look at, never above 500.</summary>
    public int EffectiveHz(int clientCount)
    {
        int hz = Hz;
        while (DynamicHz && hz < 500 && clientCount / hz > 200)
        {
            hz = Math.Min(hz * 2, 500);
        }

        return hz;
    }

    /// <summary>The defaults; nobody changes this one.</summary>
    public static ServerConfig Defaults { get; } = new();

    /// <summary>A copy with the same values; arrays are never changed in place, so they are shared.</summary>
    public ServerConfig Clone() => (ServerConfig)MemberwiseClone();
}
