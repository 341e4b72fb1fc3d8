using System.Buffers.Binary;
using System.Text;

namespace KvServer.Storage;

/// <summary>Reads the records of an RDB file one after the other: every version up to 12.</summary>
/// <remarks>
/// <para>Knows nothing of databases: <see cref="RdbLoader"/> makes keys of what this class reads, the checking tool
/// only looks. After a <see cref="RdbRecord.Key"/> the value must be taken before the next record. Every length is
/// compared with what the file can still hold before memory is spent on it, and packed values are validated whole.
/// </para>
/// <para>Every method throws <see cref="RdbFormatException"/> for bytes that are not what the format says, and what
/// the stream throws. One thread at a time.</para>
/// </remarks>
public sealed class RdbReader
{
    private readonly RdbInput _input;
    private readonly List<byte[]> _functions = [];
    private byte[] _key = new byte[256];
    private int _keyLength;
    private byte[] _auxValue = [];
    private bool _hasHeader;
    private bool _valuePending;

    /// <summary>Reads a file.</summary>
    /// <param name="stream">Stands at the first byte; stays the caller's. It is read ahead: see
    /// <see cref="Offset"/>.</param>
    /// <param name="lengthBytes">Bytes of the file, or -1 when nobody knows (a stream from elsewhere).</param>
    public RdbReader(Stream stream, long lengthBytes)
        : this(new RdbInput(stream, lengthBytes))
    {
    }

    internal RdbReader(RdbInput input) => _input = input;

    /// <summary>The version of the format, once the first record has been read.</summary>
    public int Version { get; private set; }

    /// <summary>Bytes read so far; after the end, where the next thing in the stream begins.</summary>
    public long Offset => _input.Offset;

    /// <summary>The database that keys belong to.</summary>
    public long DatabaseIndex { get; private set; }

    /// <summary>Keys the current database is said to have.</summary>
    public long AnnouncedKeys { get; private set; }

    /// <summary>Keys with an expiry time it is said to have.</summary>
    public long AnnouncedExpires { get; private set; }

    /// <summary>Name of a field about the file.</summary>
    public string AuxName { get; private set; } = "";

    /// <summary>Value of a field about the file; valid until the next record.</summary>
    public ReadOnlySpan<byte> AuxValue => _auxValue;

    /// <summary>The module whose data were passed by.</summary>
    public string ModuleName { get; private set; } = "";

    /// <summary>Libraries of functions met so far, as their source text.</summary>
    public IReadOnlyList<byte[]> Functions => _functions;

    /// <summary>Keys met so far.</summary>
    public long KeysRead { get; private set; }

    /// <summary>The key's name; valid until the next record.</summary>
    public ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    /// <summary>When the key expires, in milliseconds since 1970, or <see cref="Database.NoExpiry"/>.</summary>
    public long ExpireAtMs { get; private set; }

    /// <summary>What is said about the key's use.</summary>
    public AccessHint Hint { get; private set; }

    /// <summary>Type and form of the key's value.</summary>
    public RdbType Type { get; private set; }

    /// <summary>The name of a value's type as reports show it.</summary>
    public string TypeName => RdbTypes.NameOf(Type);

    /// <summary>What is being read, as reports of faults name it.</summary>
    public string Doing { get; private set; } = "start";

    /// <summary>Whether this store has a type for the key's value.</summary>
    public bool IsLoadable => RdbBuilders.Find(Type) is not null;

    /// <summary>Whether a wrong checksum is passed over, for tests of what comes before it.</summary>
    public bool IgnoresChecksum { get; init; }

    /// <summary>Whether the file has a checksum; known at its end.</summary>
    public bool HasChecksum { get; private set; }

    internal RdbInput Input => _input;

