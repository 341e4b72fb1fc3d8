namespace KvServer.Storage;

/// <summary>What a stream says of itself beside its entries and groups, as files carry it.</summary>
/// <param name="Length">Number of entries.</param>
/// <param name="LastId">The last id given to an entry, be it there still or not.</param>
/// <param name="FirstId">The id of the first entry; 0-0 when there is none.</param>
/// <param name="MaxDeletedId">The largest id of an entry that was deleted by its id.</param>
/// <param name="EntriesAdded">How many entries were ever added.</param>
/// <param name="GroupCount">Number of consumer groups.</param>
public readonly record struct StreamCounters(
    long Length, StreamId LastId, StreamId FirstId, StreamId MaxDeletedId, long EntriesAdded, long GroupCount);
