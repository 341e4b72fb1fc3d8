namespace KvServer.Server;

/// <summary>Who we are.</summary>
public static class ServerVersion
{
    /// <summary>The version clients take us for (HELLO, INFO's redis_version): the newest whose commands we have.</summary>
    public const string Compatible = "7.2.4";

    /// <summary>Our own version.</summary>
    public static string Text { get; } =
        typeof(ServerVersion).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "0.0.0";

    /// <summary>Hexadecimal id of this very build.</summary>
    public static string BuildId { get; } =
        typeof(ServerVersion).Module.ModuleVersionId.ToString("N")[..16];

    /// <summary>The line <c>--version</c> prints, in the form of redis-server's. Tools that start a redis-server read what
    /// it can do from <c>v=</c>, so that is the version we are compatible with.</summary>
    public static string Line =>
        $"KvServer {Text} server v={Compatible} sha=00000000:0 malloc=native bits={IntPtr.Size * 8} build={BuildId}";
}
