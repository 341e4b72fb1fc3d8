using System.Globalization;

namespace KvServer.Server.Metrics;

/// <summary>Turns the figures of a moment into the text of <c>/metrics</c>.</summary>
/// <remarks>Reads INFO's text the way an exporter beside the server would, so that both tell the same and a new field needs one
/// line in <see cref="MetricNames"/>. Runs outside the command loop, on any thread.</remarks>
internal static class MetricsReport
{
    private const string Gauge = "gauge";
    private const string Counter = "counter";
    private const int MaxEmptyDatabases = 16;

    private static readonly string[] InstanceFields =
    [
        "role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "run_id",
        "process_id", "master_replid", "kvserver_version",
    ];

    /// <summary>Makes the text, UTF-8.</summary>
    public static byte[] Make(ServerFigures figures, TimeProvider clock)
    {
        MetricsText text = new();
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        Single(text, "redis_up", Gauge, "Whether the server answers", "1");
        string section = "";
        foreach (ReadOnlySpan<char> line in figures.Info.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("# "))
            {
                section = line[2..].ToString();
                continue;
            }

            // An error's code may be anything, its count may not.
            int colon = section == "Errorstats" ? line.LastIndexOf(':') : line.IndexOf(':');
            if (colon > 0)
            {
                string name = line[..colon].ToString();
                string value = line[(colon + 1)..].ToString();
                fields.TryAdd(name, value);
                WriteField(text, section, name, value);
            }
        }

