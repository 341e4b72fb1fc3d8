namespace KvServer.Server.Config;

/// <summary>Network, clients and the process itself.</summary>
public static partial class ConfigRegistry
{
    private static ConfigOption[] NetworkOptions() =>
    [
        new BindOption("bind", None, c => ref c.Bind),
        Text("bind-source-addr", NotYet, c => ref c.BindSourceAddr),
        Int("port", None, 0, MaxPort, c => ref c.Port),
        Bool("protected-mode", None, c => ref c.ProtectedMode),
        Int("tcp-backlog", Immutable, 0, int.MaxValue, c => ref c.TcpBacklog),
        Text("unixsocket", Immutable, c => ref c.UnixSocket),
        new OctalOption("unixsocketperm", null, Immutable, 0x1FF, c => ref c.UnixSocketPerm),
        Int("timeout", None, 0, int.MaxValue, c => ref c.TimeoutSeconds),
        Int("tcp-keepalive", None, 0, int.MaxValue, c => ref c.TcpKeepaliveSeconds),
        Long("socket-mark-id", Immutable | NotYet, 0, uint.MaxValue, c => ref c.SocketMarkId),
        new EnumOption<EventLoopKind>("event-loop", null, Immutable | Own, c => ref c.EventLoop,
            ("epoll", EventLoopKind.Epoll), ("sockets", EventLoopKind.Sockets))
        {
            Check = kind => kind == EventLoopKind.Epoll && !OperatingSystem.IsLinux()
                ? "epoll exists on Linux only, use 'sockets'"
                : null,
        },
        Int("metrics-port", Immutable | Own, 0, MaxPort, c => ref c.MetricsPort),
        new BindOption("metrics-bind", Immutable | Own, c => ref c.MetricsBind),
        Int("io-threads", Immutable, 1, 128, c => ref c.IoThreads),
        Bool("io-threads-do-reads", Immutable | NotYet, c => ref c.IoThreadsDoReads),
        Long("maxclients", None, 1, uint.MaxValue, c => ref c.MaxClients),
        new MemoryOrPercentOption("maxmemory-clients", null, None, c => ref c.MaxMemoryClients),
        Memory("client-query-buffer-limit", None, 1024 * 1024, c => ref c.ClientQueryBufferLimitBytes),
        Memory("proto-max-bulk-len", None, 1024 * 1024, c => ref c.ProtoMaxBulkLenBytes),
        new OutputBufferLimitOption("client-output-buffer-limit", c => ref c.ClientOutputBufferLimits),
        Long("tracking-table-max-keys", None, 0, long.MaxValue, c => ref c.TrackingTableMaxKeys),
        Secret("requirepass", None, c => ref c.RequirePass),
        Text("aclfile", Immutable, c => ref c.AclFile),
        Long("acllog-max-len", None, 0, long.MaxValue, c => ref c.AclLogMaxLen),
        Choice("acl-pubsub-default", None, c => ref c.AclPubSubDefault,
            ("allchannels", AclPubSubDefault.AllChannels), ("resetchannels", AclPubSubDefault.ResetChannels)),
    ];

