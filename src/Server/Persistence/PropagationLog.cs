using System.Diagnostics;
using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Persistence;

/// <summary>What commands change, said as commands that make the same change elsewhere: the text of the append-only file.</summary>
/// <remarks>
/// <para>The bytes are multibulk requests one after the other, with a SELECT wherever the database differs from that of
/// the request before. What one command gives rise to (a key that expired when it was looked up, and then the change
/// itself) is a unit: more than one request is put between MULTI and EXEC, so that a reader sees all of it or none.
/// A transaction of a client is one unit, too, and each of its commands a part, which is taken back alone when it fails.
/// </para>
/// <code>
///   SELECT 0 | SET a 1 | MULTI | DEL b | SADD b x | EXEC | ...
///                        ^ unit start            ^ unit end
/// </code>
/// <para>While nobody listens (<see cref="IsOn"/>) the cost is one test per command that changes something. Command loop
/// only; the buffer grows to what one turn of the loop writes and is then swapped for an empty one.</para>
/// </remarks>
internal sealed class PropagationLog
{
    private const int FirstBytes = 64 * 1024;
    private const int NoDatabase = -1;
    private const long NoTimestamp = -1;

    private readonly Keyspace _keyspace;
    private byte[] _bytes = [];
    private int _length;
    private int _database = NoDatabase;
    private int _unitStart;
    private int _unitRequests;
    private int _partStart;
    private int _partRequests;
    private bool _isInUnit;
    private bool _hasMulti;
    private bool _isStarted;
    private bool _isPaused;
    private int _argumentsLeft;
    private long _lastTimestampSeconds = NoTimestamp;

    /// <summary>Makes a log that nobody listens to yet, and has keys and fields that the store removes told to it.</summary>
    public PropagationLog(Keyspace keyspace)
    {
        _keyspace = keyspace;
        keyspace.Expired += OnExpired;
        keyspace.FieldExpired += OnFieldExpired;
        keyspace.Evicted += OnEvicted;
    }

    /// <summary>Whether changes are wanted.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Whether somebody listens, be it that changes are kept back for now.</summary>
    public bool IsStarted => _isStarted;

    /// <summary>Whether a change could not be written for lack of memory, outside of a command that could be told.</summary>
    public bool LostRequests { get; set; }

    /// <summary>Whether changes are kept back for now because they come out of the log itself.</summary>
    public bool IsPaused
    {
        get => _isPaused;
        set
        {
            _isPaused = value;
            IsOn = _isStarted && !value;
        }
    }

    /// <summary>Whether a line with the time precedes the first request of each second (aof-timestamp-enabled).</summary>
    public bool WritesTimestamps { get; set; }

    /// <summary>Bytes that nobody has taken yet.</summary>
    public int LengthBytes => _length;

    /// <summary>The bytes that nobody has taken yet; valid until the next request.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Starts to listen: the next request names its database.</summary>
    public void Start()
    {
        _isStarted = true;
        IsOn = !_isPaused;
        Restart();
    }

    /// <summary>Stops listening and drops what has not been taken.</summary>
    public void Stop()
    {
        _isStarted = false;
        IsOn = false;
        Restart();
        _bytes = [];
    }

    /// <summary>Makes the next request name its database and time again, because it is the first of a new file.</summary>
    /// <remarks>What has not been taken is dropped: take it first.</remarks>
    public void Restart()
    {
        _length = 0;
        _database = NoDatabase;
        _lastTimestampSeconds = NoTimestamp;
        CloseUnit(); // Its EXEC would have no MULTI in front of it: that is dropped.
    }

    /// <summary>Says that what follows belongs together, up to <see cref="EndUnit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void BeginUnit()
    {
        _unitStart = _length;
        _unitRequests = 0;
        _partStart = _length;
        _partRequests = 0;
        _isInUnit = true;
    }

