using System.Collections;
using System.Runtime.InteropServices;
using KvServer.Server.Commands;

namespace KvServer.Server.Config;

/// <summary>Reads the whole configuration at start-up: defaults, file, standard input, environment, command line,
/// each over the one before.</summary>
/// <remarks>Start-up only, one use. Every error is a <see cref="ConfigException"/> with the text to print.</remarks>
public sealed class ConfigLoader
{
    private const string EnvironmentPrefix = "KVSERVER_";
    private const string PasswordVariable = "PASSWORD";
    private const string PasswordFileVariable = "PASSWORD_FILE";
    private const int MaxIncludeDepth = 16;
    private const int MaxFileBytes = 64 * 1024 * 1024;

    private static readonly string[] Ignored =
        ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

    // Lines of a file that are no options. Each may stand there several times and adds to what is there, so that CONFIG REWRITE,
    // which writes them into the file, would have the next start find them twice: a variable can't be one of them.
    private static readonly string[] Directives = ["include", "rename-command", "user", "loadmodule", "sentinel"];

    // A copy, so that the defaults are made now: the working directory, which one of them is, may be gone later.
    private readonly ServerConfig _config = ServerConfig.Defaults.Clone();
    private readonly HashSet<ConfigOption> _setOptions = [];
    private readonly HashSet<ConfigOption> _setOutside = [];
    private readonly HashSet<ConfigOption> _accumulating = [];
    private readonly List<string> _warnings = [];

    private CommandTable? _commands;
    private string? _includeWithUsers;

    private ConfigLoader()
    {
    }

    /// <summary>Reads everything.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="standardInput">Opened when the command line asks for it.</param>
    /// <param name="environment">Names and values, those of the process if not given.</param>
    /// <exception cref="ConfigException">Something in it is wrong.</exception>
    public static LoadedConfig Load(
        StartupArguments arguments, Func<Stream>? standardInput = null, IDictionary? environment = null)
    {
        var loader = new ConfigLoader();
        if (arguments.ConfigFile is not null)
        {
            loader.ReadFile(arguments.ConfigFile, depth: 0);
        }

        if (arguments.ReadsStandardInput && standardInput is not null)
        {
            using Stream stream = standardInput();
            loader.ReadLines(ReadAll(stream, "standard input"), "standard input", depth: 0);
        }

        loader.ReadEnvironment(environment ?? Environment.GetEnvironmentVariables());
        foreach (string line in arguments.Lines)
        {
            loader.ReadLine(line, new ConfigPlace("the command line", 0), depth: 0);
        }

        loader.WarnAboutUnsupported();
        return new LoadedConfig(loader._config, arguments.ConfigFile, loader._setOutside, loader._warnings)
        {
            IncludeWithUsers = loader._includeWithUsers,
        };
    }

    /// <summary>The words an option is given: a single one with spaces is cut for options that take several.</summary>
    internal static string[] WordsFor(ConfigOption option, ReadOnlySpan<string> words)
    {
        if (!option.Is(ConfigFlags.Multi) || words.Length != 1)
        {
            return words.ToArray();
        }

        return words[0].Length == 0 ? [] : words[0].Split(' ');
    }

    /// <summary>The line for the log about an option that nothing acts on.</summary>
    internal static string UnsupportedWarning(string name) =>
        $"Option '{name}' is known but not supported yet: it is kept and has no effect";

