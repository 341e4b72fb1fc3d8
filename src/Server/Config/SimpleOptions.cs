using System.Globalization;

namespace KvServer.Server.Config;

/// <summary><c>yes</c> or <c>no</c>.</summary>
internal sealed class BoolOption(string name, string? alias, ConfigFlags flags, ConfigField<bool> field)
    : ConfigOption<bool>(name, alias, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, bool current, ConfigSource source, out bool value)
    {
        value = ConfigText.IsName(words[0], "yes");
        return value || ConfigText.IsName(words[0], "no") ? null : "argument must be 'yes' or 'no'";
    }

    private protected override string Format(bool value) => value ? "yes" : "no";
}

/// <summary>A whole number in a range.</summary>
internal sealed class IntOption(
    string name, string? alias, ConfigFlags flags, int min, int max, ConfigField<int> field)
    : ConfigOption<int>(name, alias, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, int current, ConfigSource source, out int value)
    {
        string? error = ConfigText.ReadInteger(words[0], min, max, out long wide);
        value = (int)wide;
        return error;
    }

    private protected override string Format(int value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A whole number in a range wider than 32 bits.</summary>
internal sealed class LongOption(
    string name, string? alias, ConfigFlags flags, long min, long max, ConfigField<long> field)
    : ConfigOption<long>(name, alias, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, long current, ConfigSource source, out long value) =>
        ConfigText.ReadInteger(words[0], min, max, out value);

    private protected override string Format(long value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A number of bytes, with or without a unit.</summary>
internal sealed class MemoryOption(
    string name, string? alias, ConfigFlags flags, long min, ConfigField<long> field)
    : ConfigOption<long>(name, alias, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, long current, ConfigSource source, out long value)
    {
        if (!ConfigText.TryReadMemory(words[0], out value, out bool isTooLarge))
        {
            return "argument must be a memory value";
        }

        return value < min || isTooLarge ? ConfigText.OutOfRange(min, long.MaxValue) : null;
    }

    private protected override string Format(long value) => value.ToString(CultureInfo.InvariantCulture);

    private protected override string FormatForFile(ServerConfig config) =>
        ConfigText.FormatMemory(ValueOf(config));
}

/// <summary>A number of bytes, or a percentage.</summary>
internal sealed class MemoryOrPercentOption(
    string name, string? alias, ConfigFlags flags, ConfigField<MemoryAmount> field)
    : ConfigOption<MemoryAmount>(name, alias, flags, field)
{
    /// <summary>What is said about a value that is neither.</summary>
    public string Refusal { get; init; } = "argument must be a memory or percent value";

    /// <summary>The least percentage; none of the memory would mean no limit, which is not what it says.</summary>
    public int MinPercent { get; init; }

    private protected override string? Read(
        ReadOnlySpan<string> words, MemoryAmount current, ConfigSource source, out MemoryAmount value)
    {
        value = default;
        string word = words[0];
        if (word.Length > 1 && word[^1] == '%')
        {
            if (!ConfigText.TryReadInteger(word.AsSpan(0, word.Length - 1), out long percent) || percent < MinPercent)
            {
                return Refusal;
            }

            value = new MemoryAmount(percent, IsPercent: true);
            return percent > 100 ? "percentage argument must be less or equal to 100" : null;
        }

        bool good = ConfigText.TryReadMemory(word, out long bytes, out bool isTooLarge);
        value = new MemoryAmount(bytes, IsPercent: false);
        return !good ? Refusal : isTooLarge ? ConfigText.OutOfRange(0, long.MaxValue) : null;
    }

    private protected override string Format(MemoryAmount value) =>
        value.Amount.ToString(CultureInfo.InvariantCulture) + (value.IsPercent ? "%" : "");

    private protected override string FormatForFile(ServerConfig config)
    {
        MemoryAmount value = ValueOf(config);
        return value.IsPercent ? Format(value) : ConfigText.FormatMemory(value.Amount);
    }
}

/// <summary>Permission bits, in octal.</summary>
internal sealed class OctalOption(string name, string? alias, ConfigFlags flags, int max, ConfigField<int> field)
    : ConfigOption<int>(name, alias, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, int current, ConfigSource source, out int value)
    {
        value = 0;
        foreach (char c in words[0])
        {
            if (c is < '0' or > '7' || value > max)
            {
                return "argument couldn't be parsed as an octal number";
            }

            value = (value * 8) + (c - '0');
        }

        return value > max ? $"argument must be between 0 and {Convert.ToString(max, 8)} inclusive" : null;
    }

    private protected override string Format(int value) => Convert.ToString(value, 8);
}

/// <summary>Text, as UTF-8.</summary>
internal sealed class StringOption(string name, string? alias, ConfigFlags flags, ConfigField<string> field)
    : ConfigOption<string>(name, alias, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, string current, ConfigSource source, out string value) =>
        ConfigText.TryDecode(words[0], out value) ? null : "argument must be valid UTF-8 text";

    private protected override string Format(string value) => ConfigText.Encode(value);

    private protected override string FormatForFile(ServerConfig config) =>
        ConfigText.Quote(Format(ValueOf(config)));
}

/// <summary>Bytes of any value: passwords and user names.</summary>
internal sealed class BytesOption(string name, string? alias, ConfigFlags flags, ConfigField<byte[]> field)
    : ConfigOption<byte[]>(name, alias, flags, field)
{
    private protected override string? Read(
        ReadOnlySpan<string> words, byte[] current, ConfigSource source, out byte[] value)
    {
        value = ConfigText.ToBytes(words[0]);
        return null;
    }

    private protected override string Format(byte[] value) => ConfigText.FromBytes(value);

    private protected override string FormatForFile(ServerConfig config) =>
        ConfigText.Quote(Format(ValueOf(config)));
}

/// <summary>One of several names, or several of them where the option is <see cref="ConfigFlags.Multi"/>.</summary>
/// <typeparam name="T">The enum behind the names.</typeparam>
internal sealed class EnumOption<T>(
    string name, string? alias, ConfigFlags flags, ConfigField<T> field, params (string Name, T Value)[] names)
    : ConfigOption<T>(name, alias, flags, field)
    where T : struct, Enum
{
    /// <summary>Adds a further flag to those read so far; for options that take several.</summary>
    public Func<T, T, T>? Combine { get; init; }

    private protected override string? Read(
        ReadOnlySpan<string> words, T current, ConfigSource source, out T value)
    {
        value = default;
        if (words.Length == 0)
        {
            return OneOf();
        }

        foreach (string word in words)
        {
            int i = Array.FindIndex(names, n => ConfigText.IsName(word, n.Name));
            if (i < 0)
            {
                return OneOf();
            }

            value = Combine is null ? names[i].Value : Combine(value, names[i].Value);
        }

        return null;
    }

    private protected override string Format(T value)
    {
        if (Combine is null)
        {
            return Array.Find(names, n => EqualityComparer<T>.Default.Equals(n.Value, value)).Name;
        }

        var parts = names
            .Where(n => !EqualityComparer<T>.Default.Equals(n.Value, default) && value.HasFlag(n.Value))
            .Select(n => n.Name).ToList();
        return parts.Count == 0 ? names[0].Name : string.Join(' ', parts);
    }

    private string OneOf() =>
        "argument(s) must be one of the following: " + string.Join(", ", names.Select(n => n.Name));
}
