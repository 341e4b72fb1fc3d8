using System.Globalization;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Config;
using KvServer.Server.Persistence;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Hosting;

/// <summary>Which process the kernel ends first when memory is short: <c>oom-score-adj</c> and
/// <c>oom-score-adj-values</c>.</summary>
/// <remarks>One thread at a time.</remarks>
/// <param name="log">Hears why it could not be set.</param>
/// <param name="path">The file that holds the process's adjustment, -1000 to 1000; tests name another.</param>
internal sealed class OomScore(ILogger log, string path = OomScore.OwnFile)
{
    private const string OwnFile = "/proc/self/oom_score_adj";
    private const int Limit = 1000;

    // What the process was started with, while another value is set.
    private int? _started;

    /// <summary>Sets what the configuration wants; with <c>no</c> what was there at the start, if it was changed.</summary>
    /// <returns>Why that failed, for CONFIG SET, or null.</returns>
    public string? Apply(ServerConfig config)
    {
        if (config.OomScoreAdj == OomScoreAdjust.No && _started is null)
        {
            return null;
        }

        try
        {
            int started = _started ??= Read();
            int own = config.OomScoreAdjValues[config.ReplicaOf is null ? 0 : 1];
            Write(config.OomScoreAdj switch
            {
                OomScoreAdjust.No => started,
                OomScoreAdjust.Absolute => own,
                _ => started + own,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.OomScoreFailed(log, DiskError.TextOf(e));
            return "Failed to set current oom_score_adj. Check server logs.";
        }

        if (config.OomScoreAdj == OomScoreAdjust.No)
        {
            _started = null;
        }

        return null;
    }

    private int Read() =>
        Numbers.TryParseInt64(File.ReadAllBytes(path).AsSpan().Trim("\n "u8), out long value)
            ? (int)value
            : throw new IOException("it is no number");

    private void Write(int value)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(value, -Limit, Limit)}\n")));
    }
}
