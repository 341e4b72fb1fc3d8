using Microsoft.Extensions.Logging;

namespace KvServer.Server.Metrics;

/// <summary>The pages that are served over HTTP: <c>/metrics</c>, <c>/healthz</c>, <c>/livez</c>.</summary>
/// <remarks>Knows nothing of HTTP but paths and status codes. Any thread.</remarks>
internal sealed class HttpPages(
    LoopQuestion<ServerFigures> figures, LoopQuestion<ServerHealth> health, Func<bool> isStopping, TimeProvider clock,
    ILogger log)
{
    /// <summary>How long the command loop may take to answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);

    private const string MetricsType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Answers a GET.</summary>
    /// <param name="path">The path, without query.</param>
    public async Task<HttpAnswer> AnswerAsync(string path)
    {
        try
        {
            switch (path)
            {
                case "/metrics":
                    ServerFigures taken = await figures.AskAsync().WaitAsync(Patience, clock);
                    return new HttpAnswer(200, MetricsType, MetricsReport.Make(taken, clock));
                case "/healthz":
                    return Describe(isStopping() ? ServerHealth.Stopping : await AskHealthAsync());
                case "/livez":
                    // On purpose without the command loop: a long command or SAVE is no reason to kill the process.
                    return HttpAnswer.Line(200, "ok");
                default:
                    return HttpAnswer.Line(404, "There are /metrics, /healthz and /livez.");
            }
        }
        catch (TimeoutException)
        {
            return Describe(ServerHealth.Busy);
        }
        catch (Exception e)
        {
            Log.RequestFailed(log, path, e);
            return HttpAnswer.Line(500, "internal error");
        }
    }

    private Task<ServerHealth> AskHealthAsync() => health.AskAsync().WaitAsync(Patience, clock);

    private static HttpAnswer Describe(ServerHealth state) => state switch
    {
        ServerHealth.Healthy => HttpAnswer.Line(200, "ok"),
        ServerHealth.Starting => HttpAnswer.Line(503, "starting"),
        ServerHealth.Loading => HttpAnswer.Line(503, "loading"),
        ServerHealth.Stopping => HttpAnswer.Line(503, "shutting down"),
        _ => HttpAnswer.Line(503, "busy"),
    };
}
