using System.Collections;
using System.Text;
using KvServer.Server.Config;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvServer.Server.Tests.Config;

/// <summary>A folder of its own, and short ways to load configuration from it.</summary>
public sealed class ConfigFixture : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("kv-config-").FullName;

    public string Write(string name, string content)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(content));
        return path;
    }

    public static LoadedConfig Load(params string[] args) => Load([], "", args);

    public static LoadedConfig Load(IDictionary environment, string input, params string[] args) => ConfigLoader.Load(
        StartupArguments.Parse(args), () => new MemoryStream(Encoding.Latin1.GetBytes(input)), environment);

    public static LoadedConfig Load(Dictionary<string, string> environment, string input, params string[] args) =>
        Load((IDictionary)environment, input, args);

    public static string LoadError(params string[] args) =>
        Assert.Throws<ConfigException>(() => Load(args)).Message;

    public static ConfigService Service(params string[] args) =>
        new(Load(args), NullLogger<ConfigService>.Instance);

    public static string? Set(ConfigService service, params string[] pairs) =>
        service.Set([.. pairs.Select(Encoding.Latin1.GetBytes)], isLocal: true) is { } error
            ? Encoding.Latin1.GetString(error)
            : null;

    public static Dictionary<string, string> Get(ConfigService service, params string[] patterns) =>
        service.Get([.. patterns.Select(Encoding.Latin1.GetBytes)])
            .ToDictionary(p => Encoding.Latin1.GetString(p.Key), p => Encoding.Latin1.GetString(p.Value));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