    /// <summary>Begins the next part of a unit, which <see cref="AbandonPart"/> takes back; outside of one it begins a
    /// unit.</summary>
    public void BeginPart()
    {
        if (!_isInUnit)
        {
            BeginUnit();
            return;
        }

        _partStart = _length;
        _partRequests = _unitRequests;
    }

    /// <summary>Ends a unit.</summary>
    public void EndUnit()
    {
        Debug.Assert(_argumentsLeft == 0, "A request has all the arguments it announced.");
        if (_hasMulti)
        {
            Header(1);
            Argument("EXEC"u8);
        }

        CloseUnit();
    }

    /// <summary>Takes back everything since <see cref="BeginUnit"/> or <see cref="BeginPart"/>: the command failed
    /// half-way. The unit goes on.</summary>
    /// <returns>Whether there was anything.</returns>
    public bool AbandonPart()
    {
        if (!_isInUnit)
        {
            return false;
        }

        bool hadPart = _length != _partStart;
        _length = _partStart;
        _unitRequests = _partRequests;
        if (_partRequests == 0)
        {
            _unitStart = _partStart;
            _hasMulti = false;
        }

        _argumentsLeft = 0;
        if (hadPart)
        {
            _database = NoDatabase; // The SELECT may have gone with it.
        }

        return hadPart;
    }

    /// <summary>Ends a unit of which something was taken back, and which is not the truth any more if even its end does
    /// not find room: then all of it goes.</summary>
    public void EndAbandonedUnit()
    {
        try
        {
            EndUnit();
        }
        catch (OutOfMemoryException)
        {
            _length = _unitStart;
            _argumentsLeft = 0;
            _database = NoDatabase;
            LostRequests = true;
            CloseUnit();
        }
    }

    /// <summary>Begins a request; as many arguments as announced must follow.</summary>
    /// <param name="database">The database it is about.</param>
    /// <param name="argumentCount">The command's name included.</param>
    public void Begin(Database database, int argumentCount)
    {
        Debug.Assert(_argumentsLeft == 0, "One request ends before the next begins.");
        if (WritesTimestamps)
        {
            AnnotateTime();
        }

        if (_isInUnit && ++_unitRequests > 1 && !_hasMulti)
        {
            InsertMulti();
        }

        if (_database != database.Index)
        {
            _database = database.Index;
            Header(2);
            Argument("SELECT"u8);
            Argument(database.Index);
            if (_unitRequests == 1)
            {
                _unitStart = _length; // The MULTI of a unit comes behind the SELECT of its first request.
            }
        }

        Header(argumentCount);
    }

    /// <summary>The next argument of the request.</summary>
    /// <exception cref="OutOfMemoryException">The buffer cannot grow; <see cref="AbandonPart"/> takes the request back.</exception>
    public void Argument(ReadOnlySpan<byte> bytes)
    {
        Span<byte> target = Reserve(bytes.Length + Numbers.MaxLineBytes + 2);
        int at = Numbers.FormatLine((byte)'$', bytes.Length, target);
        bytes.CopyTo(target[at..]);
        at += bytes.Length;
        "\r\n"u8.CopyTo(target[at..]);
        _length += at + 2;
        _argumentsLeft--;
    }

    /// <summary>The next argument of the request, a number.</summary>
    public void Argument(long number)
    {
        Span<byte> text = stackalloc byte[20];
        Argument(text[..Numbers.FormatInt64(number, text)]);
    }

    /// <summary>Gives the bytes away.</summary>
    /// <param name="replacement">An array that nobody else uses, to go on with; may be empty.</param>
    /// <param name="lengthBytes">Bytes used of the array returned.</param>
    public byte[] Take(byte[] replacement, out int lengthBytes)
    {
        byte[] taken = _bytes;
        lengthBytes = _length;
        _bytes = replacement;
        Clear();
        return taken;
    }

    /// <summary>Forgets the bytes, which somebody has copied.</summary>
    public void Clear()
    {
        Debug.Assert(!_isInUnit, "Bytes are taken between two commands.");
        _length = 0;
        _unitStart = 0;
    }