    private static ConfigOption[] ProcessOptions() =>
    [
        Int("databases", Immutable, 1, int.MaxValue, c => ref c.Databases),
        new IntOption("hz", null, None, 0, int.MaxValue, c => ref c.Hz) { Adjust = hz => Math.Clamp(hz, 1, 500) },
        Bool("dynamic-hz", None, c => ref c.DynamicHz),
        new BoolOption("daemonize", null, Immutable, c => ref c.Daemonize)
        {
            Check = yes => yes
                ? "this server stays in the foreground: let systemd, docker or the shell's '&' put it into the background"
                : null,
        },
        new EnumOption<SupervisedMode>("supervised", null, Immutable | NotYet, c => ref c.Supervised,
            ("upstart", SupervisedMode.Upstart), ("systemd", SupervisedMode.Systemd),
            ("auto", SupervisedMode.Auto), ("no", SupervisedMode.No))
        {
            NeutralValue = "auto",
        },
        Text("pidfile", Immutable, c => ref c.PidFile),
        new DirectoryOption("dir", Protected | NotWhileLoading, c => ref c.Dir),
        Choice("loglevel", None, c => ref c.LogLevel,
            ("debug", LogVerbosity.Debug), ("verbose", LogVerbosity.Verbose), ("notice", LogVerbosity.Notice),
            ("warning", LogVerbosity.Warning), ("nothing", LogVerbosity.Nothing)),
        Text("logfile", Immutable, c => ref c.LogFile),
        Bool("syslog-enabled", Immutable | NotYet, c => ref c.SyslogEnabled),
        Text("syslog-ident", Immutable | NotYet, c => ref c.SyslogIdent),
        Choice("syslog-facility", Immutable | NotYet, c => ref c.SyslogFacility,
            ("user", SyslogFacility.User), ("local0", SyslogFacility.Local0), ("local1", SyslogFacility.Local1),
            ("local2", SyslogFacility.Local2), ("local3", SyslogFacility.Local3), ("local4", SyslogFacility.Local4),
            ("local5", SyslogFacility.Local5), ("local6", SyslogFacility.Local6), ("local7", SyslogFacility.Local7)),
        Bool("always-show-logo", Immutable | NotYet, c => ref c.AlwaysShowLogo),
        Bool("set-proc-title", Immutable | NotYet, c => ref c.SetProcTitle),
        Text("proc-title-template", NotYet, c => ref c.ProcTitleTemplate, CheckTitleTemplate),
        Bool("crash-log-enabled", NotYet, c => ref c.CrashLogEnabled),
        Bool("crash-memcheck-enabled", NotYet, c => ref c.CrashMemcheckEnabled),
        Bool("use-exit-on-panic", Hidden | NotYet, c => ref c.UseExitOnPanic),
        Text("ignore-warnings", NotYet, c => ref c.IgnoreWarnings),
        Int("shutdown-timeout", NotYet, 0, int.MaxValue, c => ref c.ShutdownTimeoutSeconds),
        SignalShutdownOption("shutdown-on-sigint", c => ref c.ShutdownOnSigint),
        SignalShutdownOption("shutdown-on-sigterm", c => ref c.ShutdownOnSigterm),
        Access("enable-debug-command", Immutable, c => ref c.EnableDebugCommand),
        Access("enable-module-command", Immutable, c => ref c.EnableModuleCommand),
        Access("enable-protected-configs", Immutable, c => ref c.EnableProtectedConfigs),
        Long("busy-reply-threshold", NotYet, 0, long.MaxValue, c => ref c.BusyReplyThresholdMs, "lua-time-limit"),
        Long("slowlog-log-slower-than", None, -1, long.MaxValue, c => ref c.SlowlogLogSlowerThanMicros),
        Long("slowlog-max-len", None, 0, long.MaxValue, c => ref c.SlowlogMaxLen),
        Long("latency-monitor-threshold", None, 0, long.MaxValue, c => ref c.LatencyMonitorThresholdMs),
        Bool("latency-tracking", None, c => ref c.LatencyTracking),
        new PercentilesOption("latency-tracking-info-percentiles", None, c => ref c.LatencyTrackingInfoPercentiles),
        new KeyspaceEventsOption("notify-keyspace-events", None, c => ref c.NotifyKeyspaceEvents),
        Bool("key-statistics", Own, c => ref c.KeyStatistics),
        Int("watchdog-period", Hidden | NotYet, 0, int.MaxValue, c => ref c.WatchdogPeriodMs),
        Bool("disable-thp", Immutable | NotYet, c => ref c.DisableThp),
        Choice("oom-score-adj", None, c => ref c.OomScoreAdj,
            ("no", OomScoreAdjust.No), ("yes", OomScoreAdjust.Yes),
            ("relative", OomScoreAdjust.Relative), ("absolute", OomScoreAdjust.Absolute)),
        new OomScoresOption("oom-score-adj-values", None, c => ref c.OomScoreAdjValues),
        Text("server_cpulist", Immutable | NotYet, c => ref c.ServerCpuList),
        Text("bio_cpulist", Immutable | NotYet, c => ref c.BioCpuList),
        Text("aof_rewrite_cpulist", Immutable | NotYet, c => ref c.AofRewriteCpuList),
        Text("bgsave_cpulist", Immutable | NotYet, c => ref c.BgSaveCpuList),
    ];

    private static EnumOption<SignalShutdown> SignalShutdownOption(string name, ConfigField<SignalShutdown> field) =>
        new(name, alias: null, ConfigFlags.Multi, field,
            ("default", SignalShutdown.Default), ("save", SignalShutdown.Save), ("nosave", SignalShutdown.NoSave),
            ("now", SignalShutdown.Now), ("force", SignalShutdown.Force))
        {
            Combine = (a, b) => a | b,
            Check = flags => flags.HasFlag(SignalShutdown.Save | SignalShutdown.NoSave)
                ? "shutdown options SAVE and NOSAVE can't be used simultaneously"
                : null,
        };
}
