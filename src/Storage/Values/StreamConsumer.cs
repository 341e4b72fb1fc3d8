namespace KvServer.Storage;

/// <summary>What is known of a consumer; a view into the stream, valid until it changes.</summary>
public readonly unsafe ref struct StreamConsumer
{
    private readonly StreamConsumerState* _state;

    internal StreamConsumer(StreamConsumerSlot* slot)
    {
        Number = slot->Number;
        _state = slot->Consumer;
    }

    /// <summary>Its number, which stands for it as long as the group exists, and for no other.</summary>
    public long Number { get; }

    /// <summary>Its name.</summary>
    public ReadOnlySpan<byte> Name => _state->Name.Bytes;

    /// <summary>When it was last named in a command.</summary>
    public long SeenMs => _state->SeenMs;

    /// <summary>When it last got entries, or -1.</summary>
    public long ActiveMs => _state->ActiveMs;

    /// <summary>Number of its pending entries.</summary>
    public long PendingCount => _state->PendingCount;
}
