namespace KvServer.Server.Config;

/// <summary>Replication, cluster and TLS.</summary>
public static partial class ConfigRegistry
{
    private const int MinBacklogBytes = 16 * 1024;

    private static ConfigOption[] ReplicationOptions() =>
    [
        new ReplicaOfOption("replicaof", "slaveof", Immutable | NotYet, c => ref c.ReplicaOf),
        Secret("masteruser", NotYet, c => ref c.MasterUser),
        Secret("masterauth", NotYet, c => ref c.MasterAuth),
        Int("repl-timeout", NotYet, 1, int.MaxValue, c => ref c.ReplTimeoutSeconds),
        Int("repl-ping-replica-period", NotYet, 1, int.MaxValue, c => ref c.ReplPingReplicaPeriodSeconds,
            "repl-ping-slave-period"),
        new MemoryOption("repl-backlog-size", null, NotYet, 1, c => ref c.ReplBacklogSizeBytes)
        {
            Adjust = bytes => Math.Max(bytes, MinBacklogBytes),
        },
        Long("repl-backlog-ttl", NotYet, 0, long.MaxValue, c => ref c.ReplBacklogTtlSeconds),
        Bool("repl-diskless-sync", NotYet, c => ref c.ReplDisklessSync),
        Int("repl-diskless-sync-delay", NotYet, 0, int.MaxValue, c => ref c.ReplDisklessSyncDelaySeconds),
        Int("repl-diskless-sync-max-replicas", NotYet, 0, int.MaxValue, c => ref c.ReplDisklessSyncMaxReplicas),
        Choice("repl-diskless-load", NotYet | NotWhileLoading, c => ref c.ReplDisklessLoad,
            ("disabled", DisklessLoad.Disabled), ("on-empty-db", DisklessLoad.OnEmptyDb),
            ("swapdb", DisklessLoad.SwapDb)),
        Bool("repl-disable-tcp-nodelay", NotYet, c => ref c.ReplDisableTcpNodelay),
        Bool("replica-serve-stale-data", NotYet, c => ref c.ReplicaServeStaleData, "slave-serve-stale-data"),
        Bool("replica-read-only", NotYet, c => ref c.ReplicaReadOnly, "slave-read-only"),
        Bool("replica-ignore-maxmemory", NotYet, c => ref c.ReplicaIgnoreMaxMemory, "slave-ignore-maxmemory"),
        Bool("replica-lazy-flush", NotYet, c => ref c.ReplicaLazyFlush, "slave-lazy-flush"),
        Int("replica-priority", NotYet, 0, int.MaxValue, c => ref c.ReplicaPriority, "slave-priority"),
        Text("replica-announce-ip", NotYet, c => ref c.ReplicaAnnounceIp, check: null, "slave-announce-ip"),
        Int("replica-announce-port", NotYet, 0, MaxPort, c => ref c.ReplicaAnnouncePort, "slave-announce-port"),
        Bool("replica-announced", NotYet, c => ref c.ReplicaAnnounced),
        Bool("replica-ignore-disk-write-errors", NotYet, c => ref c.ReplicaIgnoreDiskWriteErrors),
        Int("min-replicas-to-write", NotYet, 0, int.MaxValue, c => ref c.MinReplicasToWrite, "min-slaves-to-write"),
        Int("min-replicas-max-lag", NotYet, 0, int.MaxValue, c => ref c.MinReplicasMaxLagSeconds,
            "min-slaves-max-lag"),
        Choice("propagation-error-behavior", NotYet, c => ref c.PropagationErrorBehavior,
            ("ignore", PropagationError.Ignore), ("panic", PropagationError.Panic),
            ("panic-on-replicas", PropagationError.PanicOnReplicas)),
    ];

