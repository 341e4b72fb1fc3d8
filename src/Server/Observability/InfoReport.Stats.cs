using System.Globalization;
using KvServer.Server.Commands;
using KvServer.Server.PubSub;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <content>Sections of counters.</content>
internal static partial class InfoReport
{
    private const double BytesPerKilobyte = 1024;
    private const long NanosPerMicrosecond = 1000;

    private static void WriteStats(InfoWriter info, ServerState server)
    {
        ServerStatistics statistics = server.Statistics;
        KeyspaceStatistics keys = server.Keyspace.Statistics;
        InstantaneousMetrics rates = statistics.Instantaneous;
        info.Section("Stats");
        info.Field("total_connections_received", statistics.ConnectionsReceived);
        info.Field("total_commands_processed", statistics.CommandsProcessed);
        info.Field("instantaneous_ops_per_sec", rates.OpsPerSecond);
        info.Field("total_net_input_bytes", statistics.NetInputBytes);
        info.Field("total_net_output_bytes", statistics.NetOutputBytes);
        info.Field("total_net_repl_input_bytes", 0);
        info.Field("total_net_repl_output_bytes", 0);
        info.Field("instantaneous_input_kbps", rates.InputBytesPerSecond / BytesPerKilobyte);
        info.Field("instantaneous_output_kbps", rates.OutputBytesPerSecond / BytesPerKilobyte);
        info.Field("instantaneous_input_repl_kbps", 0.0);
        info.Field("instantaneous_output_repl_kbps", 0.0);
        info.Field("rejected_connections", statistics.ConnectionsRejected);
        info.Field("sync_full", 0);
        info.Field("sync_partial_ok", 0);
        info.Field("sync_partial_err", 0);
        info.Field("expired_keys", keys.ExpiredKeys);
        info.Field("expired_stale_perc", keys.ExpiredStalePercent);
        info.Field("expired_time_cap_reached_count", keys.ExpiredTimeCapReached);
        info.Field("expire_cycle_cpu_milliseconds", keys.ExpireCycleMicroseconds / 1000);
        info.Field("evicted_keys", keys.EvictedKeys);
        info.Field("evicted_clients", statistics.EvictedClients);
        info.Field("total_eviction_exceeded_time", server.Keyspace.Eviction.TotalExceededMs);
        info.Field("current_eviction_exceeded_time", server.Keyspace.Eviction.CurrentExceededMs);
        info.Field("keyspace_hits", keys.Hits);
        info.Field("keyspace_misses", keys.Misses);
        info.Field("pubsub_channels", server.PubSub.CountOf(SubscriptionKind.Channel));
        info.Field("pubsub_patterns", server.PubSub.CountOf(SubscriptionKind.Pattern));
        info.Field("pubsubshard_channels", server.PubSub.CountOf(SubscriptionKind.Shard));
        info.Field("latest_fork_usec", 0);
        info.Field("total_forks", 0);
        info.Field("migrate_cached_sockets", 0);
        info.Field("slave_expires_tracked_keys", 0);
        info.Field("active_defrag_hits", server.Keyspace.Eviction.MovedBlocks);
        info.Field("active_defrag_misses", server.Keyspace.Eviction.PassedBlocks);
        info.Field("active_defrag_key_hits", 0);
        info.Field("active_defrag_key_misses", 0);
        info.Field("total_active_defrag_time", server.Keyspace.Eviction.TotalFragmentedMs);
        info.Field("current_active_defrag_time", server.Keyspace.Eviction.CurrentFragmentedMs);
        info.Field("tracking_total_keys", server.Tracking.KeyCount);
        info.Field("tracking_total_items", server.Tracking.ItemCount);
        info.Field("tracking_total_prefixes", server.Tracking.PrefixCount);
        info.Field("unexpected_error_replies", statistics.InternalErrors);
        info.Field("total_error_replies", statistics.ErrorReplies);
        info.Field("dump_payload_sanitizations", 0);
        WriteTraffic(info, server);
        WriteLoop(info, statistics);
        info.Field("acl_access_denied_auth", statistics.AclAccessDeniedAuth);
        info.Field("acl_access_denied_cmd", statistics.AclAccessDeniedCommand);
        info.Field("acl_access_denied_key", statistics.AclAccessDeniedKey);
        info.Field("acl_access_denied_channel", statistics.AclAccessDeniedChannel);
        info.Field(
            "client_query_buffer_limit_disconnections", statistics.ClientQueryBufferLimitDisconnections);
        info.Field(
            "client_output_buffer_limit_disconnections", statistics.ClientOutputBufferLimitDisconnections);
    }

