namespace KvServer.Server.Config;

/// <summary>Every option there is, each declared once.</summary>
/// <remarks>An option that is <see cref="ConfigFlags.NotYet"/> is kept, shown and rewritten, but nothing acts on it:
/// take the flag away when something does.</remarks>
public static partial class ConfigRegistry
{
    private const ConfigFlags None = ConfigFlags.None;
    private const ConfigFlags Immutable = ConfigFlags.Immutable;
    private const ConfigFlags Sensitive = ConfigFlags.Sensitive;
    private const ConfigFlags Protected = ConfigFlags.Protected;
    private const ConfigFlags Hidden = ConfigFlags.Hidden;
    private const ConfigFlags NotYet = ConfigFlags.NotYet;
    private const ConfigFlags NotWhileLoading = ConfigFlags.NotWhileLoading;
    private const ConfigFlags Own = ConfigFlags.Own;
    private const int MaxPort = 65535;

    /// <summary>All options, in the order CONFIG GET lists them.</summary>
    public static IReadOnlyList<ConfigOption> All { get; } =
    [
        .. NetworkOptions(), .. ProcessOptions(), .. MemoryOptions(), .. EncodingOptions(), .. PersistenceOptions(),
        .. ReplicationOptions(), .. ClusterOptions(), .. TlsOptions(),
    ];

    private static readonly Dictionary<string, ConfigOption> ByName = BuildIndex();

    /// <summary>Finds an option by name or alias, in any case.</summary>
    public static ConfigOption? Find(string name) => ByName.GetValueOrDefault(name);

    private static Dictionary<string, ConfigOption> BuildIndex()
    {
        var byName = new Dictionary<string, ConfigOption>(All.Count * 2, StringComparer.OrdinalIgnoreCase);
        foreach (ConfigOption option in All)
        {
            byName.Add(option.Name, option);
            if (option.Alias is not null)
            {
                byName.Add(option.Alias, option);
            }
        }

        return byName;
    }

    private static BoolOption Bool(string name, ConfigFlags flags, ConfigField<bool> field, string? alias = null) =>
        new(name, alias, flags, field);

    private static IntOption Int(
        string name, ConfigFlags flags, int min, int max, ConfigField<int> field, string? alias = null) =>
        new(name, alias, flags, min, max, field);

    private static LongOption Long(
        string name, ConfigFlags flags, long min, long max, ConfigField<long> field, string? alias = null) =>
        new(name, alias, flags, min, max, field);

    private static MemoryOption Memory(
        string name, ConfigFlags flags, long min, ConfigField<long> field, string? alias = null) =>
        new(name, alias, flags, min, field);

    private static StringOption Text(
        string name, ConfigFlags flags, ConfigField<string> field, Func<string, string?>? check = null,
        string? alias = null) =>
        new(name, alias, flags, field) { Check = check };

    private static BytesOption Secret(string name, ConfigFlags flags, ConfigField<byte[]> field) =>
        new(name, alias: null, flags | Sensitive, field) { Check = CheckSecret };

    private static EnumOption<T> Choice<T>(
        string name, ConfigFlags flags, ConfigField<T> field, params (string, T)[] names)
        where T : struct, Enum => new(name, alias: null, flags, field, names);

    private static EnumOption<AccessPolicy> Access(string name, ConfigFlags flags, ConfigField<AccessPolicy> field) =>
        Choice(name, flags, field,
            ("no", AccessPolicy.No), ("yes", AccessPolicy.Yes), ("local", AccessPolicy.Local));
}
