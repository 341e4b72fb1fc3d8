using System.Buffers;
using System.Globalization;

namespace KvServer.Storage;

/// <summary>Makes keys of hashes in a file, whatever form they have.</summary>
/// <remarks>Fields whose time has come are made like the others: the expire cycle removes them, and whoever listens
/// hears of it.</remarks>
internal static class RdbHashBuilder
{
    // The shortest field with its value that a file can hold many of: three bytes of name, a value, two lengths.
    private const int MinFieldBytes = 6;

    /// <summary>Reads a hash and gives it to a key.</summary>
    /// <returns>False for a hash without fields, which no key can hold.</returns>
    public static bool Build(in RdbTarget target, ref RdbElements elements)
    {
        elements.Open();
        HashLimits limits = target.Limits.Hashes;
        Keyspace keyspace = target.Database.Keyspace;

        // Fields differ, so the count alone makes no table larger than what the bytes that are sure to come can fill.
        long expected = Math.Min(elements.Count, 257 + (elements.Input.SureBytes / MinFieldBytes));
        bool isPlain = elements.Type is RdbType.Hash or RdbType.HashExpiry or RdbType.HashExpiryOld;
        HashValue hash = isPlain && elements.Count > limits.PackedEntries
            ? HashValue.CreateTable(keyspace, expected)
            : HashValue.Create(keyspace, limits);
        byte[] name = [];
        try
        {
            hash.Prepare(elements.Count);
            while (elements.MoveNext())
            {
                ReadField(ref hash, ref elements, ref name);
            }

            if (hash.Count == 0)
            {
                return false;
            }

            target.BeforeStore(elements.Input);
            hash.StoreAs(target.Database, target.Key, lazily: false, target.ExpireAtMs);
            return true;
        }
        finally
        {
            hash.Dispose();
            if (name.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(name);
            }
        }
    }

    // Stands on the first part of a field: its time or its name.
    private static void ReadField(ref HashValue hash, ref RdbElements elements, ref byte[] name)
    {
        long time = 0;
        if (elements.Type is RdbType.HashExpiry or RdbType.HashExpiryOld)
        {
            time = elements.Current.Integer;
            elements.MoveNext();
        }

        int nameLength = Copy(elements.Current, ref name);
        elements.MoveNext();
        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        ReadOnlySpan<byte> field = name.AsSpan(0, nameLength);
        RdbElement value = elements.Current;
        if (!hash.Set(field, TextOf(value, scratch)))
        {
            elements.Input.Fail("A hash has the same field twice");
        }

        if (elements.Type is RdbType.HashExpiryPacked or RdbType.HashExpiryPackedOld)
        {
            elements.MoveNext();
            RdbElement last = elements.Current;
            time = last.IsInteger
                ? last.Integer
                : long.Parse(last.Bytes, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        }

        if (time == 0)
        {
            return;
        }

        // Plain times count from the first one, one more; those of listpacks are instants.
        long expireAtMs = time;
        if (elements.Type == RdbType.HashExpiry)
        {
            expireAtMs = unchecked(elements.FirstExpiryMs + time - 1);
        }

        if (time < 0 || expireAtMs is < 0 or > HashValue.MaxExpireAtMs)
        {
            elements.Input.Fail("The expiry time of a hash's field is out of range");
        }

        hash.SetExpireAt(field, expireAtMs);
    }

    private static ReadOnlySpan<byte> TextOf(RdbElement element, Span<byte> scratch) =>
        element.IsInteger ? scratch[..IntegerText.Format(element.Integer, scratch)] : element.Bytes;

    // The name is valid only until the value is read.
    private static int Copy(RdbElement element, ref byte[] name)
    {
        ReadOnlySpan<byte> text = TextOf(element, stackalloc byte[IntegerText.MaxLength]);
        if (text.Length > name.Length || name.Length == 0)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(text.Length, 64));
            if (name.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(name);
            }

            name = larger;
        }

        text.CopyTo(name);
        return text.Length;
    }
}
