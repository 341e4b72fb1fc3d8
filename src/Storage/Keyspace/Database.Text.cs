using System.Diagnostics;

namespace KvServer.Storage;

/// <content>Strings that stay text even where they read as integers.</content>
public sealed unsafe partial class Database
{
    /// <summary>Sets a key to a string that is kept as text even if it is a canonical integer (INCRBYFLOAT).</summary>
    /// <param name="key">The key, new or not.</param>
    /// <param name="text">The bytes; not a part of this key's own value.</param>
    /// <param name="expireAtMs">When it expires, <see cref="NoExpiry"/> or <see cref="KeepExpiry"/>.</param>
    /// <remarks>O(text).</remarks>
    /// <exception cref="OutOfMemoryException">Nothing has changed.</exception>
    public void SetText(Key key, ReadOnlySpan<byte> text, long expireAtMs = NoExpiry)
    {
        if (text.Length > IntegerText.MaxLength)
        {
            SetString(key, text, expireAtMs);
            return;
        }

        byte* block = Prepare(
            key,
            FindToReplace(key),
            ValueType.String,
            ValueEncoding.Inline,
            text.Length,
            expireAtMs,
            lazily: false,
            out byte* area);
        Debug.Assert(block != null, "a prepared entry exists");
        text.CopyTo(new Span<byte>(EntryBlock.SetInlineLength(area, text.Length), text.Length));
    }
}
