using System.Globalization;
using System.Text;

namespace KvServer.Server.Config;

/// <summary>The addresses to listen on.</summary>
internal sealed class BindOption(string name, ConfigFlags flags, ConfigField<string[]> field)
    : ConfigOption<string[]>(name, alias: null, flags | ConfigFlags.Multi, field)
{
    private const int MaxAddressCount = 16;

    private protected override string? Read(
        ReadOnlySpan<string> words, string[] current, ConfigSource source, out string[] value)
    {
        value = words.ToArray();
        return words.Length > MaxAddressCount ? "Too many bind addresses specified." : null;
    }

    private protected override string Format(string[] value) => string.Join(' ', value);

    private protected override string FormatForFile(ServerConfig config) =>
        ValueOf(config).Length == 0 ? "\"\"" : string.Join(' ', ValueOf(config).Select(ConfigText.QuoteIfNeeded));
}

/// <summary>Pairs of seconds and changes after which to save.</summary>
internal sealed class SaveOption(string name, ConfigFlags flags, ConfigField<SavePoint[]> field)
    : ConfigOption<SavePoint[]>(name, alias: null, flags | ConfigFlags.Multi | ConfigFlags.Accumulates, field)
{
    public override IReadOnlyList<string> FileLines(ServerConfig config, bool complete)
    {
        SavePoint[] points = ValueOf(config);
        return points.Length == 0
            ? [Name + " \"\""]
            : [.. points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{Name} {p.Seconds} {p.Changes}"))];
    }

    private protected override string? Read(
        ReadOnlySpan<string> words, SavePoint[] current, ConfigSource source, out SavePoint[] value)
    {
        value = source == ConfigSource.Startup ? current : [];
        if (words.Length == 0)
        {
            value = [];
            return null;
        }

        var points = new List<SavePoint>(value);
        for (int i = 0; i < words.Length; i += 2)
        {
            if (i + 1 == words.Length ||
                !ConfigText.TryReadLoose(words[i], out long seconds) || seconds < 1 ||
                !ConfigText.TryReadLoose(words[i + 1], out long changes) || changes is < 0 or > int.MaxValue)
            {
                return "Invalid save parameters";
            }

            points.Add(new SavePoint(seconds, (int)changes));
        }

        value = [.. points];
        return null;
    }

    private protected override string Format(SavePoint[] value) =>
        string.Join(' ', value.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Seconds} {p.Changes}")));
}

/// <summary>Limits on unread replies by class of client.</summary>
internal sealed class OutputBufferLimitOption(string name, ConfigField<ClientOutputBufferLimit[]> field)
    : ConfigOption<ClientOutputBufferLimit[]>(
        name, alias: null, ConfigFlags.Multi | ConfigFlags.Accumulates, field)
{
    private static readonly string[] ClassNames = ["normal", "slave", "pubsub"];

    public override IReadOnlyList<string> FileLines(ServerConfig config, bool complete)
    {
        ClientOutputBufferLimit[] limits = ValueOf(config);
        ClientOutputBufferLimit[] defaults = ValueOf(ServerConfig.Defaults);
        var lines = new List<string>();
        for (int i = 0; i < limits.Length; i++)
        {
            if (complete || limits[i] != defaults[i])
            {
                string clientClass = i == (int)ClientClass.Replica ? "replica" : ClassNames[i];
                lines.Add(string.Create(CultureInfo.InvariantCulture,
                    $"{Name} {clientClass} {ConfigText.FormatMemory(limits[i].HardBytes)} " +
                    $"{ConfigText.FormatMemory(limits[i].SoftBytes)} {limits[i].SoftSeconds}"));
            }
        }

        return lines;
    }

    private protected override string? Read(
        ReadOnlySpan<string> words, ClientOutputBufferLimit[] current, ConfigSource source,
        out ClientOutputBufferLimit[] value)
    {
        value = [.. current];
        if (words.Length % 4 != 0 || (words.Length == 0 && source != ConfigSource.Command))
        {
            return "Wrong number of arguments in buffer limit configuration.";
        }

        for (int i = 0; i < words.Length; i += 4)
        {
            string word = words[i];
            int clientClass = ConfigText.IsName(word, "replica")
                ? (int)ClientClass.Replica
                : Array.FindIndex(ClassNames, name => ConfigText.IsName(word, name));
            if (clientClass < 0)
            {
                return "Invalid client class specified in buffer limit configuration.";
            }

            if (!ConfigText.TryReadMemory(words[i + 1], out long hard) ||
                !ConfigText.TryReadMemory(words[i + 2], out long soft) ||
                !ConfigText.TryReadLoose(words[i + 3], out long seconds) || seconds < 0)
            {
                return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
            }

            value[clientClass] = new ClientOutputBufferLimit(hard, soft, seconds);
        }

        return null;
    }

    private protected override string Format(ClientOutputBufferLimit[] value) =>
        string.Join(' ', value.Select((limit, i) => string.Create(CultureInfo.InvariantCulture,
            $"{ClassNames[i]} {limit.HardBytes} {limit.SoftBytes} {limit.SoftSeconds}")));
}

/// <summary>Three out-of-memory scores.</summary>
internal sealed class OomScoresOption(string name, ConfigFlags flags, ConfigField<int[]> field)
    : ConfigOption<int[]>(name, alias: null, flags | ConfigFlags.Multi, field)
{
    private const int MaxScore = 2000;

    private protected override string? Read(
        ReadOnlySpan<string> words, int[] current, ConfigSource source, out int[] value)
    {
        value = new int[3];
        if (words.Length != value.Length)
        {
            return ConfigText.WrongNumberOfArguments;
        }

        for (int i = 0; i < value.Length; i++)
        {
            if (!ConfigText.TryReadLoose(words[i], out long score) || score is < -MaxScore or > MaxScore)
            {
                return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
            }

            value[i] = (int)score;
        }

        return null;
    }

    private protected override string Format(int[] value) =>
        string.Join(' ', value.Select(v => v.ToString(CultureInfo.InvariantCulture)));
}

/// <summary>Percentiles from 0 to 100.</summary>
internal sealed class PercentilesOption(string name, ConfigFlags flags, ConfigField<double[]> field)
    : ConfigOption<double[]>(name, alias: null, flags | ConfigFlags.Multi, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, double[] current, ConfigSource source, out double[] value)
    {
        value = new double[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            if (!double.TryParse(words[i], NumberStyles.Float, CultureInfo.InvariantCulture, out value[i]) ||
                double.IsNaN(value[i]))
            {
                return "Invalid latency-tracking-info-percentiles parameters";
            }

            if (value[i] is < 0 or > 100)
            {
                return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
            }
        }

        return null;
    }

    private protected override string Format(double[] value) =>
        string.Join(' ', value.Select(v => v.ToString("0.###############", CultureInfo.InvariantCulture)));

    private protected override string FormatForFile(ServerConfig config) =>
        ValueOf(config).Length == 0 ? "\"\"" : Format(ValueOf(config));
}

