namespace KvServer.Storage;

/// <summary>A field met while walking a hash, with its value, where they lie in the hash.</summary>
/// <remarks>Valid until the hash changes.</remarks>
public readonly ref struct HashField
{
    internal HashField(PackedElement name, PackedElement value, long expireAtMs = Database.NoExpiry)
    {
        Name = name;
        Value = value;
        ExpireAtMs = expireAtMs;
    }

    /// <summary>The field's name.</summary>
    public PackedElement Name { get; }

    /// <summary>Its value.</summary>
    public PackedElement Value { get; }

    /// <summary>When it expires, in milliseconds since 1970, or <see cref="Database.NoExpiry"/>.</summary>
    public long ExpireAtMs { get; }

    internal static unsafe HashField Of(byte* element) => new(
        PackedElement.OfString(FieldLayout.FieldOf(element)),
        PackedElement.OfString(FieldLayout.ValueOf(element)),
        FieldLayout.ExpireAtOf(element));
}
