namespace KvServer.Server.Config;

/// <summary>Who may use a guarded feature: nobody, everybody, or connections from this machine.</summary>
public enum AccessPolicy
{
    /// <summary>Nobody.</summary>
    No,

    /// <summary>Every connection.</summary>
    Yes,

    /// <summary>Unix sockets and loopback addresses only.</summary>
    Local,
}

/// <summary>The least important line that is still logged.</summary>
public enum LogVerbosity
{
    /// <summary>Everything.</summary>
    Debug,

    /// <summary>Much, rarely needed.</summary>
    Verbose,

    /// <summary>What one wants to see in production.</summary>
    Notice,

    /// <summary>Only what is important or critical.</summary>
    Warning,

    /// <summary>Not a line.</summary>
    Nothing,
}

/// <summary>What serves the sockets.</summary>
public enum EventLoopKind
{
    /// <summary>Our own epoll loop (Linux).</summary>
    Epoll,

    /// <summary>The socket transport of the framework (everywhere).</summary>
    Sockets,
}

/// <summary>What is evicted when <c>maxmemory</c> is reached.</summary>
public enum MaxMemoryPolicy
{
    /// <summary>The least recently used key that has a ttl.</summary>
    VolatileLru,

    /// <summary>The least frequently used key that has a ttl.</summary>
    VolatileLfu,

    /// <summary>Any key that has a ttl.</summary>
    VolatileRandom,

    /// <summary>The key that expires first.</summary>
    VolatileTtl,

    /// <summary>The least recently used key.</summary>
    AllKeysLru,

    /// <summary>The least frequently used key.</summary>
    AllKeysLfu,

    /// <summary>Any key.</summary>
    AllKeysRandom,

    /// <summary>Nothing: writes are refused.</summary>
    NoEviction,
}

/// <summary>When the append-only file is forced to disk.</summary>
public enum AppendFsync
{
    /// <summary>Once a second.</summary>
    EverySecond,

    /// <summary>Before each reply.</summary>
    Always,

    /// <summary>When the operating system likes.</summary>
    No,
}

/// <summary>How a replica takes a dataset that arrives over the wire.</summary>
public enum DisklessLoad
{
    /// <summary>Through a file.</summary>
    Disabled,

    /// <summary>Straight into memory when the dataset is empty.</summary>
    OnEmptyDb,

    /// <summary>Straight into memory, keeping the old dataset until the end.</summary>
    SwapDb,
}

/// <summary>When payloads of RESTORE and files are checked in depth.</summary>
public enum SanitizeDump
{
    /// <summary>Never.</summary>
    No,

    /// <summary>Always.</summary>
    Yes,

    /// <summary>When they come from clients.</summary>
    Clients,
}

/// <summary>What a signal asks of the shutdown; the flags combine.</summary>
[Flags]
public enum SignalShutdown
{
    /// <summary>Save when save points are configured.</summary>
    Default = 0,

    /// <summary>Save in any case.</summary>
    Save = 1,

    /// <summary>Do not save.</summary>
    NoSave = 2,

    /// <summary>Do not wait for replicas.</summary>
    Now = 4,

    /// <summary>Ignore errors that would stop the shutdown.</summary>
    Force = 8,
}

/// <summary>Which service manager is told about the state of the process.</summary>
public enum SupervisedMode
{
    /// <summary>upstart.</summary>
    Upstart,

    /// <summary>systemd.</summary>
    Systemd,

    /// <summary>Whichever the environment shows.</summary>
    Auto,

    /// <summary>None.</summary>
    No,
}

/// <summary>Whether the kernel's out-of-memory score is set.</summary>
public enum OomScoreAdjust
{
    /// <summary>No.</summary>
    No,

    /// <summary>The same as relative.</summary>
    Yes,

    /// <summary>Added to the score at start-up.</summary>
    Relative,

    /// <summary>Written as it is.</summary>
    Absolute,
}

/// <summary>What happens when a replicated command fails.</summary>
public enum PropagationError
{
    /// <summary>It is logged.</summary>
    Ignore,

    /// <summary>The process stops.</summary>
    Panic,

    /// <summary>The process stops when it is a replica.</summary>
    PanicOnReplicas,
}

/// <summary>Which channels a new ACL user may use.</summary>
public enum AclPubSubDefault
{
    /// <summary>All of them.</summary>
    AllChannels,

    /// <summary>None.</summary>
    ResetChannels,
}

/// <summary>Whether TLS clients need a certificate.</summary>
public enum TlsAuthClients
{
    /// <summary>No.</summary>
    No,

    /// <summary>Yes.</summary>
    Yes,

    /// <summary>One that is shown must be good.</summary>
    Optional,
}

/// <summary>What a cluster node calls itself towards clients.</summary>
public enum ClusterEndpoint
{
    /// <summary>Its address.</summary>
    Ip,

    /// <summary>Its announced host name.</summary>
    Hostname,

    /// <summary>Nothing: clients keep the one they know.</summary>
    UnknownEndpoint,
}

/// <summary>The facility of system log messages.</summary>
public enum SyslogFacility
{
    /// <summary>user.</summary>
    User,

    /// <summary>local0.</summary>
    Local0,

    /// <summary>local1.</summary>
    Local1,

    /// <summary>local2.</summary>
    Local2,

    /// <summary>local3.</summary>
    Local3,

    /// <summary>local4.</summary>
    Local4,

    /// <summary>local5.</summary>
    Local5,

    /// <summary>local6.</summary>
    Local6,

    /// <summary>local7.</summary>
    Local7,
}

/// <summary>Classes of keyspace notifications, as the letters of <c>notify-keyspace-events</c> name them.</summary>
[Flags]
public enum KeyspaceEvents
{
    /// <summary>Notifications are off.</summary>
    None = 0,

    /// <summary>K: published on <c>__keyspace@db__</c> channels.</summary>
    Keyspace = 1,

    /// <summary>E: published on <c>__keyevent@db__</c> channels.</summary>
    Keyevent = 2,

    /// <summary>g: commands of no particular type (DEL, EXPIRE, RENAME, ...).</summary>
    Generic = 4,

    /// <summary>$: string commands.</summary>
    String = 8,

    /// <summary>l: list commands.</summary>
    List = 16,

    /// <summary>s: set commands.</summary>
    Set = 32,

    /// <summary>h: hash commands.</summary>
    Hash = 64,

    /// <summary>z: sorted set commands.</summary>
    SortedSet = 128,

    /// <summary>x: keys that expired.</summary>
    Expired = 256,

    /// <summary>e: keys that were evicted.</summary>
    Evicted = 512,

    /// <summary>t: stream commands.</summary>
    Stream = 1024,

    /// <summary>m: look-ups that found nothing; not part of A.</summary>
    KeyMiss = 2048,

    /// <summary>d: events of module types.</summary>
    Module = 8192,

    /// <summary>n: keys that are new; not part of A.</summary>
    New = 16384,

    /// <summary>A: everything but m and n.</summary>
    All = Generic | String | List | Set | Hash | SortedSet | Expired | Evicted | Stream | Module,
}

/// <summary>The kinds of client that <c>client-output-buffer-limit</c> tells apart; the value is the index.</summary>
public enum ClientClass
{
    /// <summary>An ordinary connection (MONITOR too, which without a limit here has that of <see cref="PubSub"/>).</summary>
    Normal,

    /// <summary>A replica.</summary>
    Replica,

    /// <summary>A connection with subscriptions.</summary>
    PubSub,
}