    private static ConfigOption[] ClusterOptions() =>
    [
        Bool("cluster-enabled", Immutable | NotYet, c => ref c.ClusterEnabled),
        Text("cluster-config-file", Immutable | NotYet, c => ref c.ClusterConfigFile),
        Int("cluster-port", Immutable | NotYet, 0, MaxPort, c => ref c.ClusterPort),
        Long("cluster-node-timeout", NotYet, 0, long.MaxValue, c => ref c.ClusterNodeTimeoutMs),
        Int("cluster-migration-barrier", NotYet, 0, int.MaxValue, c => ref c.ClusterMigrationBarrier),
        Bool("cluster-allow-replica-migration", NotYet, c => ref c.ClusterAllowReplicaMigration),
        Int("cluster-replica-validity-factor", NotYet, 0, int.MaxValue, c => ref c.ClusterReplicaValidityFactor,
            "cluster-slave-validity-factor"),
        Bool("cluster-replica-no-failover", NotYet, c => ref c.ClusterReplicaNoFailover, "cluster-slave-no-failover"),
        Bool("cluster-require-full-coverage", NotYet, c => ref c.ClusterRequireFullCoverage),
        Bool("cluster-allow-reads-when-down", NotYet, c => ref c.ClusterAllowReadsWhenDown),
        Bool("cluster-allow-pubsubshard-when-down", NotYet, c => ref c.ClusterAllowPubSubShardWhenDown),
        Memory("cluster-link-sendbuf-limit", NotYet, 0, c => ref c.ClusterLinkSendBufLimitBytes),
        Text("cluster-announce-ip", NotYet, c => ref c.ClusterAnnounceIp),
        Text("cluster-announce-hostname", NotYet, c => ref c.ClusterAnnounceHostname, CheckHostname),
        Int("cluster-announce-port", NotYet, 0, MaxPort, c => ref c.ClusterAnnouncePort),
        Int("cluster-announce-tls-port", NotYet, 0, MaxPort, c => ref c.ClusterAnnounceTlsPort),
        Int("cluster-announce-bus-port", NotYet, 0, MaxPort, c => ref c.ClusterAnnounceBusPort),
        Choice("cluster-preferred-endpoint-type", NotYet, c => ref c.ClusterPreferredEndpointType,
            ("ip", ClusterEndpoint.Ip), ("hostname", ClusterEndpoint.Hostname),
            ("unknown-endpoint", ClusterEndpoint.UnknownEndpoint)),
    ];

    private static ConfigOption[] TlsOptions() =>
    [
        Int("tls-port", None, 0, MaxPort, c => ref c.TlsPort),
        Text("tls-cert-file", None, c => ref c.TlsCertFile),
        Text("tls-key-file", None, c => ref c.TlsKeyFile),
        Secret("tls-key-file-pass", None, c => ref c.TlsKeyFilePass),
        Text("tls-client-cert-file", NotYet, c => ref c.TlsClientCertFile),
        Text("tls-client-key-file", NotYet, c => ref c.TlsClientKeyFile),
        Secret("tls-client-key-file-pass", NotYet, c => ref c.TlsClientKeyFilePass),
        Text("tls-dh-params-file", NotYet, c => ref c.TlsDhParamsFile),
        Text("tls-ca-cert-file", None, c => ref c.TlsCaCertFile),
        Text("tls-ca-cert-dir", None, c => ref c.TlsCaCertDir),
        Choice("tls-auth-clients", None, c => ref c.TlsAuthClients,
            ("no", TlsAuthClients.No), ("yes", TlsAuthClients.Yes), ("optional", TlsAuthClients.Optional)),
        Bool("tls-replication", NotYet, c => ref c.TlsReplication),
        Bool("tls-cluster", NotYet, c => ref c.TlsCluster),
        Text("tls-protocols", None, c => ref c.TlsProtocols),
        Text("tls-ciphers", None, c => ref c.TlsCiphers),
        Text("tls-ciphersuites", None, c => ref c.TlsCipherSuites),
        Bool("tls-prefer-server-ciphers", NotYet, c => ref c.TlsPreferServerCiphers),
        Bool("tls-session-caching", None, c => ref c.TlsSessionCaching),
        Int("tls-session-cache-size", NotYet, 0, int.MaxValue, c => ref c.TlsSessionCacheSize),
        Int("tls-session-cache-timeout", NotYet, 0, int.MaxValue, c => ref c.TlsSessionCacheTimeoutSeconds),
    ];
}
