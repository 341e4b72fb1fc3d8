using System.Buffers;
using KvServer.Server.Commands.Options;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>Finds what a pattern of SORT stands for, element after element.</summary>
/// <remarks>These are reads like any other: they count hits and misses, and remove keys and fields whose time has come.
/// Dispose it.</remarks>
internal struct SortLookup(CommandContext ctx) : IDisposable
{
    /// <summary>Room that <see cref="TryFind"/> needs to write an integer.</summary>
    public const int ScratchBytes = Entry.ScratchBytes;

    private byte[] _key = [];

    /// <summary>Whether a hash was looked into of which fields expire: what was found there depends on the
    /// time.</summary>
    public bool MetExpiringFields { get; private set; }

    /// <summary>Finds the string or the field that a pattern names for an element.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="element">What takes the place of its <c>*</c>.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="value">The value: a part of the scratch when it is short, else of the store or of the element;
    /// valid until something changes.</param>
    /// <returns>False when there is none, or one of another type.</returns>
    public bool TryFind(
        scoped in SortPattern pattern, ReadOnlySpan<byte> element, Span<byte> scratch, out ReadOnlySpan<byte> value)
    {
        value = pattern.IsElement ? element : default;
        if (!pattern.HasPlace)
        {
            return pattern.IsElement;
        }

        long length = (long)pattern.Before.Length + element.Length + pattern.After.Length;
        if (length > Array.MaxLength)
        {
            return false; // No key is that long.
        }

        Key key = ctx.Server.Keyspace.KeyOf(BuildKey(in pattern, element, (int)length));
        if (pattern.Field.IsEmpty)
        {
            bool isString = ctx.Database.FindForRead(key, ValueType.String, out Entry entry) == Lookup.Found;
            value = isString ? entry.GetStringSpan(scratch) : default;
            return isString;
        }

        if (ctx.Database.FindForRead(key, ValueType.Hash, out Entry hashEntry) != Lookup.Found)
        {
            return false;
        }

        MetExpiringFields |= hashEntry.HasExpiringFields;
        HashValue hash = HashValue.Open(ctx.Database, hashEntry, default);
        bool isThere = hash.TryGet(pattern.Field, out PackedElement fieldValue);
        value = isThere ? fieldValue.AsText(scratch) : default;
        return isThere;
    }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        if (_key.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_key);
            _key = [];
        }
    }

    private ReadOnlySpan<byte> BuildKey(scoped in SortPattern pattern, scoped ReadOnlySpan<byte> element, int length)
    {
        if (_key.Length < length)
        {
            Dispose();
            _key = ArrayPool<byte>.Shared.Rent(length);
        }

        Span<byte> key = _key.AsSpan(0, length);
        pattern.Before.CopyTo(key);
        element.CopyTo(key[pattern.Before.Length..]);
        pattern.After.CopyTo(key[(pattern.Before.Length + element.Length)..]);
        return key;
    }
}