    private void OnExpired(Database database, ReadOnlySpan<byte> key)
    {
        if (IsOn)
        {
            Removal(database, _keyspace.LazyExpire ? "UNLINK"u8 : "DEL"u8, key, field: default, hasField: false);
        }
    }

    private void OnEvicted(Database database, ReadOnlySpan<byte> key)
    {
        if (IsOn)
        {
            Removal(database, _keyspace.Eviction.Lazily ? "UNLINK"u8 : "DEL"u8, key, field: default, hasField: false);
        }
    }

    // A key whose last field goes needs no word of its own.
    private void OnFieldExpired(Database database, ReadOnlySpan<byte> key, ReadOnlySpan<byte> field, bool isLast)
    {
        if (IsOn)
        {
            Removal(database, "HDEL"u8, key, field, hasField: true);
        }
    }

    // Something whose time has come goes whether or not there is memory to say so, often outside of any command.
    private void Removal(
        Database database, ReadOnlySpan<byte> name, ReadOnlySpan<byte> key, ReadOnlySpan<byte> field, bool hasField)
    {
        int length = _length;
        int requests = _unitRequests;
        bool hadMulti = _hasMulti;
        try
        {
            Begin(database, hasField ? 3 : 2);
            Argument(name);
            Argument(key);
            if (hasField)
            {
                Argument(field);
            }
        }
        catch (OutOfMemoryException)
        {
            // A MULTI may have been put in front of the requests before this one by then.
            _length = Math.Min(_length, _hasMulti == hadMulti ? length : length + MultiRequest.Length);
            _unitStart = Math.Min(_unitStart, _length);
            _partStart = Math.Min(_partStart, _length);
            _unitRequests = requests;
            _argumentsLeft = 0;
            _database = NoDatabase;
            LostRequests = true;
        }
    }

    private static ReadOnlySpan<byte> MultiRequest => "*1\r\n$5\r\nMULTI\r\n"u8;

    private void AnnotateTime()
    {
        long seconds = _keyspace.NowMs / 1000;
        if (seconds <= _lastTimestampSeconds || _unitRequests > 0)
        {
            return;
        }

        _lastTimestampSeconds = seconds;
        Span<byte> line = Reserve(Numbers.MaxLineBytes + 4);
        "#TS"u8.CopyTo(line);
        _length += 3 + Numbers.FormatLine((byte)':', seconds, line[3..]);
        if (_isInUnit)
        {
            _unitStart = _length; // A unit's MULTI comes behind the line.
            _partStart = _length;
        }
    }

    private void InsertMulti()
    {
        ReadOnlySpan<byte> multi = MultiRequest;
        Reserve(multi.Length);
        Span<byte> unit = _bytes.AsSpan(_unitStart, _length - _unitStart + multi.Length);
        unit[..^multi.Length].CopyTo(unit[multi.Length..]);
        multi.CopyTo(unit);
        _length += multi.Length;
        _hasMulti = true;
        if (_partRequests > 0)
        {
            _partStart += multi.Length;
        }
    }

    private void CloseUnit()
    {
        _unitStart = _length;
        _unitRequests = 0;
        _hasMulti = false;
        _isInUnit = false;
    }

    private void Header(int argumentCount)
    {
        _length += Numbers.FormatLine((byte)'*', argumentCount, Reserve(Numbers.MaxLineBytes));
        _argumentsLeft = argumentCount;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Reserve(int bytes)
    {
        if (_bytes.Length - _length < bytes)
        {
            Grow(bytes);
        }

        return _bytes.AsSpan(_length, bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int bytes)
    {
        long needed = (long)_length + bytes;
        long size = Math.Max(FirstBytes, Math.Max(needed, Math.Min(2L * _bytes.Length, Array.MaxLength)));

        // A size no array can have ends like one there is no memory for.
        byte[] grown = GC.AllocateUninitializedArray<byte>((int)Math.Min(size, int.MaxValue));
        _bytes.AsSpan(0, _length).CopyTo(grown);
        _bytes = grown;
    }
}