    private static string ReadAll(Stream stream, string name)
    {
        using var buffer = new MemoryStream();
        byte[] chunk = new byte[64 * 1024];
        int read;
        while ((read = stream.Read(chunk)) > 0)
        {
            if (buffer.Length + read > MaxFileBytes)
            {
                throw new ConfigException($"Fatal error, configuration '{name}' is larger than 64 MB");
            }

            buffer.Write(chunk, 0, read);
        }

        return ConfigText.FromBytes(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private void ReadFile(string path, int depth)
    {
        string text;
        try
        {
            // No sharing mode and no length: this may be a pipe such as /dev/stdin.
            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            text = ReadAll(stream, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException
            or NotSupportedException)
        {
            string reason = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "No such file or directory",
                UnauthorizedAccessException when Directory.Exists(path) => "Is a directory",
                UnauthorizedAccessException => "Permission denied",
                _ => e.Message,
            };
            throw new ConfigException($"Fatal error, can't open config file '{path}': {reason}", e);
        }

        ReadLines(text, path, depth);
    }

    private void ReadLines(string text, string source, int depth)
    {
        int lineNumber = 0;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            lineNumber++;
            ReadLine(text.AsSpan(range).Trim(" \t\r\n").ToString(), new ConfigPlace(source, lineNumber), depth);
        }
    }

    private void ReadLine(string line, ConfigPlace place, int depth)
    {
        if (line.Length == 0 || line[0] is '#' or '\0')
        {
            return;
        }

        List<string> words = ConfigText.Split(line) ??
            throw ConfigException.At(place, line, "Unbalanced quotes in configuration line");
        if (words.Count == 0)
        {
            return;
        }

        string? error;
        if (ConfigRegistry.Find(words[0]) is { } option)
        {
            error = words.Count == 1
                ? SetToNothing(option)
                : Set(option, CollectionsMarshal.AsSpan(words)[1..]);
            if (depth > 0)
            {
                _setOutside.Add(option);
            }
        }
        else
        {
            error = ReadDirective(words, place, line, depth);
        }

        if (error is not null)
        {
            bool secret = ConfigRegistry.Find(words[0])?.Is(ConfigFlags.Sensitive) == true;
            throw ConfigException.At(place, secret ? words[0] + " (hidden)" : line, error);
        }
    }

    private string? Set(ConfigOption option, ReadOnlySpan<string> words)
    {
        ConfigSource source = ConfigSource.Startup;
        if (option.Is(ConfigFlags.Accumulates) && _accumulating.Add(option))
        {
            source = ConfigSource.StartupFirst;
        }

        string? error = option.Read(WordsFor(option, words), _config, source, out object? value);
        if (error is null)
        {
            option.Assign(_config, value);
            _setOptions.Add(option);
        }

        return error;
    }

    // The name of an option with no value behind it, not even an empty one.
    private string? SetToNothing(ConfigOption option)
    {
        if (!option.Is(ConfigFlags.Multi))
        {
            return ConfigText.WrongNumberOfArguments;
        }

        // What adds to the lines before it adds nothing; but the first line of save points takes the place of the default ones.
        bool replaces = !option.Is(ConfigFlags.Accumulates) || (option is SaveOption && !_accumulating.Contains(option));
        return replaces ? Set(option, []) : null;
    }

    // The lines that are no options with a value: they can't be read back with CONFIG GET.
    private string? ReadDirective(List<string> words, ConfigPlace place, string line, int depth)
    {
        string name = words[0];
        if (ConfigText.IsName(name, "include") && words.Count == 2)
        {
            Include(words[1], place, line, depth);
            return null;
        }

        if (ConfigText.IsName(name, "rename-command") && words.Count == 3)
        {
            // A table of its own tells what exists by now: each line sees the names the ones before it gave.
            _commands ??= CommandCatalog.CreateTable();
            _config.RenamedCommands = [.. _config.RenamedCommands, (words[1], words[2])];
            return _commands.Rename(words[1], words[2]);
        }

        if (ConfigText.IsName(name, "user") && words.Count >= 2)
        {
            _config.Users = [.. _config.Users, words.Skip(1).ToArray()];
            if (depth > 0)
            {
                _includeWithUsers ??= place.Source;
            }

            return null;
        }

        if (ConfigText.IsName(name, "loadmodule") && words.Count >= 2)
        {
            return "this server can't load modules";
        }

        if (ConfigText.IsName(name, "sentinel"))
        {
            return "this server has no Sentinel mode";
        }

        return words.Count == 2 && Array.Exists(Ignored, ignored => ConfigText.IsName(name, ignored))
            ? null
            : "Bad directive or wrong number of arguments";
    }

    private void Include(string pattern, ConfigPlace place, string line, int depth)
    {
        if (depth == MaxIncludeDepth)
        {
            throw ConfigException.At(place, line, $"include goes deeper than {MaxIncludeDepth} files");
        }

        if (!ConfigText.TryDecode(pattern, out string decoded) || decoded.Contains('\0', StringComparison.Ordinal))
        {
            throw ConfigException.At(place, line, "argument must be valid UTF-8 text");
        }

        foreach (string path in PathGlob.Expand(decoded, _config.Dir))
        {
            ReadFile(path, depth + 1);
        }
    }

    private void ReadEnvironment(IDictionary environment)
    {
        ReadPassword(environment);
        var variables = environment.Keys.Cast<string>()
            .Select(name => (Name: name, Value: (string?)environment[name] ?? ""))
            .Where(v => v.Name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
            .OrderBy(v => v.Name, StringComparer.Ordinal);
        foreach ((string name, string value) in variables)
        {
            string optionName = name[EnvironmentPrefix.Length..];
            if (optionName is PasswordVariable or PasswordFileVariable)
            {
                continue;
            }

            ConfigOption? option = ConfigRegistry.Find(optionName.Replace('_', '-')) ??
                ConfigRegistry.Find(optionName);

            // Kubernetes puts <SERVICE>_PORT=tcp://... and the like into the environment of every container.
            if (option is null || value.StartsWith("tcp://", StringComparison.Ordinal))
            {
                RefuseDirective(name, optionName);
                _warnings.Add($"Environment variable {name} names no option, it is ignored");
                continue;
            }

            var place = new ConfigPlace($"the environment variable {name}", 0);
            string shown = option.Is(ConfigFlags.Sensitive) ? "(hidden)" : value;
            string encoded = ConfigText.Encode(value);
            string[] words = option.Is(ConfigFlags.Multi)
                ? [.. ConfigText.Split(encoded) ?? throw ConfigException.At(place, shown, "Unbalanced quotes")]
                : [encoded];
            _accumulating.Remove(option);
            if (Set(option, words is [] ? [""] : words) is { } error)
            {
                throw ConfigException.At(place, shown, error);
            }
        }
    }

    // Whoever takes a command away or declares a user this way believes it done: a line in the log is not enough. The same
    // with a number behind the name, for the second of several.
    private static void RefuseDirective(string variable, string optionName)
    {
        string name = optionName.TrimEnd([.. "0123456789"]).TrimEnd('_').Replace('_', '-');
        if (Array.Find(Directives, directive => ConfigText.IsName(name, directive)) is { } found)
        {
            throw new ConfigException(
                $"Fatal error, {variable}: '{found}' can't come from the environment, only from a file or the command line");
        }
    }

    // Under the names that images of databases have for it; KVSERVER_REQUIREPASS comes on top.
    private void ReadPassword(IDictionary environment)
    {
        const string Variable = EnvironmentPrefix + PasswordVariable;
        const string FileVariable = EnvironmentPrefix + PasswordFileVariable;
        string password = ConfigText.Encode((string?)environment[Variable] ?? "");
        string path = (string?)environment[FileVariable] ?? "";
        var place = new ConfigPlace($"the environment variable {(path.Length > 0 ? FileVariable : Variable)}", 0);
        if (path.Length > 0)
        {
            if (password.Length > 0)
            {
                throw ConfigException.At(place, path, $"{Variable} is set as well: which of them counts?");
            }

            password = ReadSecret(path, place);
            if (password.Length == 0)
            {
                // A server without a password is not what somebody wants who names a file for it.
                throw ConfigException.At(place, path, "The file has no password in its first line");
            }
        }

        if (password.Length > 0 && Set(ConfigRegistry.Find("requirepass")!, [password]) is { } error)
        {
            throw ConfigException.At(place, "(hidden)", error);
        }
    }

    // A secret is a file with one line, with or without its end.
    private static string ReadSecret(string path, ConfigPlace place)
    {
        try
        {
            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            string text = ReadAll(stream, path);
            int end = text.IndexOf('\n', StringComparison.Ordinal);
            return (end < 0 ? text : text[..end]).TrimEnd('\r');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException
            or NotSupportedException)
        {
            throw ConfigException.At(place, path, $"The file can't be read: {e.Message}");
        }
    }

    private void WarnAboutUnsupported()
    {
        foreach (ConfigOption option in ConfigRegistry.All)
        {
            if (_setOptions.Contains(option) && option.IsWithoutEffect(_config))
            {
                Warn(option.Name);
            }
        }
    }

    private void Warn(string name)
    {
        string line = UnsupportedWarning(name);
        if (!_warnings.Contains(line))
        {
            _warnings.Add(line);
        }
    }
}
