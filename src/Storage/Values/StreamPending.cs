namespace KvServer.Storage;

/// <summary>A pending entry of a consumer group: delivered and not acknowledged.</summary>
/// <param name="Id">The entry's id; the entry itself may be gone.</param>
/// <param name="DeliveredMs">When it was last delivered.</param>
/// <param name="Deliveries">How often.</param>
/// <param name="Consumer">The number of the consumer that has it.</param>
public readonly record struct StreamPending(StreamId Id, long DeliveredMs, long Deliveries, long Consumer);
