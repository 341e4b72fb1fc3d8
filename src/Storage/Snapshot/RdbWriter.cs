using System.Buffers.Binary;
using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>Writes the RDB format, version 10, which redis-server 7.0 and every later one load; version 12 when there
/// are hashes whose fields expire.</summary>
/// <remarks>
/// <code>
/// file:  REDIS0010 or REDIS0012 | aux fields | database ... | FF | checksum: 8
/// database:  FE number | FB keys, keys that expire | key ...
/// key:   [FC expireAt: 8] [F8 idle seconds | F9 counter: 1] type: 1 | name | value
/// </code>
/// <para>Works from plain values, so that a copy of an entry's state can be encoded on any thread, one thread at a
/// time; only <see cref="WriteEntry"/> and <see cref="WriteValue"/> look at live entries and belong to the command
/// loop. Sets that are packed lists are written member by member, because redis-server 7.0 knows no other form.</para>
/// <para>Methods throw what the output's stream throws; the file is then useless.</para>
/// </remarks>
public sealed partial class RdbWriter
{
    private readonly RdbWriterOptions _options;
    private long _promised;
    private long _firstExpiryMs;

    /// <summary>Makes a writer.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="options">How to write.</param>
    public RdbWriter(RdbOutput output, RdbWriterOptions options)
    {
        Output = output;
        _options = options;
    }

    /// <summary>Where the bytes go.</summary>
    public RdbOutput Output { get; }

    /// <summary>Whether strings are compressed where that makes them shorter.</summary>
    public bool Compresses => _options.Compress;

    /// <summary>Keys begun so far.</summary>
    public long KeysWritten { get; private set; }

    /// <summary>Begins a file: magic, version and what is said about it.</summary>
    public void WriteHeader(RdbFileInfo info)
    {
        Span<byte> header = Output.GetSpan(RdbFormat.HeaderBytes);
        RdbFormat.Magic.CopyTo(header);
        header[5] = (byte)'0';
        header[6] = (byte)'0';
        int version = info.HasExpiringFields ? RdbFormat.WrittenVersionWithFieldExpiry : RdbFormat.WrittenVersion;
        header[7] = (byte)('0' + (version / 10));
        header[8] = (byte)('0' + (version % 10));
        Output.Advance(RdbFormat.HeaderBytes);
        WriteAux("redis-ver"u8, System.Text.Encoding.ASCII.GetBytes(RdbFormat.ServerVersion));
        WriteAux("redis-bits"u8, sizeof(long) * 8);
        WriteAux("ctime"u8, info.CreatedAtSeconds);
        WriteAux("used-mem"u8, info.UsedMemoryBytes);
        WriteAux("aof-base"u8, info.IsAofBase ? 1 : 0);
    }

    /// <summary>Writes a field about the file.</summary>
    public void WriteAux(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Output.WriteByte(RdbFormat.Aux);
        WriteString(name);
        WriteString(value);
    }

    /// <summary>Writes a field about the file that is a number.</summary>
    public void WriteAux(ReadOnlySpan<byte> name, long value)
    {
        Span<byte> text = stackalloc byte[IntegerText.MaxLength];
        WriteAux(name, text[..IntegerText.Format(value, text)]);
    }

    /// <summary>Begins a database.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="keyCount">Keys that will follow, or more: a hint for the size of tables.</param>
    /// <param name="expireCount">How many of them expire.</param>
    public void SelectDatabase(int index, long keyCount, long expireCount)
    {
        Output.WriteByte(RdbFormat.SelectDb);
        WriteLength((ulong)index);
        Output.WriteByte(RdbFormat.ResizeDb);
        WriteLength((ulong)keyCount);
        WriteLength((ulong)expireCount);
    }

    /// <summary>Writes a key that holds a string.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="value">The string. Short integers and what can be compressed get their short forms.</param>
    /// <remarks>O(value).</remarks>
    public void WriteStringKey(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, ReadOnlySpan<byte> value)
    {
        BeginKey(key, expireAtMs, hint, RdbType.String);
        WriteString(value);
    }

