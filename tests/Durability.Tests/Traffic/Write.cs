using System.Globalization;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Traffic;

/// <summary>One write of a client: what was sent, and what came back when.</summary>
internal sealed class Write(int database, params string[] arguments)
{
    /// <summary>The database that was selected.</summary>
    public int Database { get; } = database;

    /// <summary>The command and its arguments, one byte per character.</summary>
    public IReadOnlyList<string> Arguments { get; } = arguments;

    /// <summary>The command.</summary>
    public string Name => Arguments[0];

    /// <summary>The number of the event before it was sent.</summary>
    public long SentAt { get; set; } = EventClock.Never;

    /// <summary>The number of the event after its reply had been read.</summary>
    public long AnsweredAt { get; set; } = EventClock.Never;

    /// <summary>When it was sent, in milliseconds since 1970.</summary>
    public long SentAtMs { get; set; }

    /// <summary>When its reply had been read, in milliseconds since 1970, or far in the future.</summary>
    public long AnsweredAtMs { get; set; } = NotAnsweredMs;

    /// <summary>The member that SPOP said it removed; null while that is unknown.</summary>
    public string? Popped { get; set; }

    /// <summary>Whether the reply has been read.</summary>
    public bool IsAnswered => AnsweredAt != EventClock.Never;

    /// <summary>The keys it may change.</summary>
    public IReadOnlyList<KeyId> Keys => Name switch
    {
        "MSET" => [.. Enumerable.Range(0, Arguments.Count / 2).Select(i => new KeyId(Database, Arguments[(2 * i) + 1]))],
        "RENAME" or "DEL" => [.. Arguments.Skip(1).Select(name => new KeyId(Database, name))],
        _ => [new KeyId(Database, Arguments[1])],
    };

    // Some years from now: later than any expiry time a test sets.
    private const long NotAnsweredMs = 4_000_000_000_000;

    /// <summary>The request as it goes over the wire.</summary>
    public void AppendTo(MemoryStream request) =>
        CommandLine.AppendRequest(request, [.. Arguments.Select(Encoding.Latin1.GetBytes)]);

    /// <summary>The command line, long arguments cut.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"db{Database} {string.Join(' ', Arguments.Take(6).Select(Shorten))} ({SentAt} - {AnsweredAt})");

    private static string Shorten(string argument) => argument.Length <= 40 ? argument : argument[..40] + "...";
}