        WriteLatencies(text, fields);
        WriteEmptyDatabases(text, fields, figures.Databases);
        WriteServer(text, fields, figures, clock);
        return text.ToBytes();
    }

    private static void WriteField(MetricsText text, string section, string name, string value)
    {
        switch (section)
        {
            case "Commandstats":
                WriteCommand(text, After(name, "cmdstat_"), value);
                break;
            case "Errorstats":
                text.Metric("redis_errors_total", Counter, "Error replies by their code");
                text.Sample("redis_errors_total", Part(value, "count"), "", ("err", After(name, "errorstat_")));
                break;
            case "Keyspace":
                WriteDatabase(text, name, value);
                break;
            case "Dicts":
                WriteDict(text, name, value);
                break;
            case "Latencystats":
                break; // They need the counts of calls, and so come last.
            default:
                WriteNumber(text, name, value);
                break;
        }
    }

    private static void WriteNumber(MetricsText text, string name, string value)
    {
        string number = value switch
        {
            "ok" => "1",
            "err" or "fail" => "0",
            _ => value,
        };
        if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double parsed))
        {
            return;
        }

        if (MetricNames.Gauges.TryGetValue(name, out string? gauge))
        {
            Single(text, gauge, Gauge, "INFO " + name, number);
        }
        else if (MetricNames.Counters.TryGetValue(name, out string? counter))
        {
            Single(text, counter, Counter, "INFO " + name, number);
        }
        else if (name == "gc_pause_microseconds")
        {
            Single(text, "kvserver_gc_pause_seconds_total", Counter, "Seconds the garbage collector stopped the process", Micros(parsed));
        }
        else if (name.StartsWith("gc_collections_gen", StringComparison.Ordinal))
        {
            const string Collections = "kvserver_gc_collections_total";
            text.Metric(Collections, Counter, "Garbage collections by the oldest generation that was collected");
            text.Sample(Collections, number, "", ("generation", After(name, "gc_collections_gen")));
        }
        else if (name.StartsWith("heap_", StringComparison.Ordinal) && name.EndsWith("_bytes", StringComparison.Ordinal))
        {
            const string Heap = "kvserver_heap_bytes";
            text.Metric(Heap, Gauge, "Bytes of live blocks of the native heap by what they are for");
            text.Sample(Heap, number, "", ("purpose", name["heap_".Length..^"_bytes".Length]));
        }
    }

    private static void WriteCommand(MetricsText text, string command, string value)
    {
        Add("redis_commands_total", "Calls by command", Part(value, "calls"));
        Add("redis_commands_duration_seconds_total", "Seconds inside commands", Micros(double.Parse(Part(value, "usec"), CultureInfo.InvariantCulture)));
        Add("redis_commands_rejected_calls_total", "Calls refused before the command ran", Part(value, "rejected_calls"));
        Add("redis_commands_failed_calls_total", "Calls that ran and replied with an error", Part(value, "failed_calls"));

        void Add(string metric, string help, string sample)
        {
            text.Metric(metric, Counter, help);
            text.Sample(metric, sample, "", ("cmd", command));
        }
    }

    private static void WriteDatabase(MetricsText text, string database, string value)
    {
        WriteKeys(text, database, Part(value, "keys"), Part(value, "expires"));
        const string AverageTtl = "redis_db_avg_ttl_seconds";
        text.Metric(AverageTtl, Gauge, "Average time to live of the keys with an expiry time");
        double averageMs = double.Parse(Part(value, "avg_ttl"), CultureInfo.InvariantCulture);
        text.Sample(AverageTtl, MetricsText.Number(averageMs / 1e3), "", ("db", database));
    }

    private static void WriteKeys(MetricsText text, string database, string keys, string expiring)
    {
        text.Metric("redis_db_keys", Gauge, "Keys by database");
        text.Sample("redis_db_keys", keys, "", ("db", database));
        text.Metric("redis_db_keys_expiring", Gauge, "Keys with an expiry time by database");
        text.Sample("redis_db_keys_expiring", expiring, "", ("db", database));
    }

    /// <summary>A database without keys has no line in INFO, but a board shows a zero rather than a gap.</summary>
    private static void WriteEmptyDatabases(MetricsText text, Dictionary<string, string> fields, int databases)
    {
        for (int i = 0; i < Math.Min(databases, MaxEmptyDatabases); i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"db{i}");
            if (!fields.ContainsKey(name))
            {
                WriteKeys(text, name, "0", "0");
            }
        }
    }

    /// <summary>The tables behind the keys of a database, its expiry times, and (together) collections.</summary>
    private static void WriteDict(MetricsText text, string name, string value)
    {
        if (name == "resizing")
        {
            Single(text, "kvserver_dict_resizing_allowed", Gauge, "Whether tables may grow now", Part(value, "allowed"));
            return;
        }

        string[] words = name.Split('_');
        (string Name, string Value) db = ("db", words.Length == 2 ? words[0] : "");
        (string Name, string Value) dict = ("dict", words[^1]);
        if (words.Length == 2)
        {
            foreach (string table in new[] { "0", "1" })
            {
                Add("kvserver_dict_buckets", Gauge, "Buckets of hash tables", $"table{table}_size", ("table", table));
                Add("kvserver_dict_entries", Gauge, "Entries in hash tables", $"table{table}_used", ("table", table));
            }

            Add("kvserver_dict_load_factor", Gauge, "Entries per bucket", "load_factor", null);
            Add("kvserver_dict_rehash_index", Gauge, "The next bucket to move to the new table, -1 when none is", "rehash_index", null);
        }

        foreach (string by in new[] { "commands", "cron" })
        {
            Add("kvserver_dict_rehash_steps_total", Counter, "Rehash steps by who made them", "steps_by_" + by, ("by", by));
        }

        foreach (string result in new[] { "done", "refused", "forced", "failed" })
        {
            Add("kvserver_dict_resizes_total", Counter, "Changes of table size by their result", "resizes_" + result, ("result", result));
        }

        void Add(string metric, string type, string help, string part, (string Name, string Value)? label)
        {
            text.Metric(metric, type, help);
            if (label is { } extra)
            {
                text.Sample(metric, Part(value, part), "", db, dict, extra);
            }
            else
            {
                text.Sample(metric, Part(value, part), "", db, dict);
            }
        }
    }

    private static void WriteLatencies(MetricsText text, Dictionary<string, string> fields)
    {
        const string Metric = "redis_latency_percentiles_usec";
        const string Field = "latency_percentiles_usec_";
        foreach ((string name, string percentiles) in fields)
        {
            if (!name.StartsWith(Field, StringComparison.Ordinal)
                || !fields.TryGetValue("cmdstat_" + After(name, Field), out string? calls))
            {
                continue;
            }

            text.Metric(Metric, "summary", "Time inside commands in microseconds");
            (string Name, string Value) command = ("cmd", After(name, Field));
            foreach (string percentile in percentiles.Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] pair = percentile[1..].Split('=');
                double quantile = double.Parse(pair[0], CultureInfo.InvariantCulture) / 100;
                text.Sample(Metric, pair[1], "", command, ("quantile", MetricsText.Number(Math.Round(quantile, digits: 9))));
            }

            text.Sample(Metric, Part(calls, "usec"), "_sum", command);
            text.Sample(Metric, Part(calls, "calls"), "_count", command);
        }
    }

    private static void WriteServer(
        MetricsText text, Dictionary<string, string> fields, ServerFigures figures, TimeProvider clock)
    {
        double uptime = double.Parse(fields["uptime_in_seconds"], CultureInfo.InvariantCulture);
        Single(text, "redis_start_time_seconds", Gauge, "When the server started, in seconds since the Unix epoch",
            MetricsText.Number(clock.GetUtcNow().ToUnixTimeSeconds() - uptime));
        Single(text, "redis_config_maxclients", Gauge, "The option maxclients", MetricsText.Number(figures.MaxClients));
        Single(text, "redis_config_maxmemory", Gauge, "The option maxmemory, in bytes", MetricsText.Number(figures.MaxMemoryBytes));
        Single(text, "redis_slowlog_length", Gauge, "Entries of the slow log", MetricsText.Number(figures.SlowLogLength));
        Single(text, "redis_slowlog_last_id", Gauge, "Id of the newest entry of the slow log",
            MetricsText.Number(figures.SlowLogLast?.Id ?? 0));
        Single(text, "redis_last_slow_execution_duration_seconds", Gauge, "How long the newest call in the slow log took",
            Micros(figures.SlowLogLast?.Micros ?? 0));
        text.Metric("redis_instance_info", Gauge, "Who this server is");
        text.Sample(
            "redis_instance_info",
            "1",
            "",
            [.. InstanceFields.Select(name => (name, fields[name]))]);
    }

    private static void Single(MetricsText text, string metric, string type, string help, string value)
    {
        text.Metric(metric, type, help);
        text.Sample(metric, value);
    }

    private static string Micros(double micros) => MetricsText.Number(micros / 1e6);

    private static string After(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;

    /// <summary>One of the values in <c>a=1,b=2</c>; 0 when it is missing.</summary>
    private static string Part(string value, string name)
    {
        foreach (Range range in value.AsSpan().Split(','))
        {
            ReadOnlySpan<char> part = value.AsSpan(range);
            if (part.StartsWith(name) && part.Length > name.Length && part[name.Length] == '=')
            {
                return part[(name.Length + 1)..].ToString();
            }
        }

        return "0";
    }
}
