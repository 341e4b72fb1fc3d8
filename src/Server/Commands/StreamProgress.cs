using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>How many entries a consumer group has read and how many it has still to read, as far as that can be known.</summary>
/// <remarks>Deleted entries were counted when they were added, so a number is certain only where none were deleted on the
/// way. O(1) throughout.</remarks>
internal static class StreamProgress
{
    /// <summary>What stands for a number of entries that nobody knows.</summary>
    public const long Unknown = -1;

    /// <summary>How many entries were added up to an id, that of the last one included.</summary>
    /// <returns><see cref="Unknown"/> when deleted entries, or an id that no entry ever had, make it uncertain.</returns>
    public static long EntriesUpTo(in StreamValue stream, StreamId id)
    {
        if (stream.EntriesAdded == 0)
        {
            return 0;
        }

        if ((stream.Length == 0 && id <= stream.LastId) || id == stream.LastId)
        {
            return stream.EntriesAdded;
        }

        if (id > stream.LastId)
        {
            return Unknown;
        }

        if (stream.MaxDeletedId == StreamId.Min || stream.MaxDeletedId < stream.FirstId)
        {
            // None is missing behind the first entry.
            if (id < stream.FirstId)
            {
                return stream.EntriesAdded - stream.Length;
            }

            if (id == stream.FirstId)
            {
                return stream.EntriesAdded - stream.Length + 1;
            }
        }

        return Unknown;
    }

    /// <summary>Whether an entry may have been deleted from an id on.</summary>
    public static bool MayMissEntriesFrom(in StreamValue stream, StreamId id) =>
        stream.Length > 0
        && stream.MaxDeletedId != StreamId.Min
        && stream.FirstId <= stream.MaxDeletedId
        && id <= stream.MaxDeletedId;

    /// <summary>How many entries a group has read after it has read one more.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="entriesRead">How many it had read.</param>
    /// <param name="id">The entry it has read now.</param>
    public static long AfterReading(in StreamValue stream, long entriesRead, StreamId id)
    {
        if (entriesRead != Unknown && !MayMissEntriesFrom(in stream, id))
        {
            return entriesRead + 1;
        }

        return stream.EntriesAdded != 0 ? EntriesUpTo(in stream, id) : entriesRead;
    }

    /// <summary>How many entries a group has still to read.</summary>
    /// <returns><see langword="null"/> when nobody knows.</returns>
    public static long? LagOf(in StreamValue stream, in StreamGroup group)
    {
        if (stream.EntriesAdded == 0)
        {
            return 0;
        }

        long entriesRead = group.EntriesRead != Unknown && !MayMissEntriesFrom(in stream, group.LastId)
            ? group.EntriesRead
            : EntriesUpTo(in stream, group.LastId);
        return entriesRead == Unknown ? null : stream.EntriesAdded - entriesRead;
    }
}
