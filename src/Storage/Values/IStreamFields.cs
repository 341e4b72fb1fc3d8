namespace KvServer.Storage;

/// <summary>The fields and values of an entry that is to be added to a stream.</summary>
public interface IStreamFields
{
    /// <summary>Number of pairs, at least 1.</summary>
    int Count { get; }

    /// <summary>A field's name; not a part of the stream.</summary>
    ReadOnlySpan<byte> NameAt(int index);

    /// <summary>A field's value; not a part of the stream.</summary>
    ReadOnlySpan<byte> ValueAt(int index);
}
