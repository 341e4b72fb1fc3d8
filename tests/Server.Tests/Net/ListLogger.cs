using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Tests.Net;

/// <summary>Keeps what is logged.</summary>
internal sealed class ListLogger : ILogger
{
    public ConcurrentQueue<(LogLevel Level, string Text)> Entries { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Entries.Enqueue((logLevel, formatter(state, exception) + exception));

    public bool Has(string part) => Entries.Any(entry => entry.Text.Contains(part, StringComparison.Ordinal));
}
