using KvServer.Server.Config;
using KvServer.Server.Persistence;
using KvServer.Server.Persistence.Aof;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Extensions.Logging;

namespace KvServer.Server.Hosting;

/// <summary>Puts the server together and runs it: command line, configuration, log, host, parts.</summary>
public static class ServerHost
{
    // Whoever stops us waits ten seconds before killing; leave room for what comes after the parts.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(8);

    /// <summary>Runs until the server is told to stop.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="addParts">Adds the parts as services of type <see cref="IServerPart"/>; tests bring their
    /// own.</param>
    /// <returns>The exit code: 0 after an orderly shutdown, 1 when the server could not start.</returns>
    public static async Task<int> RunAsync(string[] args, Action<IServiceCollection>? addParts = null)
    {
        if (RdbCheck.TryRun(args, out int checkResult)
            || AofCheck.TryRun(args, out checkResult)
            || HealthCheck.TryRun(args, out checkResult))
        {
            return checkResult;
        }

        try
        {
            StartupArguments arguments = StartupArguments.Parse(args);
            if (Answer(arguments.Action) is { } exitCode)
            {
                return exitCode;
            }

            LoadedConfig loaded = ConfigLoader.Load(arguments, Console.OpenStandardInput);
            if (WorkingDirectory.TryEnter(loaded.Config.Dir) is { } reason)
            {
                throw new StartupException($"Can't chdir to '{loaded.Config.Dir}': {reason}");
            }

            FileMask.KeepPrivate();
            var logging = new ServerLogging(loaded.Config);
            await using (logging.Logger)
            {
                return await RunAsync(loaded, logging, addParts ?? ServerParts.Add);
            }
        }
        catch (Exception e) when (e is ConfigException or StartupException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static int? Answer(StartupAction action)
    {
        switch (action)
        {
            case StartupAction.Run:
                return null;
            case StartupAction.Version:
                Console.WriteLine(ServerVersion.Line);
                return 0;
            case StartupAction.Help:
                Console.Error.WriteLine(Usage.Text);
                return 0;
            default:
                Console.Error.WriteLine("Neither --test-memory nor --check-system is part of kvserver.");
                return 1;
        }
    }

    private static async Task<int> RunAsync(
        LoadedConfig loaded, ServerLogging logging, Action<IServiceCollection> addParts)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Logging.AddSerilog(logging.Logger);

        // The host would report a failed start with a stack trace; ours is one line.
        builder.Logging.AddFilter<SerilogLoggerProvider>("Microsoft.Extensions.Hosting", LogLevel.None);

        IServiceCollection services = builder.Services;
        services.AddSingleton(loaded);
        services.AddSingleton(loaded.Config);
        services.AddSingleton(logging);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<ConfigService>();
        services.AddSingleton<ServerLifetime>();
        services.AddSingleton<IHostLifetime>(provider => provider.GetRequiredService<ServerLifetime>());
        services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        addParts(services);
        services.AddHostedService<ServerService>();

        using IHost host = builder.Build();
        ILogger<ServerService> log = host.Services.GetRequiredService<ILogger<ServerService>>();
        ServerLifetime lifetime = host.Services.GetRequiredService<ServerLifetime>();
        try
        {
            await host.StartAsync();
        }
        catch (StartupException e)
        {
            Log.StartFailed(log, e.Message);
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (OperationCanceledException) when (lifetime.IsRequested)
        {
            // A signal came while the server was still starting.
            return 0;
        }

        await host.WaitForShutdownAsync();
        return 0;
    }
}
