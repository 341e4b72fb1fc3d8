using System.Text;
using KvServer.Server.Commands;
using KvServer.Server.Text;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Config;

/// <summary>Reads and changes the configuration while the server runs: what the CONFIG command does.</summary>
/// <remarks>Command loop only. Arguments and results are plain bytes; errors are complete error lines without the
/// leading dash, <see langword="null"/> where all went well.</remarks>
public sealed class ConfigService
{
    private readonly LoadedConfig _loaded;
    private readonly ILogger _log;
    private readonly Dictionary<ConfigOption, List<Func<ServerConfig, string?>>> _changing = [];
    private readonly Dictionary<ConfigOption, List<Func<ServerConfig, string?>>> _changed = [];
    private readonly HashSet<ConfigOption> _warned = [];

    /// <summary>Takes over what start-up read.</summary>
    public ConfigService(LoadedConfig loaded, ILogger<ConfigService> log)
    {
        _loaded = loaded;
        _log = log;
    }

    /// <summary>A service over values that came from no file, without a log: for a server inside a test.</summary>
    public static ConfigService WithoutFile(ServerConfig config) => new(
        new LoadedConfig(config, FilePath: null, new HashSet<ConfigOption>(), Warnings: []),
        Microsoft.Extensions.Logging.Abstractions.NullLogger<ConfigService>.Instance);

    /// <summary>The values, always the same object.</summary>
    public ServerConfig Config => _loaded.Config;

    /// <summary>Full path of the configuration file, or <see langword="null"/> without one.</summary>
    public string? FilePath => _loaded.FilePath;

    /// <summary>Gives the lines that declare the ACL users, for CONFIG REWRITE; null in a server without users.</summary>
    public Func<IReadOnlyList<string>>? UserLines { get; set; }

    /// <summary>Tells whether the dataset is being loaded.</summary>
    public Func<bool> IsLoading { get; set; } = static () => false;

    /// <summary>Clears the statistics of one part of the server; run by CONFIG RESETSTAT.</summary>
    public event Action? ResettingStatistics;

    /// <summary>Has a say before an option changes: the handler sees the configuration as it would be, and gives
    /// what speaks against it, or <see langword="null"/>. Nothing has changed when it runs.</summary>
    /// <exception cref="ArgumentException">There is no such option.</exception>
    public void OnChanging(string option, Func<ServerConfig, string?> check) => Register(_changing, option, check);

    /// <summary>Acts on a new value, which is in place when the handler runs. If it gives an error, every value of
    /// the CONFIG SET goes back, and the handlers that had run already run again with the old values.</summary>
    /// <exception cref="ArgumentException">There is no such option.</exception>
    public void OnChanged(string option, Func<ServerConfig, string?> apply) => Register(_changed, option, apply);

    /// <summary>CONFIG GET: the options that match a pattern, each once, with their values.</summary>
    /// <param name="patterns">Globs, in any case; a name without wildcards is given back as it was asked for.</param>
    public IReadOnlyList<KeyValuePair<byte[], byte[]>> Get(IReadOnlyList<byte[]> patterns)
    {
        var found = new List<KeyValuePair<byte[], byte[]>>();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (byte[] pattern in patterns)
        {
            if (pattern.AsSpan().IndexOfAny("[*?"u8) < 0)
            {
                string name = ConfigText.FromBytes(pattern);
                if (ConfigRegistry.Find(name) is { } option && seen.Add(name))
                {
                    found.Add(new(pattern, ConfigText.ToBytes(option.Format(Config))));
                }

                continue;
            }

            foreach (ConfigOption option in ConfigRegistry.All)
            {
                if (!option.Is(ConfigFlags.Hidden))
                {
                    AddMatch(option, option.Name);
                    AddMatch(option, option.Alias);
                }
            }

            void AddMatch(ConfigOption option, string? name)
            {
                if (name is not null &&
                    Glob.IsMatch(pattern, Encoding.ASCII.GetBytes(name), ignoreCase: true) && seen.Add(name))
                {
                    found.Add(new(ConfigText.ToBytes(name), ConfigText.ToBytes(option.Format(Config))));
                }
            }
        }

        return found;
    }

    /// <summary>CONFIG SET: changes all of the options, or none.</summary>
    /// <param name="pairs">Name, value, name, value, ...</param>
    /// <param name="isLocal">Whether the client is on this machine, which may matter to protected options.</param>
    /// <returns>The error line without its dash, or <see langword="null"/>.</returns>
    public byte[]? Set(IReadOnlyList<byte[]> pairs, bool isLocal)
    {
        if (pairs.Count == 0 || pairs.Count % 2 != 0)
        {
            return "ERR syntax error"u8.ToArray();
        }

        string? error = ReadPairs(pairs, isLocal, out List<Change> changes);
        if (error is not null)
        {
            return ConfigText.ToBytes(error);
        }

        var next = Config.Clone();
        foreach (Change change in changes)
        {
            error = change.Option.Read(
                ConfigLoader.WordsFor(change.Option, [change.Text]), next, ConfigSource.Command, out object? value);
            if (error is not null)
            {
                return Failed(change.Name, error);
            }

            change.Option.Assign(next, value);
        }

        foreach (Change change in changes)
        {
            if (FirstError(_changing, change.Option, next) is { } veto)
            {
                return Failed(change.Name, veto);
            }
        }

        return Apply(changes, next);
    }

