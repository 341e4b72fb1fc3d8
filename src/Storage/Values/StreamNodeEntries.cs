namespace KvServer.Storage;

/// <summary>Walks over the entries of one node that is no part of a stream any more, deleted ones left out.</summary>
/// <remarks>The list is trusted: <see cref="StreamNodeCheck"/> has seen it, or it comes from a stream. Whoever owns the
/// bytes.</remarks>
public ref struct StreamNodeEntries
{
    private StreamNodeCursor _cursor;

    /// <summary>Stands before the first entry.</summary>
    /// <param name="list">The packed list, which is not changed.</param>
    /// <param name="id">The id that its entries are told as differences to.</param>
    public StreamNodeEntries(Span<byte> list, StreamId id) => _cursor = new StreamNodeCursor(new PackedList(list), id);

    /// <summary>The entry <see cref="MoveNext"/> has come to.</summary>
    public readonly StreamEntry Current => _cursor.Entry;

    /// <summary>Serves foreach.</summary>
    public readonly StreamNodeEntries GetEnumerator() => this;

    /// <summary>Goes to the next entry.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        while (_cursor.MoveNext())
        {
            if (!_cursor.IsDeleted)
            {
                return true;
            }
        }

        return false;
    }
}