/// <summary>Classes of keyspace notifications, one letter each.</summary>
internal sealed class KeyspaceEventsOption(string name, ConfigFlags flags, ConfigField<KeyspaceEvents> field)
    : ConfigOption<KeyspaceEvents>(name, alias: null, flags, field)
{
    // The order in which the reference server lists them; those after A are not part of it.
    private static readonly (char Letter, KeyspaceEvents Class)[] Letters =
    [
        ('A', KeyspaceEvents.All),
        ('g', KeyspaceEvents.Generic),
        ('$', KeyspaceEvents.String),
        ('l', KeyspaceEvents.List),
        ('s', KeyspaceEvents.Set),
        ('h', KeyspaceEvents.Hash),
        ('z', KeyspaceEvents.SortedSet),
        ('x', KeyspaceEvents.Expired),
        ('e', KeyspaceEvents.Evicted),
        ('t', KeyspaceEvents.Stream),
        ('d', KeyspaceEvents.Module),
        ('n', KeyspaceEvents.New),
        ('K', KeyspaceEvents.Keyspace),
        ('E', KeyspaceEvents.Keyevent),
        ('m', KeyspaceEvents.KeyMiss),
    ];

    private protected override string? Read(
        ReadOnlySpan<string> words, KeyspaceEvents current, ConfigSource source, out KeyspaceEvents value)
    {
        value = KeyspaceEvents.None;
        foreach (char letter in words[0])
        {
            int i = Array.FindIndex(Letters, l => l.Letter == letter);
            if (i < 0)
            {
                return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
            }

            value |= Letters[i].Class;
        }

        return null;
    }

    // What is shown is not all there is.
    public override bool IsSame(ServerConfig a, ServerConfig b) => ValueOf(a) == ValueOf(b);

    // As on the reference server, n is not shown beside A, although A does not stand for it. A file tells it.
    private protected override string Format(KeyspaceEvents value) =>
        Spell((value & KeyspaceEvents.All) == KeyspaceEvents.All ? value & ~KeyspaceEvents.New : value);

    private protected override string FormatForFile(ServerConfig config) => ConfigText.Quote(Spell(ValueOf(config)));

    private static string Spell(KeyspaceEvents value)
    {
        var text = new StringBuilder();
        foreach ((char letter, KeyspaceEvents events) in Letters)
        {
            if ((value & events) == events)
            {
                text.Append(letter);
                value &= ~events;
            }
        }

        return text.ToString();
    }
}

/// <summary>Host and port of the master, or <c>no one</c>.</summary>
internal sealed class ReplicaOfOption(string name, string alias, ConfigFlags flags, ConfigField<MasterAddress?> field)
    : ConfigOption<MasterAddress?>(name, alias, flags | ConfigFlags.Multi, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, MasterAddress? current, ConfigSource source, out MasterAddress? value)
    {
        value = null;
        if (words.Length != 2)
        {
            return ConfigText.WrongNumberOfArguments;
        }

        if (ConfigText.IsName(words[0], "no") && ConfigText.IsName(words[1], "one"))
        {
            return null;
        }

        if (!ConfigText.TryReadInteger(words[1], out long port) || port is < 0 or > 65535)
        {
            return "Invalid master port";
        }

        value = new MasterAddress(words[0], (int)port);
        return null;
    }

    private protected override string Format(MasterAddress? value) =>
        value is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{value.Host} {value.Port}");

    private protected override string FormatForFile(ServerConfig config) =>
        ValueOf(config) is { } master
            ? string.Create(CultureInfo.InvariantCulture, $"{ConfigText.Quote(master.Host)} {master.Port}")
            : "no one";
}

/// <summary>The working directory: it must exist, and is shown in full.</summary>
internal sealed class DirectoryOption(string name, ConfigFlags flags, ConfigField<string> field)
    : ConfigOption<string>(name, alias: null, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, string current, ConfigSource source, out string value)
    {
        if (!ConfigText.TryDecode(words[0], out value))
        {
            return "argument must be valid UTF-8 text";
        }

        if (value.Length == 0 || value.Contains('\0', StringComparison.Ordinal))
        {
            return "No such file or directory";
        }

        value = Path.GetFullPath(value, current);
        return Directory.Exists(value) ? null : File.Exists(value) ? "Not a directory" : "No such file or directory";
    }

    private protected override string Format(string value) => ConfigText.Encode(value);

    private protected override string FormatForFile(ServerConfig config) =>
        ConfigText.Quote(Format(ValueOf(config)));
}