    /// <summary>CONFIG REWRITE: writes the values back into the configuration file.</summary>
    /// <returns>The error line without its dash, or <see langword="null"/>.</returns>
    /// <remarks>Blocks until the file is on disk. After an error of the disk the new file may be there already.</remarks>
    public byte[]? Rewrite()
    {
        if (FilePath is null)
        {
            return "ERR The server is running without a config file"u8.ToArray();
        }

        if (UserLines is not null && _loaded.IncludeWithUsers is { } include)
        {
            // The file would declare them a second time, and the server would not start with it.
            string reason = $"the included file '{include}' declares users; they must stand in the file itself";
            Log.RewriteFailed(_log, reason);
            return ConfigText.ToBytes(ConfigText.Encode("ERR Rewriting config file: " + reason));
        }

        try
        {
            ConfigRewriter.Rewrite(FilePath, Config, _loaded.SetOutside, UserLines?.Invoke());
            Log.Rewritten(_log);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string reason = e is UnauthorizedAccessException ? "Permission denied" : e.Message;
            Log.RewriteFailed(_log, reason);
            return ConfigText.ToBytes(ConfigText.Encode("ERR Rewriting config file: " + reason));
        }
    }

    /// <summary>CONFIG RESETSTAT.</summary>
    public void ResetStatistics() => ResettingStatistics?.Invoke();

    private static byte[] Failed(string name, string reason) => ConfigText.ToBytes(ConfigText.Encode(
        $"ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}"));

    private static void Register(
        Dictionary<ConfigOption, List<Func<ServerConfig, string?>>> handlers, string name,
        Func<ServerConfig, string?> handler)
    {
        ConfigOption option = ConfigRegistry.Find(name) ??
            throw new ArgumentException($"There is no option '{name}'", nameof(name));
        if (!handlers.TryGetValue(option, out List<Func<ServerConfig, string?>>? list))
        {
            handlers.Add(option, list = []);
        }

        if (!list.Contains(handler))
        {
            list.Add(handler);
        }
    }

    private static string? FirstError(
        Dictionary<ConfigOption, List<Func<ServerConfig, string?>>> handlers, ConfigOption option, ServerConfig config)
    {
        foreach (Func<ServerConfig, string?> handler in handlers.GetValueOrDefault(option) ?? [])
        {
            if (handler(config) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    private string? ReadPairs(IReadOnlyList<byte[]> pairs, bool isLocal, out List<Change> changes)
    {
        changes = [];
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < pairs.Count; i += 2)
        {
            string name = ConfigText.FromBytes(pairs[i]);
            if (ConfigRegistry.Find(name) is not { } option)
            {
                return $"ERR Unknown option or number of arguments for CONFIG SET - '{name}'";
            }

            string? reason =
                option.Is(ConfigFlags.Immutable) ? "can't set immutable config" :
                option.Is(ConfigFlags.Protected) && !MayChangeProtected(isLocal) ? "can't set protected config" :
                null;
            if (reason is null && option.Is(ConfigFlags.NotWhileLoading) && IsLoading())
            {
                return Encoding.ASCII.GetString(CommandError.Loading);
            }

            string shown = ConfigText.IsName(name, option.Alias ?? "") ? option.Alias! : option.Name;
            if (reason is null && !names.Add(name))
            {
                reason = "duplicate parameter";
                name = shown;
            }

            if (reason is not null)
            {
                return $"ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}";
            }

            changes.Add(new Change(option, shown, ConfigText.FromBytes(pairs[i + 1])));
        }

        return null;
    }

    private bool MayChangeProtected(bool isLocal) => Config.EnableProtectedConfigs switch
    {
        AccessPolicy.Yes => true,
        AccessPolicy.Local => isLocal,
        _ => false,
    };

    private byte[]? Apply(List<Change> changes, ServerConfig next)
    {
        ServerConfig before = Config.Clone();
        foreach (Change change in changes)
        {
            change.Option.Copy(next, Config);
        }

        // One handler may stand behind several options (bind and port): it runs once, with all of them in place.
        var done = new List<Func<ServerConfig, string?>>();
        foreach (Change change in changes)
        {
            foreach (Func<ServerConfig, string?> handler in _changed.GetValueOrDefault(change.Option) ?? [])
            {
                if (change.Option.IsSame(before, Config) || done.Contains(handler))
                {
                    continue;
                }

                done.Add(handler);
                if (handler(Config) is { } error)
                {
                    Restore(changes, before, done);
                    return Failed(change.Name, error);
                }
            }
        }

        foreach (Change change in changes)
        {
            if (change.Option.IsWithoutEffect(Config) && _warned.Add(change.Option))
            {
                Log.Warning(_log, ConfigLoader.UnsupportedWarning(change.Option.Name));
            }
        }

        return null;
    }

    private void Restore(List<Change> changes, ServerConfig before, List<Func<ServerConfig, string?>> done)
    {
        foreach (Change change in changes)
        {
            change.Option.Copy(before, Config);
        }

        foreach (Func<ServerConfig, string?> handler in done)
        {
            if (handler(Config) is { } error)
            {
                Log.RestoreFailed(_log, error);
            }
        }
    }

    private sealed record Change(ConfigOption Option, string Name, string Text);
}
