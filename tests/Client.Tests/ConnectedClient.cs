using StackExchange.Redis;

namespace KvServer.Client.Tests;

/// <summary>A connected StackExchange.Redis client that closes without waiting.</summary>
/// <remarks>Its Dispose waits out a whole timeout for a subscription connection that nobody used, with any server.</remarks>
internal sealed class ConnectedClient(ConnectionMultiplexer multiplexer) : IAsyncDisposable
{
    /// <summary>The client itself.</summary>
    public ConnectionMultiplexer Multiplexer { get; } = multiplexer;

    public async ValueTask DisposeAsync() => await Multiplexer.CloseAsync(allowCommandsToComplete: false);
}
