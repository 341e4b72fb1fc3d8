namespace KvServer.Storage;

/// <summary>Walks over the entries of a node, deleted ones included, from either end.</summary>
/// <remarks>The list is trusted. Valid until it changes in size before the place.</remarks>
internal ref struct StreamNodeCursor
{
    private readonly PackedList _list;
    private readonly StreamId _base;
    private readonly int _names;
    private readonly int _nameCount;
    private readonly int _headEnd;
    private int _body;
    private bool _isSame;

    /// <summary>Begins before the first entry, and behind the last one.</summary>
    public StreamNodeCursor(PackedList list, StreamId baseId)
    {
        _list = list;
        _base = baseId;
        Position = PackedList.None;
        int position = list.Next(list.Next(list.First));
        _nameCount = (int)list.ReadForward(ref position).Integer;
        _names = position;
        for (int i = 0; i < _nameCount; i++)
        {
            position = list.Next(position);
        }

        _headEnd = position;
    }

    /// <summary>Bytes of the node.</summary>
    public readonly int ListBytes => _list.LengthBytes;

    /// <summary>Where the flags of the entry stand.</summary>
    public int Position { get; private set; }

    /// <summary>The entry's flags.</summary>
    public long Flags { get; private set; }

    /// <summary>Its id.</summary>
    public StreamId Id { get; private set; }

    /// <summary>Number of its fields.</summary>
    public int FieldCount { get; private set; }

    /// <summary>Whether it has been deleted.</summary>
    public readonly bool IsDeleted => (Flags & StreamNode.Deleted) != 0;

    /// <summary>The entry, to read.</summary>
    public readonly StreamEntry Entry => new(_list, Id, FieldCount, _isSame ? _names : PackedList.None, _body);

    /// <summary>Goes to the next entry.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        int position = Position == PackedList.None ? _list.Next(_headEnd) : _list.Next(EndOfFields());
        if (position == PackedList.None)
        {
            return false;
        }

        Read(position);
        return true;
    }

    /// <summary>Goes to the entry before.</summary>
    /// <returns>False before the first one.</returns>
    public bool MovePrevious()
    {
        int position = Position == PackedList.None ? _list.Last : _list.Previous(Position);
        if (position == _headEnd)
        {
            return false;
        }

        for (long back = _list[position].Integer; back > 0; back--)
        {
            position = _list.Previous(position);
        }

        Read(position);
        return true;
    }

    /// <summary>Whether the fields of a new entry are those of the first one.</summary>
    public readonly bool HasNames<TFields>(scoped in TFields fields)
        where TFields : IStreamFields, allows ref struct
    {
        if (fields.Count != _nameCount)
        {
            return false;
        }

        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        int position = _names;
        for (int i = 0; i < _nameCount; i++)
        {
            if (!_list.ReadForward(ref position).AsText(scratch).SequenceEqual(fields.NameAt(i)))
            {
                return false;
            }
        }

        return true;
    }

    private readonly int EndOfFields()
    {
        int position = _body;
        for (long i = _isSame ? FieldCount : 2L * FieldCount; i > 0; i--)
        {
            position = _list.Next(position);
        }

        return position;
    }

    private void Read(int position)
    {
        Position = position;
        Flags = _list.ReadForward(ref position).Integer;
        long ms = _list.ReadForward(ref position).Integer;
        long sequence = _list.ReadForward(ref position).Integer;
        Id = new StreamId(_base.Ms + (ulong)ms, _base.Sequence + (ulong)sequence);
        _isSame = (Flags & StreamNode.SameFields) != 0;
        FieldCount = _isSame ? _nameCount : (int)_list.ReadForward(ref position).Integer;
        _body = position;
    }
}
