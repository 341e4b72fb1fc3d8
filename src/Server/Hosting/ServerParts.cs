using KvServer.Server.Acl;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Metrics;
using KvServer.Server.Net;
using KvServer.Server.Persistence;
using KvServer.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Hosting;

/// <summary>The parts of the server, in the order they start.</summary>
internal static class ServerParts
{
    /// <summary>Adds them, and what they are made of.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton(provider =>
            CommandCatalog.CreateTable(provider.GetRequiredService<ServerConfig>().RenamedCommands));
        services.AddSingleton(provider => new Keyspace(
            new KeyspaceOptions { DatabaseCount = provider.GetRequiredService<ServerConfig>().Databases }));
        services.AddSingleton(CreateState);
        services.AddSingleton<CommandExecutor>();
        services.AddSingleton<IServerPart, AclPart>();
        services.AddSingleton<IServerPart, DatasetPart>();
        services.AddSingleton<TransportPart>();
        services.AddSingleton<IServerPart, MetricsPart>(); // Around the transport: it tells that clients are sent away.
        services.AddSingleton<IServerPart>(provider => provider.GetRequiredService<TransportPart>());
        services.AddSingleton<IServerPart, LoadingPart>();
    }

    private static ServerState CreateState(IServiceProvider provider)
    {
        ConfigService configuration = provider.GetRequiredService<ConfigService>();
        ServerState server = new(
            provider.GetRequiredService<ServerConfig>(),
            provider.GetRequiredService<Keyspace>(),
            provider.GetRequiredService<CommandTable>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ServerState>>())
        {
            Configuration = configuration,
            Shutdown = provider.GetRequiredService<ServerLifetime>(),
        };
        foreach (string option in new[] { "save", "stop-writes-on-bgsave-error" })
        {
            configuration.OnChanged(option, _ =>
            {
                server.Snapshots.UpdateRestrictions();
                return null;
            });
        }

        foreach (string option in new[] { "appendfsync", "no-appendfsync-on-rewrite", "aof-timestamp-enabled" })
        {
            configuration.OnChanged(option, _ =>
            {
                server.Aof.ApplyOptions();
                return null;
            });
        }

        server.Notifications.Classes = configuration.Config.NotifyKeyspaceEvents;
        configuration.OnChanged("notify-keyspace-events", config =>
        {
            server.Notifications.Classes = config.NotifyKeyspaceEvents;
            return null;
        });

        ConfigEffects.Follow(server); // It counts what is tracked: who hears of changes first shall not depend on a limit.
        configuration.OnChanged("maxmemory-clients", _ =>
        {
            server.ClientEviction.AccountAll();
            return null;
        });
        SwitchKeyStatistics(configuration.Config);
        configuration.OnChanged("key-statistics", SwitchKeyStatistics);
        configuration.IsLoading = () => server.IsLoading;
        configuration.OnChanged("appendonly", config => server.Aof.Switch(config.AppendOnly));
        return server;

        string? SwitchKeyStatistics(ServerConfig config)
        {
            server.KeyTraffic.Switch(config.KeyStatistics);
            server.BigKeys.Switch(config.KeyStatistics);
            return null;
        }
    }
}
