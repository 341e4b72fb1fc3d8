using System.Buffers.Binary;
using KvServer.Storage.Tests.Values;
using KvServer.TestSupport.Rdb;

namespace KvServer.Storage.Tests.Snapshot;

/// <summary>Writes and loads files in memory.</summary>
public abstract class RdbTest : StoreTest
{
    /// <summary>Everything a keyspace holds, as text: one line per key, members in order.</summary>
    protected static SortedDictionary<string, string> Describe(Keyspace store)
    {
        SortedDictionary<string, string> lines = new(StringComparer.Ordinal);
        for (int i = 0; i < store.DatabaseCount; i++)
        {
            Describer describer = new(store[i], lines);
            store[i].ForEach(ref describer);
        }

        return lines;
    }

    /// <summary>The whole store as a file.</summary>
    protected byte[] Save(RdbWriterOptions options, bool hasChecksum = true)
    {
        using MemoryStream file = new();
        RdbWriter writer = new(new RdbOutput(file, hasChecksum, bufferBytes: 1024), options);
        writer.WriteHeader(new RdbFileInfo(StartMs / 1000, 1, IsAofBase: false));
        for (int i = 0; i < Store.DatabaseCount; i++)
        {
            if (Store[i].Count > 0)
            {
                writer.SelectDatabase(i, Store[i].Count, Store[i].ExpireCount);
                Saver saver = new(writer, Store[i]);
                Store[i].ForEach(ref saver);
            }
        }

        writer.WriteEnd();
        return file.ToArray();
    }

    /// <summary>What a snapshot has handed over as a file.</summary>
    protected byte[] Encode(SnapshotQueue queue, bool compresses = true, long? maxGatheredBytes = null)
    {
        using MemoryStream file = new();
        RdbWriter writer = new(new RdbOutput(file), new RdbWriterOptions(compresses));
        writer.WriteHeader(new RdbFileInfo(StartMs / 1000, 1, IsAofBase: false));
        using SnapshotEncoder encoder = new(writer, Store, AccessHintKind.None)
        {
            MaxGatheredBytes = maxGatheredBytes ?? LongStringBuffer.MaxBytes,
        };
        while (queue.TryTake(out SnapshotChunk chunk))
        {
            encoder.Encode(chunk);
        }

        writer.WriteEnd();
        return file.ToArray();
    }

    /// <summary>What a snapshot has handed over, as it is loaded from a file.</summary>
    protected SortedDictionary<string, string> DescribeFileOf(SnapshotQueue queue)
    {
        using Keyspace loaded = Load(Encode(queue));
        return Describe(loaded);
    }

    /// <summary>Loads a file into a store of its own, which the caller disposes.</summary>
    protected static Keyspace Load(byte[] file, RdbLoadOptions? options = null, bool hasKnownLength = true)
    {
        Keyspace store = new(new KeyspaceOptions { Heap = new TrackingHeap() }) { NowMs = StartMs };
        try
        {
            using MemoryStream stream = new(file);
            new RdbLoader(new RdbReader(stream, hasKnownLength ? file.Length : -1), store, options ?? new RdbLoadOptions())
                .LoadAll();
            return store;
        }
        catch
        {
            Assert.Equal(0, store[0].Count);
            store.Dispose();
            throw;
        }
    }

    /// <summary>Why a file is refused.</summary>
    protected static RdbFormatException Refuse(byte[] file) =>
        Assert.Throws<RdbFormatException>(() => Load(file).Dispose());

    /// <summary>A file with one key.</summary>
    protected static byte[] FileWith(int type, byte[] value, int version = 12) =>
        new RdbBytes().Header(version).Raw(0xFE, 0).Key(type, "key").Raw(value).End().ToArray();

    /// <summary>A payload with a right footer.</summary>
    protected static byte[] Payload(int type, byte[] value, int version = 10)
    {
        byte[] payload = [(byte)type, .. value, (byte)version, (byte)(version >> 8), 0, 0, 0, 0, 0, 0, 0, 0];
        FixFooter(payload);
        return payload;
    }

    /// <summary>Makes the checksum of a payload right.</summary>
    protected static void FixFooter(byte[] payload) =>
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(payload.Length - 8), Crc64.Append(0, payload.AsSpan(0, payload.Length - 8)));

    protected void AddSet(string key, params string[] members) => AddSet(Db, key, members);

    protected static void AddSet(Database database, string key, params string[] members)
    {
        ArgumentNullException.ThrowIfNull(members);
        Key name = database.Keyspace.KeyOf(B(key));
        SetValue set = SetValue.Create(database.Keyspace, SetLimits.Default, SetMember.OfBytes(B(members[0])), members.Length);
        try
        {
            foreach (string member in members)
            {
                set.Add(B(member));
            }

            set.StoreAs(database, name, lazily: false);
        }
        finally
        {
            set.Dispose();
        }
    }

    private readonly struct Saver(RdbWriter writer, Database database) : IEntryVisitor
    {
        public void Visit(in Entry entry) => writer.WriteEntry(database, entry);
    }

    private readonly struct Describer(Database database, SortedDictionary<string, string> lines) : IEntryVisitor
    {
        public void Visit(in Entry entry)
        {
            string value;
            if (entry.Type == ValueType.String)
            {
                value = S(entry.GetStringSpan(stackalloc byte[Entry.ScratchBytes]));
            }
            else if (entry.Type == ValueType.Hash)
            {
                List<string> fields = [];
                Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
                foreach (HashField field in HashValue.Open(database, entry, default).WalkAll())
                {
                    fields.Add($"{S(field.Name.AsText(scratch))}={S(field.Value.AsText(scratch))}"
                        + (field.ExpireAtMs < 0 ? "" : "@" + field.ExpireAtMs));
                }

                fields.Sort(StringComparer.Ordinal);
                value = string.Join('|', fields);
            }
            else if (entry.Type == ValueType.List)
            {
                List<string> elements = [];
                Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
                foreach (PackedElement element in ListValue.Open(database, entry, default))
                {
                    elements.Add(S(element.AsText(scratch)));
                }

                value = string.Join('|', elements);
            }
            else if (entry.Type == ValueType.SortedSet)
            {
                List<string> members = [];
                Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
                foreach (SortedSetMember member in SortedSetValue.Open(database, entry, default))
                {
                    members.Add(FormattableString.Invariant($"{S(member.Member.AsText(scratch))}={member.Score}"));
                }

                value = string.Join('|', members);
            }
            else if (entry.Type == ValueType.Stream)
            {
                value = StreamModel.Describe(StreamValue.Open(database, entry, default), hasActiveTimes: false);
            }
            else
            {
                List<string> members = [];
                Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
                foreach (SetMember member in SetValue.Open(database, entry, default))
                {
                    members.Add(S(member.AsText(scratch)));
                }

                members.Sort(StringComparer.Ordinal);
                value = string.Join('|', members);
            }

            lines.Add($"{database.Index}/{S(entry.KeyBytes)}", $"{S(entry.EncodingName)} {entry.ExpireAtMs} {value}");
        }
    }
}