    /// <summary>Writes a key that holds an integer.</summary>
    /// <inheritdoc cref="WriteStringKey"/>
    public void WriteIntegerKey(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long value)
    {
        BeginKey(key, expireAtMs, hint, RdbType.String);
        WriteInteger(value);
    }

    /// <summary>Writes a key that holds a long string, compressed in room that the caller lends.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="value">The string.</param>
    /// <param name="room">At least as many bytes; overwritten.</param>
    /// <remarks>O(value). Allocates nothing.</remarks>
    public void WriteLongStringKey(
        ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, ReadOnlySpan<byte> value, Span<byte> room)
    {
        BeginKey(key, expireAtMs, hint, RdbType.String);
        if (!_options.Compress || !TryWriteCompressed(value, room))
        {
            WriteLength((ulong)value.Length);
            Output.Write(value);
        }
    }

    /// <summary>Begins a key that holds a string whose bytes follow in pieces, uncompressed.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="lengthBytes">Bytes that <see cref="AppendString"/> will get in all.</param>
    public void BeginString(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long lengthBytes)
    {
        BeginKey(key, expireAtMs, hint, RdbType.String);
        WriteLength((ulong)lengthBytes);
        _promised = lengthBytes;
    }

    /// <summary>Writes the next bytes of a string begun with <see cref="BeginString"/>.</summary>
    public void AppendString(ReadOnlySpan<byte> bytes)
    {
        _promised -= bytes.Length;
        Debug.Assert(_promised >= 0, "no more bytes than were announced");
        Output.Write(bytes);
    }

    /// <summary>Begins a key that holds a set; its members follow.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="memberCount">How many members <see cref="AddMember(ReadOnlySpan{byte})"/> will get: exactly so
    /// many, at least 1.</param>
    public void BeginSet(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long memberCount)
    {
        BeginKey(key, expireAtMs, hint, RdbType.Set);
        WriteLength((ulong)memberCount);
        _promised = memberCount;
    }

    /// <summary>Writes the next member of a set.</summary>
    public void AddMember(ReadOnlySpan<byte> member)
    {
        CountMember();
        WriteString(member);
    }

    /// <summary>Writes the next member of a set, which is an integer.</summary>
    public void AddMember(long member)
    {
        CountMember();
        WriteInteger(member);
    }

    /// <summary>Writes a key that holds a set kept as sorted integers.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="intSet">The bytes of the <see cref="IntSet"/>.</param>
    public void WriteIntSetKey(
        ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, ReadOnlySpan<byte> intSet)
    {
        BeginKey(key, expireAtMs, hint, RdbType.SetIntSet);
        WriteString(intSet);
    }

    /// <summary>Writes a key that holds a set kept as a packed list.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="list">The bytes of the <see cref="PackedList"/>, which are not changed.</param>
    public void WritePackedSetKey(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, Span<byte> list)
    {
        BeginKey(key, expireAtMs, hint, RdbType.Set);
        WriteMembers(new PackedList(list));
    }

    /// <summary>Begins a key that holds a hash; its fields follow.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="fieldCount">How many fields <see cref="AddField"/> will get: exactly so many, at least 1.</param>
    public void BeginHash(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long fieldCount)
    {
        BeginKey(key, expireAtMs, hint, RdbType.Hash);
        BeginFields(fieldCount);
    }

    /// <summary>Begins a key that holds a hash of which some fields expire; its fields follow.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="fieldCount">How many fields <see cref="AddField"/> will get: exactly so many, at least 1.</param>
    /// <param name="firstExpiryMs">No field expires before this.</param>
    public void BeginExpiringHash(
        ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long fieldCount, long firstExpiryMs)
    {
        BeginKey(key, expireAtMs, hint, RdbType.HashExpiry);
        BeginExpiringFields(fieldCount, firstExpiryMs);
    }

