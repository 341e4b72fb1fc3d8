using KvServer.Server.Clients;
using KvServer.Server.Config;

namespace KvServer.Server.Observability;

/// <content>Sections about the process and its clients.</content>
internal static partial class InfoReport
{
    private const int AccessClockBits = 24;
    private const int SecondsPerDay = 86400;

    private static void WriteServer(InfoWriter info, ServerState server)
    {
        long nowMs = server.Keyspace.NowMs;
        long uptimeSeconds = Math.Max(0, (nowMs - server.StartedAtMs) / 1000);
        long micros = (server.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        info.Section("Server");
        info.Field("redis_version", ServerVersion.Compatible);
        info.Field("redis_git_sha1", "00000000");
        info.Field("redis_git_dirty", "0");
        info.Field("redis_build_id", ServerVersion.BuildId);
        info.Field("redis_mode", "standalone");
        info.Field("os", ProcessFigures.System);
        info.Field("arch_bits", IntPtr.Size * 8);
        info.Field("monotonic_clock", "POSIX clock_gettime");
        info.Field("multiplexing_api", server.Config.EventLoop == EventLoopKind.Epoll ? "epoll" : "sockets");
        info.Field("process_id", Environment.ProcessId);
        info.Field("process_supervised", OptionText("supervised", server.Config));
        info.Field("run_id", server.RunId);
        info.Field("tcp_port", server.Config.Port != 0 ? server.Config.Port : server.Config.TlsPort);
        info.Field("server_time_usec", micros);
        info.Field("uptime_in_seconds", uptimeSeconds);
        info.Field("uptime_in_days", uptimeSeconds / SecondsPerDay);
        info.Field("hz", server.Hz);
        info.Field("configured_hz", server.Config.Hz);
        info.Field("lru_clock", (nowMs / 1000) & ((1 << AccessClockBits) - 1));
        info.Field("executable", Environment.ProcessPath ?? "");
        info.Field("config_file", server.Configuration.FilePath ?? "");
        info.Field("io_threads_active", server.Config.IoThreads > 1);
        info.Field("server_name", "kvserver");
        info.Field("kvserver_version", ServerVersion.Text);
        info.Field("dotnet_version", Environment.Version.ToString());
    }

    private static void WriteClients(InfoWriter info, ServerState server)
    {
        (long largestInput, long largestOutput) = server.ClientPeaks.Largest(server.Keyspace.NowMs);
        foreach (Client client in server.Clients.All)
        {
            largestInput = Math.Max(largestInput, client.Connection.PendingInputBytes);
            largestOutput = Math.Max(largestOutput, client.Connection.PendingOutputBytes);
        }

        info.Section("Clients");
        info.Field("connected_clients", server.Clients.Count);
        info.Field("cluster_connections", 0);
        info.Field("maxclients", server.Config.MaxClients);
        info.Field("client_recent_max_input_buffer", largestInput);
        info.Field("client_recent_max_output_buffer", largestOutput);
        info.Field("blocked_clients", server.Blocked.Count + server.Pause.HeldCount + server.Aof.HeldWriterCount);
        info.Field("tracking_clients", server.Tracking.ClientCount);
        info.Field("clients_in_timeout_table", 0);
    }

    private static void WriteReplication(InfoWriter info, ServerState server)
    {
        info.Section("Replication");
        info.Field("role", "master");
        info.Field("connected_slaves", 0);
        info.Field("master_failover_state", "no-failover");
        info.Field("master_replid", server.ReplicationId);
        info.Field("master_replid2", new string('0', server.ReplicationId.Length));
        info.Field("master_repl_offset", 0);
        info.Field("second_repl_offset", -1);
        info.Field("repl_backlog_active", 0);
        info.Field("repl_backlog_size", OptionText("repl-backlog-size", server.Config));
        info.Field("repl_backlog_first_byte_offset", 0);
        info.Field("repl_backlog_histlen", 0);
    }

    private static void WriteCpu(InfoWriter info, ServerState server)
    {
        Environment.ProcessCpuUsage process = Environment.CpuUsage;
        (double kernel, double user) = ProcessFigures.ThreadCpuSeconds;
        info.Section("CPU");
        info.Field("used_cpu_sys", process.PrivilegedTime.TotalSeconds, decimals: 6);
        info.Field("used_cpu_user", process.UserTime.TotalSeconds, decimals: 6);
        info.Field("used_cpu_sys_children", 0.0, decimals: 6);
        info.Field("used_cpu_user_children", 0.0, decimals: 6);
        info.Field("used_cpu_sys_main_thread", kernel, decimals: 6);
        info.Field("used_cpu_user_main_thread", user, decimals: 6);
    }

    private static void WriteModules(InfoWriter info, ServerState server) => info.Section("Modules");

    private static void WriteCluster(InfoWriter info, ServerState server)
    {
        info.Section("Cluster");
        info.Field("cluster_enabled", 0);
    }

    private static void WriteTls(InfoWriter info, ServerState server)
    {
        info.Section("TLS");
        info.Field("tls_port", server.Config.TlsPort);
        info.Field("tls_handshakes_pending", server.Tls.PendingHandshakes);
        info.Field("tls_handshakes_failed", server.Tls.HandshakeFailures);
        info.Field("tls_reloads", server.Tls.Reloads);
        info.Field("tls_reload_failures", server.Tls.ReloadFailures);
        if (server.Tls.Current is { } current)
        {
            info.Field("tls_cert_expires_at", current.ExpiresAt.ToUnixTimeSeconds());
            info.Field("tls_ca_cert_expires_at", current.AuthoritiesExpireAt?.ToUnixTimeSeconds() ?? 0);
        }
    }

    private static string OptionText(string name, ServerConfig config) =>
        ConfigRegistry.Find(name)?.Format(config) ?? "";
}
