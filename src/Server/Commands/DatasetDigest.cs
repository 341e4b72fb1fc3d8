using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KvServer.Resp;
using KvServer.Storage;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands;

/// <summary>A signature of data that does not depend on the order in which it is kept: DEBUG DIGEST.</summary>
/// <remarks>
/// The same data gives the same forty digits here and on the reference server, which is what tests compare. Two
/// operations build it: <see cref="Xor"/> adds something whose order must not matter (keys, members), <see cref="Mix"/>
/// something whose order does (type before value).
/// </remarks>
#pragma warning disable CA5350 // SHA-1 is what the format asks for; nothing secret rests on it.
internal struct DatasetDigest
{
    private const int Bytes = 20;
    private Digest20 _digest;

    /// <summary>The signature of every database that has keys.</summary>
    public static DatasetDigest OfKeyspace(Keyspace keyspace)
    {
        DatasetDigest total = default;
        for (int i = 0; i < keyspace.DatabaseCount; i++)
        {
            Database database = keyspace[i];
            if (database.Count == 0)
            {
                continue;
            }

            total.MixNumber((uint)i);
            KeyConsumer consumer = new() { Total = total, Database = database };
            database.ForEach(ref consumer);
            total = consumer.Total;
        }

        return total;
    }

    /// <summary>The signature of one value with its type and expiry, the key's name left out.</summary>
    public static DatasetDigest OfValue(Database database, Entry entry)
    {
        DatasetDigest digest = default;
        digest.AddValue(database, entry);
        return digest;
    }

    /// <summary>Forty lower-case hexadecimal digits.</summary>
    public readonly byte[] ToHexString() =>
        System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(((ReadOnlySpan<byte>)_digest)[..Bytes]));

    private void AddValue(Database database, Entry entry)
    {
        MixNumber((uint)entry.Type);
        switch (entry.Type)
        {
            case ValueType.String:
                Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
                Mix(entry.GetStringSpan(scratch));
                break;
            case ValueType.Set:
                AddMembers(database, entry);
                break;
            case ValueType.Hash:
                AddFields(database, entry);
                break;
            case ValueType.List:
                MixElements(database, entry);
                break;
            case ValueType.SortedSet:
                AddScoredMembers(database, entry);
                break;
            case ValueType.Stream:
                MixEntries(database, entry);
                break;
            default:
                throw new NotSupportedException($"No digest for values of type {entry.Type}.");
        }

        if (entry.ExpireAtMs >= 0)
        {
            Xor("!!expire!!"u8);
        }
    }

    private void AddMembers(Database database, Entry entry)
    {
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        foreach (SetMember member in SetValue.Open(database, entry, default))
        {
            Xor(member.AsText(scratch));
        }
    }

    private void AddFields(Database database, Entry entry)
    {
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        foreach (HashField field in HashValue.Open(database, entry, default))
        {
            DatasetDigest digest = default;
            digest.Mix(field.Name.AsText(scratch));
            digest.Mix(field.Value.AsText(scratch));
            if (field.ExpireAtMs >= 0)
            {
                digest.Xor("!!hexpire!!"u8);
            }

            Xor(digest._digest);
        }
    }

    private void MixElements(Database database, Entry entry)
    {
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        foreach (PackedElement element in ListValue.Open(database, entry, default))
        {
            Mix(element.AsText(scratch));
        }
    }

    private void AddScoredMembers(Database database, Entry entry)
    {
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        Span<byte> score = stackalloc byte[Numbers.MaxDoubleChars];
        foreach (SortedSetMember member in SortedSetValue.Open(database, entry, default))
        {
            DatasetDigest element = default;
            element.Mix(member.Member.AsText(scratch));
            element.Mix(score[..Numbers.FormatDouble(member.Score, score)]);
            Xor(element._digest);
        }
    }

    // Of a stream only the entries count, with a point in their ids; groups and counters do not.
    private void MixEntries(Database database, Entry entry)
    {
        Span<byte> scratch = stackalloc byte[Entry.ScratchBytes];
        Span<byte> text = stackalloc byte[StreamId.MaxTextLength];
        foreach (StreamEntry one in StreamValue.Open(database, entry, default))
        {
            Span<byte> id = text[..one.Id.Format(text)];
            id[id.IndexOf((byte)'-')] = (byte)'.';
            Mix(id);
            foreach (StreamField field in one)
            {
                Mix(field.Name.AsText(scratch));
                Mix(field.Value.AsText(scratch));
            }
        }
    }

    private void Xor(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Bytes];
        SHA1.HashData(data, hash);
        Combine(hash);
    }

    private void Mix(ReadOnlySpan<byte> data)
    {
        Xor(data);
        Digest20 before = _digest;
        SHA1.HashData(before, _digest);
    }

    private void MixNumber(uint number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        Mix(bytes);
    }

    private void Combine(ReadOnlySpan<byte> hash)
    {
        for (int i = 0; i < Bytes; i++)
        {
            _digest[i] ^= hash[i];
        }
    }

    [InlineArray(Bytes)]
    private struct Digest20
    {
        private byte _first;
    }

    private struct KeyConsumer : IEntryVisitor
    {
        public DatasetDigest Total;
        public Database Database;

        public void Visit(in Entry entry)
        {
            DatasetDigest digest = default;
            digest.Mix(entry.KeyBytes);
            digest.AddValue(Database, entry);
            Total.Xor(digest._digest);
        }
    }
}