    /// <summary>Writes the next field of a hash.</summary>
    /// <param name="name">The field.</param>
    /// <param name="value">Its value.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>; only in a hash begun for that.</param>
    public void AddField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, long expireAtMs)
    {
        CountMember();
        if (_firstExpiryMs != Database.NoExpiry)
        {
            // Counted from the first, one more: 0 says that the field stays.
            WriteLength(expireAtMs == Database.NoExpiry ? 0 : (ulong)(expireAtMs - _firstExpiryMs) + 1);
        }

        WriteString(name);
        WriteString(value);
    }

    /// <summary>Writes a key that holds a hash kept as a packed list.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="list">The bytes of the <see cref="PackedList"/>: field, value, field, value ...</param>
    public void WritePackedHashKey(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, ReadOnlySpan<byte> list)
    {
        BeginKey(key, expireAtMs, hint, RdbType.HashPacked);
        WriteString(list);
    }

    /// <summary>Writes a key that holds a list kept as one packed list.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="list">The bytes of the <see cref="PackedList"/> and any room behind it, which are not changed.</param>
    public void WritePackedListKey(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, Span<byte> list)
    {
        BeginList(key, expireAtMs, hint, nodeCount: 1);
        AddListNode(new PackedList(list).Bytes);
    }

    /// <summary>Begins a key that holds a list; its nodes follow.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="nodeCount">How many nodes will follow: exactly so many, at least 1.</param>
    public void BeginList(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long nodeCount)
    {
        BeginKey(key, expireAtMs, hint, RdbType.QuickListPacked);
        WriteLength((ulong)nodeCount);
    }

    /// <summary>Writes the next node of a list: the bytes of a <see cref="PackedList"/> with at least one element.</summary>
    public void AddListNode(ReadOnlySpan<byte> list)
    {
        WriteLength(RdbFormat.PackedListNode);
        WriteString(list);
    }

    /// <summary>Writes the next node of a list, which is one element that is too long for a packed list.</summary>
    public void AddLongElement(ReadOnlySpan<byte> element)
    {
        WriteLength(RdbFormat.PlainListNode);
        WriteString(element);
    }

    /// <summary>Begins a node of a list that is one long element, whose bytes <see cref="AppendString"/> gets.</summary>
    public void BeginLongElement(long lengthBytes)
    {
        WriteLength(RdbFormat.PlainListNode);
        WriteLength((ulong)lengthBytes);
        _promised = lengthBytes;
    }

    /// <summary>Begins a key that holds a sorted set; its members follow, in any order.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="memberCount">How many members <see cref="AddScoredMember"/> will get: exactly so many, at least 1.
    /// </param>
    public void BeginSortedSet(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, long memberCount)
    {
        BeginKey(key, expireAtMs, hint, RdbType.SortedSet);
        WriteLength((ulong)memberCount);
        _promised = memberCount;
    }

    /// <summary>Writes the next member of a sorted set.</summary>
    public void AddScoredMember(ReadOnlySpan<byte> member, double score)
    {
        CountMember();
        WriteScored(member, score);
    }

    /// <summary>Writes a key that holds a sorted set kept as a packed list.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
    /// <param name="hint">What to note about its use.</param>
    /// <param name="list">The bytes of the <see cref="PackedList"/>, which are not changed.</param>
    public void WritePackedSortedSetKey(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, Span<byte> list)
    {
        BeginKey(key, expireAtMs, hint, RdbType.SortedSetPacked);
        WriteString(new PackedList(list).Bytes);
    }

    /// <summary>Writes a key as it is now, with its value. Command loop only.</summary>
    /// <param name="database">Where the entry is.</param>
    /// <param name="entry">The entry.</param>
    /// <remarks>O(value).</remarks>
    public void WriteEntry(Database database, in Entry entry)
    {
        BeginKey(entry.KeyBytes, entry.ExpireAtMs, HintOf(database, entry), TypeOf(entry));
        WriteValue(database, entry);
    }

    /// <summary>Which form <see cref="WriteValue"/> gives a value.</summary>
    /// <exception cref="NotSupportedException">There is no writer for such values.</exception>
    public static RdbType TypeOf(in Entry entry) => entry.Type switch
    {
        ValueType.String => RdbType.String,
        ValueType.Set => entry.Encoding == ValueEncoding.IntSet ? RdbType.SetIntSet : RdbType.Set,
        ValueType.Hash when entry.Encoding == ValueEncoding.PackedList => RdbType.HashPacked,
        ValueType.Hash => entry.HasExpiringFields ? RdbType.HashExpiry : RdbType.Hash,
        ValueType.List => RdbType.QuickListPacked,
        ValueType.SortedSet =>
            entry.Encoding == ValueEncoding.PackedList ? RdbType.SortedSetPacked : RdbType.SortedSet,
        ValueType.Stream => RdbType.Stream2,
        _ => throw new NotSupportedException($"No RDB writer for values of type {entry.Type}."),
    };

    /// <summary>Writes a value alone, without its type byte. Command loop only.</summary>
    /// <param name="database">Where the entry is.</param>
    /// <param name="entry">The entry.</param>
    /// <remarks>O(value).</remarks>
    public void WriteValue(Database database, in Entry entry)
    {
        switch (entry.Type)
        {
            case ValueType.String when entry.Encoding == ValueEncoding.Integer:
                WriteInteger(entry.Integer);
                break;
            case ValueType.String:
                WriteString(entry.GetStringSpan(default));
                break;
            case ValueType.Set when entry.Encoding == ValueEncoding.IntSet:
                WriteString(entry.ValueSpan[..new IntSet(entry.ValueSpan).LengthBytes]);
                break;
            case ValueType.Set when entry.Encoding == ValueEncoding.PackedList:
                WriteMembers(new PackedList(entry.ValueSpan));
                break;
            case ValueType.Hash when entry.Encoding == ValueEncoding.PackedList:
                WriteString(new PackedList(entry.ValueSpan).Bytes);
                break;
            case ValueType.Hash:
                WriteFields(HashValue.Open(database, entry, default));
                break;
            case ValueType.List:
                WriteList(ListValue.Open(database, entry, default));
                break;
            case ValueType.SortedSet when entry.Encoding == ValueEncoding.PackedList:
                WriteString(new PackedList(entry.ValueSpan).Bytes);
                break;
            case ValueType.SortedSet:
                SortedSetValue sorted = SortedSetValue.Open(database, entry, default);
                WriteLength((ulong)sorted.Count);

                // From the end, so that a skip list that is built of it gets each new member at its head.
                foreach (SortedSetMember member in sorted.Range(sorted.Slice(0, sorted.Count), reversed: true))
                {
                    WriteScored(member.Member.Bytes, member.Score);
                }

                break;
            case ValueType.Stream:
                WriteStream(StreamValue.Open(database, entry, default));
                break;
            default:
                SetValue set = SetValue.Open(database, entry, default);
                WriteLength((ulong)set.Count);
                foreach (SetMember member in set)
                {
                    WriteString(member.Bytes);
                }

                break;
        }
    }

    /// <summary>Ends a file: end mark and checksum, then everything goes to the stream.</summary>
    public void WriteEnd()
    {
        Output.WriteByte(RdbFormat.End);
        ulong checksum = Output.Checksum;
        BinaryPrimitives.WriteUInt64LittleEndian(Output.GetSpan(RdbFormat.ChecksumBytes), checksum);
        Output.Advance(RdbFormat.ChecksumBytes);
        Output.Flush();
    }

    /// <summary>Ends a DUMP payload of a form of value: version and checksum.</summary>
    internal void WritePayloadEnd(RdbType type)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(
            Output.GetSpan(RdbFormat.PayloadVersionBytes),
            (ushort)(type == RdbType.HashExpiry
                ? RdbFormat.WrittenVersionWithFieldExpiry
                : RdbFormat.WrittenVersion));
        Output.Advance(RdbFormat.PayloadVersionBytes);
        ulong checksum = Output.Checksum;
        BinaryPrimitives.WriteUInt64LittleEndian(Output.GetSpan(RdbFormat.ChecksumBytes), checksum);
        Output.Advance(RdbFormat.ChecksumBytes);
    }

    /// <summary>What to note about the use of an entry, by the options.</summary>
    private AccessHint HintOf(Database database, in Entry entry) => _options.Hints switch
    {
        AccessHintKind.IdleSeconds => AccessHint.OfIdleSeconds(database.IdleTimeMs(entry) / 1000),
        AccessHintKind.Frequency => AccessHint.OfFrequency(database.FrequencyOf(entry)),
        _ => AccessHint.None,
    };

    private void BeginKey(ReadOnlySpan<byte> key, long expireAtMs, AccessHint hint, RdbType type)
    {
        Debug.Assert(_promised == 0, "the value before has all its bytes or members");
        KeysWritten++;
        if (expireAtMs != Database.NoExpiry)
        {
            Span<byte> expiry = Output.GetSpan(1 + sizeof(long));
            expiry[0] = RdbFormat.ExpiryMs;
            BinaryPrimitives.WriteInt64LittleEndian(expiry[1..], expireAtMs);
            Output.Advance(1 + sizeof(long));
        }

        switch (hint.Kind)
        {
            case AccessHintKind.IdleSeconds:
                Output.WriteByte(RdbFormat.Idle);
                WriteLength((ulong)hint.Value);
                break;
            case AccessHintKind.Frequency:
                Output.WriteByte(RdbFormat.Frequency);
                Output.WriteByte((byte)hint.Value);
                break;
            default:
                break;
        }

        Output.WriteByte((byte)type);
        WriteString(key);
    }

    private void BeginFields(long fieldCount)
    {
        WriteLength((ulong)fieldCount);
        _promised = fieldCount;
        _firstExpiryMs = Database.NoExpiry;
    }

    private void BeginExpiringFields(long fieldCount, long firstExpiryMs)
    {
        BinaryPrimitives.WriteInt64LittleEndian(Output.GetSpan(sizeof(long)), firstExpiryMs);
        Output.Advance(sizeof(long));
        BeginFields(fieldCount);
        _firstExpiryMs = firstExpiryMs;
    }

    private void WriteFields(HashValue hash)
    {
        if (hash.HasExpiring)
        {
            BeginExpiringFields(hash.Count, hash.FirstExpiryMs);
        }
        else
        {
            BeginFields(hash.Count);
        }

        foreach (HashField field in hash.WalkAll())
        {
            AddField(field.Name.Bytes, field.Value.Bytes, field.ExpireAtMs);
        }
    }

    private void WriteList(ListValue list)
    {
        WriteLength((ulong)list.NodeCount);
        ListNodeEnumerator nodes = list.Nodes();
        while (nodes.MoveNext())
        {
            if (nodes.IsPlain)
            {
                AddLongElement(nodes.Bytes);
            }
            else
            {
                AddListNode(nodes.Bytes);
            }
        }
    }

    private void CountMember()
    {
        _promised--;
        Debug.Assert(_promised >= 0, "no more members than were announced");
    }

    private void WriteScored(ReadOnlySpan<byte> member, double score)
    {
        WriteString(member);
        BinaryPrimitives.WriteDoubleLittleEndian(Output.GetSpan(sizeof(double)), score);
        Output.Advance(sizeof(double));
    }

    private void WriteMembers(PackedList list)
    {
        WriteLength((ulong)list.Count);
        for (int position = list.First; position != PackedList.None; position = list.Next(position))
        {
            PackedElement element = list[position];
            if (element.IsInteger)
            {
                WriteInteger(element.Integer);
            }
            else
            {
                WriteString(element.Bytes);
            }
        }
    }
}
