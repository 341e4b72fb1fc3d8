using KvServer.Durability.Tests.Traffic;

namespace KvServer.Durability.Tests.Crashes;

/// <summary>A save that was asked for; its cut lies between the question and the answer.</summary>
internal sealed class SaveAttempt
{
    /// <summary>The number of the event before it was asked for.</summary>
    public required long SentAt { get; init; }

    /// <summary>The number of the event after the answer.</summary>
    public long AnsweredAt { get; set; } = EventClock.Never;

    /// <summary>Whether it is known that the file was in place before the server was killed.</summary>
    public bool IsDone { get; set; }
}
