using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>What the figures for operators cost that are always on: latency tracking, slow log, hot and big keys.</summary>
internal static class Observing
{
    public static Task RunAsync(BenchmarkOptions options) =>
        new SwitchCost("What is counted for operators", "off", "on", options).RunAsync((server, control) => isOn =>
        {
            Set(control, "latency-tracking", isOn ? "yes" : "no");
            Set(control, "slowlog-log-slower-than", isOn ? "10000" : "-1");
            if (!server.Server.Options.IsReference)
            {
                Set(control, "key-statistics", isOn ? "yes" : "no");
            }

            return [];
        });

    private static void Set(RespClient control, string option, string value)
    {
        if (control.Execute("CONFIG", "SET", option, value).AsString != "OK")
        {
            throw new InvalidOperationException($"{option} could not be set.");
        }
    }
}
