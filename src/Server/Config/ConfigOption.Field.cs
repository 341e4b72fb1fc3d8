namespace KvServer.Server.Config;

/// <summary>An option that is one field.</summary>
/// <typeparam name="T">Type of the field.</typeparam>
internal abstract class ConfigOption<T> : ConfigOption
{
    private readonly ConfigField<T> _field;

    private protected ConfigOption(string name, string? alias, ConfigFlags flags, ConfigField<T> field)
        : base(name, alias, flags) => _field = field;

    /// <summary>Checks a value beyond its form; gives what is wrong with it, or <see langword="null"/>.</summary>
    public Func<T, string?>? Check { get; init; }

    /// <summary>Moves a value into the range that makes sense, where a wider one is accepted.</summary>
    public Func<T, T>? Adjust { get; init; }

    public sealed override string? Read(
        ReadOnlySpan<string> words, ServerConfig current, ConfigSource source, out object? value)
    {
        value = null;
        if (words.Length != 1 && !Is(ConfigFlags.Multi))
        {
            return ConfigText.WrongNumberOfArguments;
        }

        string? error = Read(words, _field(current), source, out T read) ?? Check?.Invoke(read);
        if (error is null)
        {
            value = Adjust is null ? read : Adjust(read);
        }

        return error;
    }

    public sealed override void Assign(ServerConfig config, object? value) => _field(config) = (T)value!;

    public sealed override string Format(ServerConfig config) => Format(_field(config));

    public sealed override void Copy(ServerConfig from, ServerConfig to) => _field(to) = _field(from);

    private protected abstract string? Read(
        ReadOnlySpan<string> words, T current, ConfigSource source, out T value);

    private protected abstract string Format(T value);

    private protected T ValueOf(ServerConfig config) => _field(config);
}