    /// <summary>With several event loops every one of them reads and writes, so all of it is threaded then. Replies go
    /// straight into the output, so there are no reply buffers to resize.</summary>
    private static void WriteTraffic(InfoWriter info, ServerState server)
    {
        bool isThreaded = server.Config.IoThreads > 1;
        info.Field("total_reads_processed", server.Statistics.Reads);
        info.Field("total_writes_processed", server.Statistics.Writes);
        info.Field("io_threaded_reads_processed", isThreaded ? server.Statistics.Reads : 0);
        info.Field("io_threaded_writes_processed", isThreaded ? server.Statistics.Writes : 0);
        info.Field("reply_buffer_shrinks", 0);
        info.Field("reply_buffer_expands", 0);
    }

    private static void WriteLoop(InfoWriter info, ServerStatistics statistics)
    {
        info.Field("eventloop_cycles", statistics.Loop.Entries);
        info.Field("eventloop_duration_sum", statistics.Loop.ElapsedNanos / NanosPerMicrosecond);
        info.Field("eventloop_duration_cmd_sum", statistics.Loop.CommandNanos / NanosPerMicrosecond);
        info.Field("instantaneous_eventloop_cycles_per_sec", statistics.Instantaneous.EntriesPerSecond);
        info.Field("instantaneous_eventloop_duration_usec", statistics.Instantaneous.EntryMicroseconds);
    }

    private static void WriteDebug(InfoWriter info, ServerState server)
    {
        LoopTimes loop = server.Statistics.Loop;
        info.Section("Debug");
        info.Field("eventloop_duration_aof_sum", loop.AofNanos / NanosPerMicrosecond);
        info.Field("eventloop_duration_cron_sum", loop.CronNanos / NanosPerMicrosecond);
        info.Field("eventloop_duration_max", loop.LongestNanos / NanosPerMicrosecond);
        info.Field("eventloop_cmd_per_cycle_max", loop.MostCommands);
    }

    /// <summary>A line for each command that was called or refused since the last reset.</summary>
    private static void WriteCommandStats(InfoWriter info, ServerState server)
    {
        info.Section("Commandstats");
        foreach (Command command in server.Commands.All)
        {
            if (command.Calls == 0 && command.RejectedCalls == 0)
            {
                continue;
            }

            double micros = command.ElapsedNanos / 1e3;
            double each = command.Calls == 0 ? 0 : micros / command.Calls;
            info.Field("cmdstat_" + command.DisplayName, string.Create(
                CultureInfo.InvariantCulture,
                $"calls={command.Calls},usec={(long)micros},usec_per_call={each:F2}," +
                $"rejected_calls={command.RejectedCalls},failed_calls={command.FailedCalls}"));
        }
    }

    private static void WriteErrorStats(InfoWriter info, ServerState server)
    {
        info.Section("Errorstats");
        foreach ((string code, long count) in server.Statistics.ErrorsByCode)
        {
            info.Field("errorstat_" + code, string.Create(CultureInfo.InvariantCulture, $"count={count}"));
        }
    }

    /// <summary>A line for each command whose times are known; none while latency-tracking is off.</summary>
    private static void WriteLatencyStats(InfoWriter info, ServerState server)
    {
        info.Section("Latencystats");
        if (!server.Config.LatencyTracking)
        {
            return;
        }

        foreach (Command command in server.Commands.All)
        {
            if (command.Latency is { } latency)
            {
                info.Field("latency_percentiles_usec_" + command.DisplayName, string.Join(
                    ',', server.Config.LatencyTrackingInfoPercentiles.Select(percent => string.Create(
                        CultureInfo.InvariantCulture, $"p{percent:0.######}={latency.PercentileNanos(percent) / 1e3:F3}"))));
            }
        }
    }
}
