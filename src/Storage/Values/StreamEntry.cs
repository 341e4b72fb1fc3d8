namespace KvServer.Storage;

/// <summary>An entry of a stream: its id, and its fields to walk over.</summary>
/// <remarks>A view into the stream, valid until it changes. Command loop only.</remarks>
public readonly ref struct StreamEntry
{
    private readonly PackedList _list;
    private readonly int _names;
    private readonly int _body;

    internal StreamEntry(PackedList list, StreamId id, int fieldCount, int names, int body)
    {
        _list = list;
        _names = names;
        _body = body;
        Id = id;
        FieldCount = fieldCount;
    }

    /// <summary>The entry's id.</summary>
    public StreamId Id { get; }

    /// <summary>Number of pairs of field and value.</summary>
    public int FieldCount { get; }

    /// <summary>Walks over the pairs in the order they were given.</summary>
    public StreamFieldEnumerator GetEnumerator() => new(_list, FieldCount, _names, _body);
}
