namespace KvServer.Server.Config;

/// <summary>Replication, cluster and TLS.</summary>
public sealed partial class ServerConfig
{
    /// <summary>The master to follow; <see langword="null"/> when this server is one.</summary>
    public MasterAddress? ReplicaOf;

    /// <summary>User to authenticate as with the master.</summary>
    public byte[] MasterUser = [];

    /// <summary>Password for the master.</summary>
    public byte[] MasterAuth = [];

    /// <summary>Seconds without a word after which the other side counts as gone.</summary>
    public int ReplTimeoutSeconds = 60;

    /// <summary>Seconds between pings of the master.</summary>
    public int ReplPingReplicaPeriodSeconds = 10;

    /// <summary>Bytes of history kept for replicas that come back.</summary>
    public long ReplBacklogSizeBytes = 1024 * 1024;

    /// <summary>Seconds the history is kept when there is no replica; 0 for ever.</summary>
    public long ReplBacklogTtlSeconds = 3600;

    /// <summary>Send the dataset without a file.</summary>
    public bool ReplDisklessSync = true;

    /// <summary>Seconds to wait for more replicas before sending the dataset.</summary>
    public int ReplDisklessSyncDelaySeconds = 5;

    /// <summary>Replicas that end that wait early; 0 for none.</summary>
    public int ReplDisklessSyncMaxReplicas;

    /// <summary>How a replica takes the dataset.</summary>
    public DisklessLoad ReplDisklessLoad;

    /// <summary>Gather small packets to replicas.</summary>
    public bool ReplDisableTcpNodelay;

    /// <summary>Answer from old data while the master is away.</summary>
    public bool ReplicaServeStaleData = true;

    /// <summary>Refuse writes of clients on a replica.</summary>
    public bool ReplicaReadOnly = true;

    /// <summary>Leave eviction to the master.</summary>
    public bool ReplicaIgnoreMaxMemory = true;

    /// <summary>Flush in the background before a full synchronization.</summary>
    public bool ReplicaLazyFlush;

    /// <summary>Rank among replicas in a failover; 0 never becomes master.</summary>
    public int ReplicaPriority = 100;

    /// <summary>Address told to the master; empty for the real one.</summary>
    public string ReplicaAnnounceIp = "";

    /// <summary>Port told to the master; 0 for the real one.</summary>
    public int ReplicaAnnouncePort;

    /// <summary>Be listed by Sentinel.</summary>
    public bool ReplicaAnnounced = true;

    /// <summary>Go on applying the master's commands when the disk fails.</summary>
    public bool ReplicaIgnoreDiskWriteErrors;

    /// <summary>Good replicas that writes need.</summary>
    public int MinReplicasToWrite;

    /// <summary>Seconds of lag a good replica may have.</summary>
    public int MinReplicasMaxLagSeconds = 10;

    /// <summary>What happens when a replicated command fails.</summary>
    public PropagationError PropagationErrorBehavior;

    /// <summary>Be a node of a cluster.</summary>
    public bool ClusterEnabled;

    /// <summary>File the node keeps its view of the cluster in.</summary>
    public string ClusterConfigFile = "nodes.conf";

    /// <summary>Port of the cluster bus; 0 for the client port plus 10000.</summary>
    public int ClusterPort;

    /// <summary>Milliseconds after which a silent node counts as failing.</summary>
    public long ClusterNodeTimeoutMs = 15000;

    /// <summary>Replicas a master keeps before one may leave.</summary>
    public int ClusterMigrationBarrier = 1;

    /// <summary>Let replicas move to masters that have none.</summary>
    public bool ClusterAllowReplicaMigration = true;

    /// <summary>How old a replica's data may be to take over; 0 for any age.</summary>
    public int ClusterReplicaValidityFactor = 10;

    /// <summary>Never take over from a master by itself.</summary>
    public bool ClusterReplicaNoFailover;

    /// <summary>Refuse commands while a slot has no node.</summary>
    public bool ClusterRequireFullCoverage = true;

    /// <summary>Answer reads while the cluster is down.</summary>
    public bool ClusterAllowReadsWhenDown;

    /// <summary>Serve sharded channels while the cluster is down.</summary>
    public bool ClusterAllowPubSubShardWhenDown = true;

    /// <summary>Bytes one cluster link may have to send; 0 for no limit.</summary>
    public long ClusterLinkSendBufLimitBytes;

    /// <summary>Address told to the cluster; empty for the real one.</summary>
    public string ClusterAnnounceIp = "";

    /// <summary>Host name told to the cluster; empty for none.</summary>
    public string ClusterAnnounceHostname = "";

    /// <summary>Port told to the cluster; 0 for the real one.</summary>
    public int ClusterAnnouncePort;

    /// <summary>TLS port told to the cluster; 0 for the real one.</summary>
    public int ClusterAnnounceTlsPort;

    /// <summary>Bus port told to the cluster; 0 for the real one.</summary>
    public int ClusterAnnounceBusPort;

    /// <summary>What the node calls itself towards clients.</summary>
    public ClusterEndpoint ClusterPreferredEndpointType;

    /// <summary>TLS port; 0 for none.</summary>
    public int TlsPort;

    /// <summary>Certificate of the server.</summary>
    public string TlsCertFile = "";

    /// <summary>Private key of the server.</summary>
    public string TlsKeyFile = "";

    /// <summary>Password of that key.</summary>
    public byte[] TlsKeyFilePass = [];

    /// <summary>Certificate used towards other servers.</summary>
    public string TlsClientCertFile = "";

    /// <summary>Private key used towards other servers.</summary>
    public string TlsClientKeyFile = "";

    /// <summary>Password of that key.</summary>
    public byte[] TlsClientKeyFilePass = [];

    /// <summary>Diffie-Hellman parameters.</summary>
    public string TlsDhParamsFile = "";

    /// <summary>Certificates of the authorities that are trusted.</summary>
    public string TlsCaCertFile = "";

    /// <summary>Folder with such certificates.</summary>
    public string TlsCaCertDir = "";

    /// <summary>Whether clients need a certificate.</summary>
    public TlsAuthClients TlsAuthClients = TlsAuthClients.Yes;

    /// <summary>Use TLS towards the master.</summary>
    public bool TlsReplication;

    /// <summary>Use TLS on the cluster bus.</summary>
    public bool TlsCluster;

    /// <summary>TLS versions, as one list of names.</summary>
    public string TlsProtocols = "";

    /// <summary>Ciphers up to TLS 1.2.</summary>
    public string TlsCiphers = "";

    /// <summary>Ciphers of TLS 1.3.</summary>
    public string TlsCipherSuites = "";

    /// <summary>Prefer the server's order of ciphers.</summary>
    public bool TlsPreferServerCiphers;

    /// <summary>Let clients resume sessions.</summary>
    public bool TlsSessionCaching = true;

    /// <summary>Sessions kept for that.</summary>
    public int TlsSessionCacheSize = 20480;

    /// <summary>Seconds they are kept.</summary>
    public int TlsSessionCacheTimeoutSeconds = 300;
}
