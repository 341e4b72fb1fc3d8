namespace KvServer.Storage;

/// <summary>A field of an entry of a stream with its value; views into the stream, valid until it changes.</summary>
public readonly ref struct StreamField
{
    internal StreamField(PackedElement name, PackedElement value)
    {
        Name = name;
        Value = value;
    }

    /// <summary>The field.</summary>
    public PackedElement Name { get; }

    /// <summary>Its value.</summary>
    public PackedElement Value { get; }
}