    /// <summary>Reads the next record.</summary>
    /// <exception cref="RdbFormatException">The bytes are not what the format says.</exception>
    public RdbRecord Read()
    {
        if (_valuePending)
        {
            SkipValue();
        }

        if (!_hasHeader)
        {
            ReadHeader();
        }

        ExpireAtMs = Database.NoExpiry;
        Hint = AccessHint.None;
        _keyLength = 0;
        while (true)
        {
            Doing = "read-type";
            byte opcode = _input.ReadByte();
            switch (opcode)
            {
                case RdbFormat.ExpirySeconds:
                    ExpireAtMs = ExpiryOf(BinaryPrimitives.ReadInt32LittleEndian(_input.Take(sizeof(int))) * 1000L);
                    continue;
                case RdbFormat.ExpiryMs:
                    ExpireAtMs = ExpiryOf(_input.ReadInt64());
                    continue;
                case RdbFormat.Frequency:
                    Hint = AccessHint.OfFrequency(_input.ReadByte());
                    continue;
                case RdbFormat.Idle:
                    Hint = AccessHint.OfIdleSeconds(_input.ReadLength());
                    continue;
                case RdbFormat.Aux:
                    Doing = "read-aux";
                    ReadAux();
                    return RdbRecord.Aux;
                case RdbFormat.SelectDb:
                    Doing = "read-len";
                    DatabaseIndex = _input.ReadLength();
                    return RdbRecord.SelectDatabase;
                case RdbFormat.ResizeDb:
                    Doing = "read-len";
                    AnnouncedKeys = _input.ReadLength();
                    AnnouncedExpires = _input.ReadLength();
                    return RdbRecord.ResizeDatabase;
                case RdbFormat.SlotInfo:
                    _input.ReadLength();
                    _input.ReadLength();
                    _input.ReadLength();
                    return RdbRecord.SlotInfo;
                case RdbFormat.ModuleAux:
                    Doing = "read-module-aux";
                    ReadModuleAux();
                    return RdbRecord.ModuleAux;
                case RdbFormat.Function:
                    Doing = "read-functions";
                    _functions.Add(_input.ReadString().ToArray());
                    return RdbRecord.Function;
                case RdbFormat.FunctionOld:
                    ReadOldFunction();
                    return RdbRecord.Function;
                case RdbFormat.End:
                    Doing = "check-sum";
                    CheckEnd();
                    return RdbRecord.End;
                default:
                    ReadKey(opcode);
                    return RdbRecord.Key;
            }
        }
    }

    /// <summary>Passes by the value of the key just read, checking its form.</summary>
    /// <exception cref="RdbFormatException">The bytes are not what the format says.</exception>
    public void SkipValue()
    {
        _valuePending = false;
        RdbElements elements = new(_input, Type);
        elements.SkipAll();
    }

    /// <summary>Begins to read the value of the key just read.</summary>
    internal RdbElements OpenValue()
    {
        _valuePending = false;
        return new RdbElements(_input, Type);
    }

    private void ReadHeader()
    {
        if (!_input.Take(RdbFormat.Magic.Length).SequenceEqual(RdbFormat.Magic))
        {
            throw new RdbFormatException(0, "This is no RDB file: it does not begin with REDIS");
        }

        int version = 0;
        foreach (byte digit in _input.Take(RdbFormat.VersionDigits))
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                throw new RdbFormatException(RdbFormat.Magic.Length, "The version of the RDB format is no number");
            }

            version = (version * 10) + (digit - '0');
        }

        if (version is < 1 or > RdbFormat.NewestVersion)
        {
            throw new RdbFormatException(
                RdbFormat.Magic.Length,
                $"RDB format version {version} is not known; versions 1 to {RdbFormat.NewestVersion} are");
        }

        Version = version;
        _hasHeader = true;
    }

    private void ReadAux()
    {
        AuxName = Encoding.Latin1.GetString(_input.ReadString());
        _auxValue = _input.ReadString().ToArray();
    }

    private void ReadKey(byte type)
    {
        if (!RdbTypes.IsKnown(type))
        {
            throw new RdbFormatException(Offset - 1, $"{type} is neither an opcode nor a value type");
        }

        Doing = "read-key";
        Type = (RdbType)type;
        ReadOnlySpan<byte> key = _input.ReadString();
        if (key.Length > _key.Length)
        {
            _key = new byte[key.Length];
        }

        key.CopyTo(_key);
        _keyLength = key.Length;
        KeysRead++;
        _valuePending = true;
        Doing = "read-object-value";
    }

    // Servers write -1 for "never", and a replica may hold a time before 1970, which is as good as any that is over.
    private static long ExpiryOf(long expireAtMs) => expireAtMs == Database.NoExpiry ? expireAtMs : Math.Max(expireAtMs, 0);

    private void ReadOldFunction()
    {
        // Release candidates wrote name, engine and perhaps a description before the code; it is kept as it is.
        _input.SkipString();
        _input.SkipString();
        if (_input.ReadLength() != 0)
        {
            _input.SkipString();
        }

        _functions.Add(_input.ReadString().ToArray());
    }

    private void ReadModuleAux()
    {
        ModuleName = RdbModules.NameOf(_input.ReadUnsigned());
        _input.ReadLength();
        _input.ReadLength();
        RdbModules.SkipValue(_input);
    }

    private void CheckEnd()
    {
        if (Version < RdbFormat.FirstVersionWithChecksum)
        {
            return;
        }

        ulong computed = _input.Checksum;
        long offset = Offset;
        ulong stored = BinaryPrimitives.ReadUInt64LittleEndian(_input.Take(RdbFormat.ChecksumBytes));
        HasChecksum = stored != 0;
        if (HasChecksum && !IgnoresChecksum && stored != computed)
        {
            throw new RdbFormatException(
                offset, $"The checksum is wrong: the file says {stored:x16}, its bytes give {computed:x16}");
        }
    }
}
