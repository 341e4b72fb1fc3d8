using System.Globalization;
using KvServer.Server.Config;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Hosting;

/// <summary>The file that tells others our process id.</summary>
internal sealed class PidFile
{
    private readonly string _path;

    private PidFile(string path) => _path = path;

    /// <summary>Writes the file if one is configured; a failure is logged and forgiven.</summary>
    public static PidFile? Write(ServerConfig config, ILogger log)
    {
        if (config.PidFile.Length == 0)
        {
            return null;
        }

        string path = Path.GetFullPath(config.PidFile, config.Dir);
        try
        {
            File.WriteAllText(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new PidFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.PidFileFailed(log, e.Message);
            return null;
        }
    }

    /// <summary>Removes the file.</summary>
    public void Remove(ILogger log)
    {
        Log.RemovingPidFile(log);
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody took the folder away: then the file is gone as well.
        }
    }
}
