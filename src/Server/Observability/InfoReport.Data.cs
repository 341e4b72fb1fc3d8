using System.Globalization;
using KvServer.Server.Persistence;
using KvServer.Server.Persistence.Aof;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <content>Sections about memory, persistence, keys and dicts.</content>
internal static partial class InfoReport
{
    private static void WriteMemory(InfoWriter info, ServerState server)
    {
        NativeHeap heap = server.Keyspace.Heap;
        (long used, long allocated, long active, long held, long resident, long peak, long overhead, long clients, long notCounted) =
            MemoryFigures.Take(server);
        info.Section("Memory");
        info.FieldWithHuman("used_memory", used);
        info.FieldWithHuman("used_memory_rss", resident);
        info.FieldWithHuman("used_memory_peak", peak);
        info.Percent("used_memory_peak_perc", used, peak);
        info.Field("used_memory_overhead", overhead);
        info.Field("used_memory_startup", server.StartupHeapBytes);
        info.Field("used_memory_dataset", used - overhead);
        info.Percent("used_memory_dataset_perc", used - overhead, used - server.StartupHeapBytes);
        info.Field("allocator_allocated", allocated);
        info.Field("allocator_active", active);
        info.Field("allocator_resident", held);
        info.FieldWithHuman("total_system_memory", ProcessFigures.SystemMemoryBytes);
        WriteScriptMemory(info);
        info.FieldWithHuman("maxmemory", server.Config.MaxMemoryBytes);
        info.Field("maxmemory_policy", OptionText("maxmemory-policy", server.Config));
        info.Field("allocator_frag_ratio", Ratio(active, allocated));
        info.Field("allocator_frag_bytes", active - allocated);
        info.Field("allocator_rss_ratio", Ratio(held, active));
        info.Field("allocator_rss_bytes", held - active);
        info.Field("rss_overhead_ratio", Ratio(resident, held));
        info.Field("rss_overhead_bytes", resident - held);
        info.Field("mem_fragmentation_ratio", Ratio(resident, used));
        info.Field("mem_fragmentation_bytes", resident - used);
        info.Field("mem_not_counted_for_evict", notCounted);
        info.Field("mem_replication_backlog", 0);
        info.Field("mem_total_replication_buffers", 0);
        info.Field("mem_clients_slaves", 0);
        info.Field("mem_clients_normal", clients);
        info.Field("mem_cluster_links", 0);
        info.Field("mem_aof_buffer", notCounted);
        info.Field("mem_allocator", "kvserver-slabs");
        info.Field("active_defrag_running", server.Keyspace.Eviction.CompactionEffort);
        info.Field("lazyfree_pending_objects", server.Keyspace.Reclaimer.PendingObjects);
        info.Field("lazyfreed_objects", server.Keyspace.Reclaimer.FreedObjects);
        WriteManagedMemory(info);
        foreach (HeapTag tag in Enum.GetValues<HeapTag>())
        {
            info.Field("heap_" + tag.ToString().ToLowerInvariant() + "_bytes", heap.UsedBytesOf(tag));
        }
    }

    /// <summary>There are no scripts, so they take nothing; exporters expect the fields.</summary>
    private static void WriteScriptMemory(InfoWriter info)
    {
        info.Field("used_memory_lua", 0);
        info.Field("used_memory_vm_eval", 0);
        info.Field("used_memory_lua_human", InfoWriter.Human(0));
        info.Field("used_memory_scripts_eval", 0);
        info.Field("number_of_cached_scripts", 0);
        info.Field("number_of_functions", 0);
        info.Field("number_of_libraries", 0);
        info.Field("used_memory_vm_functions", 0);
        info.FieldWithHuman("used_memory_vm_total", 0);
        info.Field("used_memory_functions", 0);
        info.FieldWithHuman("used_memory_scripts", 0);
    }

    /// <summary>The garbage-collected heap, which holds sessions and configuration but no data.</summary>
    private static void WriteManagedMemory(InfoWriter info)
    {
        info.Field("gc_heap_bytes", GC.GetTotalMemory(forceFullCollection: false));
        info.Field("gc_allocated_bytes", GC.GetTotalAllocatedBytes());
        info.Field("gc_collections_gen0", GC.CollectionCount(0));
        info.Field("gc_collections_gen1", GC.CollectionCount(1));
        info.Field("gc_collections_gen2", GC.CollectionCount(2));
        info.Field("gc_pause_microseconds", (long)GC.GetTotalPauseDuration().TotalMicroseconds);
    }

