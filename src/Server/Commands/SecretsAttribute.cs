namespace KvServer.Server.Commands;

/// <summary>Declares that a command takes passwords or the like: they read <c>(redacted)</c> wherever calls are shown.</summary>
/// <remarks>Either all arguments from <see cref="From"/> on are secret, or <see cref="Finder"/> names a static method of the
/// handler's class with the signature of <see cref="SecretFinder"/>.</remarks>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SecretsAttribute : Attribute
{
    /// <summary>The first secret argument; 0 to ask <see cref="Finder"/>.</summary>
    public int From { get; init; }

    /// <summary>The method that knows; empty when <see cref="From"/> says it all.</summary>
    public string Finder { get; init; } = "";
}
