using KvServer.Server.Config;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Hosting;

/// <summary>Starts the parts of the server in order, says when they are ready, and stops them in reverse.</summary>
internal sealed class ServerService(
    IEnumerable<IServerPart> parts, LoadedConfig loaded, ConfigService configService, ServerLogging logging,
    ILogger<ServerService> log) : IHostedService
{
    private readonly Stack<IServerPart> _started = new();
    private PidFile? _pidFile;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        ServerConfig config = loaded.Config;
        Announce(config);
        configService.OnChanged("loglevel", c =>
        {
            logging.SetLevel(c.LogLevel);
            return null;
        });
        configService.OnChanged("dir", c => WorkingDirectory.TryEnter(c.Dir));
        OomScore oomScore = new(log);
        _ = oomScore.Apply(config); // The log tells when that is not allowed, which is no reason not to serve.
        configService.OnChanged("oom-score-adj", oomScore.Apply);
        configService.OnChanged("oom-score-adj-values", oomScore.Apply);

        logging.SetRole(config.ReplicaOf is null ? 'M' : 'S');
        try
        {
            foreach (IServerPart part in parts)
            {
                _started.Push(part);
                await part.StartAsync(cancellationToken);
            }

            List<string> kinds = [.. _started.SelectMany(p => p.EndpointKinds).Distinct(StringComparer.Ordinal)];
            if (kinds.Count == 0)
            {
                throw new StartupException("Configured to not listen anywhere, exiting.");
            }

            _pidFile = PidFile.Write(config, log);
            Log.Running(log, config.Port != 0 ? config.Port : config.TlsPort, Environment.ProcessId);
            Log.Initialized(log);
            foreach (IServerPart part in parts)
            {
                await part.WaitUntilReadyAsync(cancellationToken);
            }

            foreach (string kind in kinds)
            {
                Log.Ready(log, kind);
            }
        }
        catch
        {
            await StopPartsAsync(cancellationToken);
            _pidFile?.Remove(log);
            throw;
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await StopPartsAsync(cancellationToken);
        _pidFile?.Remove(log);
        Log.ByeBye(log);
    }

    private void Announce(ServerConfig config)
    {
        Log.Starting(log);
        Log.Version(log, ServerVersion.Text, ServerVersion.Compatible, IntPtr.Size * 8, Environment.ProcessId);
        if (loaded.FilePath is null)
        {
            Log.NoConfigFile(log);
        }
        else
        {
            Log.ConfigurationLoaded(log);
        }

        foreach (string warning in loaded.Warnings)
        {
            Config.Log.Warning(log, warning);
        }
    }

    private async Task StopPartsAsync(CancellationToken cancel)
    {
        while (_started.TryPop(out IServerPart? part))
        {
            try
            {
                await part.StopAsync(cancel);
            }
            catch (Exception e)
            {
                // The others still have to stop.
                Log.StopFailed(log, part.GetType().Name, e);
            }
        }
    }
}