    private static void WritePersistence(InfoWriter info, ServerState server)
    {
        info.Section("Persistence");
        SnapshotService snapshots = server.Snapshots;
        info.Field("loading", server.IsLoading);
        info.Field("async_loading", 0);
        info.Field("current_cow_peak", 0);
        info.Field("current_cow_size", 0);
        info.Field("current_cow_size_age", 0);
        info.Field("current_fork_perc", 0.0);
        info.Field("current_save_keys_processed", snapshots.KeysProcessed);
        info.Field("current_save_keys_total", snapshots.KeysTotal);
        info.Field("rdb_changes_since_last_save", server.Statistics.Dirty);
        info.Field("rdb_bgsave_in_progress", snapshots.IsSavingOrAboutTo);
        info.Field("rdb_last_save_time", snapshots.LastSaveSeconds);
        info.Field("rdb_last_bgsave_status", snapshots.LastSucceeded ? "ok" : "err");
        info.Field("rdb_last_bgsave_time_sec", snapshots.LastDurationSeconds);
        info.Field("rdb_current_bgsave_time_sec", snapshots.CurrentDurationSeconds);
        info.Field("rdb_saves", snapshots.SaveCount);
        info.Field("rdb_last_cow_size", 0);
        info.Field("rdb_last_load_keys_expired", snapshots.LastLoadKeysExpired);
        info.Field("rdb_last_load_keys_loaded", snapshots.LastLoadKeysLoaded);
        AppendOnlyFile aof = server.Aof;
        info.Field("aof_enabled", aof.State != AofState.Off);
        info.Field("aof_rewrite_in_progress", aof.IsRewriting);
        info.Field("aof_rewrite_scheduled", aof.IsRewriteScheduled);
        info.Field("aof_last_rewrite_time_sec", aof.LastRewriteSeconds);
        info.Field("aof_current_rewrite_time_sec", aof.CurrentRewriteSeconds);
        info.Field("aof_last_bgrewrite_status", aof.LastRewriteSucceeded ? "ok" : "err");
        info.Field("aof_rewrites", aof.RewriteCount);
        info.Field("aof_rewrites_consecutive_failures", aof.ConsecutiveFailures);
        info.Field("aof_last_write_status", aof.Error is null ? "ok" : "err");
        info.Field("aof_last_cow_size", 0);
        info.Field("module_fork_in_progress", 0);
        info.Field("module_fork_last_cow_size", 0);
        info.Field("snapshot_handed_over", snapshots.HandedOver);
        info.Field("snapshot_bytes_queued", snapshots.BytesQueued);
        info.Field("snapshot_longest_slice_usec", snapshots.LongestSliceMicros);
        if (aof.State != AofState.Off)
        {
            info.Field("aof_current_size", aof.SizeBytes);
            info.Field("aof_base_size", aof.BaseSizeBytes);
            info.Field("aof_pending_rewrite", 0);
            info.Field("aof_buffer_length", aof.BufferedBytes);
            info.Field("aof_pending_bio_fsync", aof.HasUnsyncedBytes);
            info.Field("aof_delayed_fsync", aof.DelayedFsyncs);
        }

        if (server.Loader is { } loader && server.IsLoading)
        {
            info.Field("loading_start_time", loader.StartedAtSeconds);
            info.Field("loading_total_bytes", loader.TotalBytes);
            info.Field("loading_rdb_used_mem", loader.WriterUsedMemory);
            info.Field("loading_loaded_bytes", loader.LoadedBytes);
            info.Percent("loading_loaded_perc", loader.LoadedBytes, loader.TotalBytes);
            info.Field("loading_eta_seconds", loader.EtaSeconds);
        }
    }

    private static void WriteKeyspace(InfoWriter info, ServerState server)
    {
        info.Section("Keyspace");
        for (int i = 0; i < server.Keyspace.DatabaseCount; i++)
        {
            Database database = server.Keyspace[i];
            if (database.Count > 0)
            {
                info.Field(
                    string.Create(CultureInfo.InvariantCulture, $"db{i}"),
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"keys={database.Count},expires={database.ExpireCount},avg_ttl={database.AverageTtlMs}"));
            }
        }
    }

    /// <summary>Two lines for each database that has had keys: its keys, and those with an expiry time. Then what the
    /// dicts behind sets and other collections have done together.</summary>
    private static void WriteDicts(InfoWriter info, ServerState server)
    {
        ResizePolicy policy = server.Keyspace.ResizePolicy;
        info.Section("Dicts");
        info.Field("resizing", string.Create(
            CultureInfo.InvariantCulture,
            $"allowed={(policy.Allowed ? 1 : 0)},pauses={policy.Pauses},resumptions={policy.Resumptions}"));
        for (int i = 0; i < server.Keyspace.DatabaseCount; i++)
        {
            Database database = server.Keyspace[i];
            WriteDict(info, string.Create(CultureInfo.InvariantCulture, $"db{i}_keys"), database.GetFigures());
            WriteDict(
                info,
                string.Create(CultureInfo.InvariantCulture, $"db{i}_expires"),
                database.GetFigures(ofExpiries: true));
        }

        info.Field("members", Describe(server.Keyspace.MemberRuntime.Statistics));
    }

    private static void WriteDict(InfoWriter info, string name, DictFigures figures)
    {
        if (figures.BucketCount0 == 0 && figures.Statistics.ResizesDone == 0)
        {
            return;
        }

        string tables = string.Create(
            CultureInfo.InvariantCulture,
            $"table0_size={figures.BucketCount0},table0_used={figures.Used0},table1_size={figures.BucketCount1}," +
            $"table1_used={figures.Used1},rehash_index={figures.RehashIndex},load_factor={figures.LoadFactor:F2},");
        info.Field(name, tables + Describe(figures.Statistics));
    }

    private static string Describe(DictStatistics statistics) => string.Create(
        CultureInfo.InvariantCulture,
        $"steps_by_commands={statistics.StepsByCommands},steps_by_cron={statistics.StepsByCron}," +
        $"resizes_done={statistics.ResizesDone},resizes_refused={statistics.ResizesRefused}," +
        $"resizes_put_off={statistics.ResizesPutOff},resizes_forced={statistics.ResizesForced},resizes_failed={statistics.ResizesFailed}");

    private static double Ratio(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}
