using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Net;
using KvServer.Server.Persistence.Aof;

namespace KvServer.Server.Persistence;

/// <summary>Opens the dataset before the server listens, so that nobody sees it empty; closes its files at the end.</summary>
internal sealed class DatasetPart(ServerState server, TransportPart transport) : IServerPart
{
    /// <inheritdoc/>
    /// <exception cref="StartupException">There is a file that cannot be read.</exception>
    public Task StartAsync(CancellationToken cancel)
    {
        InsideLoop(() =>
        {
            server.Loader = OpenLoader(server);
            server.Restrict(Restrictions.Loading, server.Loader is not null);
            if (server.Loader is null)
            {
                OpenAof(server);
            }
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancel)
    {
        InsideLoop(() =>
        {
            server.Loader?.Dispose();
            server.Aof.Close();
        });
        return Task.CompletedTask;
    }

    /// <summary>Begins to write the append-only file, if there is to be one, once the dataset is in. Command loop only.</summary>
    /// <exception cref="StartupException">It cannot be written.</exception>
    internal static void OpenAof(ServerState server)
    {
        if (server.Config.AppendOnly && server.Aof.State == AofState.Off && server.Aof.TryOpen() is { } reason)
        {
            throw new StartupException($"{reason}. Exiting.");
        }
    }

    /// <summary>Finds what there is to load. Command loop only.</summary>
    /// <returns>Null when there is nothing.</returns>
    /// <exception cref="StartupException">There is something that cannot be read.</exception>
    internal static DatasetLoader? OpenLoader(ServerState server)
    {
        AofFolder folder = server.Aof.Folder;
        if (!folder.TryLoad(out AofManifest? manifest, out string error))
        {
            throw new StartupException($"Fatal AOF manifest file error: {error}");
        }

        manifest ??= AofManifest.Empty;
        if (!server.Config.AppendOnly)
        {
            server.Aof.Adopt(manifest);
            return DatasetLoader.TryOpen(server);
        }

        if (manifest.IsEmpty || IsHalfUpgraded(server, folder, manifest))
        {
            manifest = UpgradeOldFile(server, folder) ?? manifest;
        }

        server.Aof.Adopt(manifest);

        // Who switches the append-only file on in the configuration still wants the keys of the snapshot.
        return manifest.IsEmpty ? DatasetLoader.TryOpen(server) : DatasetLoader.Open(server, folder, manifest);
    }

    // The manifest names a single file of the time before Redis 7 that has not been moved yet.
    private static bool IsHalfUpgraded(ServerState server, AofFolder folder, AofManifest manifest) =>
        manifest.Increments.Count == 0
        && manifest.Base?.Name == server.Config.AppendFileName
        && !File.Exists(folder.PathOf(manifest.Base.Name));

    /// <summary>Makes a single append-only file of the time before Redis 7 the base of a set of files.</summary>
    private static AofManifest? UpgradeOldFile(ServerState server, AofFolder folder)
    {
        ServerConfig config = server.Config;
        string oldPath = Path.GetFullPath(config.AppendFileName, config.Dir);
        if (!File.Exists(oldPath))
        {
            return null;
        }

        AofManifest manifest = AofManifest.OfOldFile(config.AppendFileName);
        try
        {
            if ((folder.TryCreate() ?? folder.TrySave(manifest)) is { } error)
            {
                throw new StartupException(error);
            }

            File.Move(oldPath, folder.PathOf(config.AppendFileName));
            _ = DiskSync.TryFlushFolder(folder.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"Error trying to move the old AOF file {oldPath}: {DiskError.TextOf(e)}", e);
        }

        Log.AofUpgraded(server.Log, oldPath, folder.Path);
        return manifest;
    }

    private void InsideLoop(Action work)
    {
        StartupException? failure = null;
        transport.CommandLoop.Post(() =>
        {
            try
            {
                work();
            }
            catch (StartupException e)
            {
                failure = e;
            }
        });
        if (failure is not null)
        {
            throw failure;
        }
    }
}
