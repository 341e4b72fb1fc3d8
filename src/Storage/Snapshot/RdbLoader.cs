using System.Globalization;
using System.Text;

namespace KvServer.Storage;

/// <summary>Makes the keys of an RDB file in a keyspace, some at a time or all at once.</summary>
/// <remarks>
/// <para>Tables are made large enough beforehand, as far as the file's length makes the announced numbers plausible.
/// Values of types this store does not have are refused by name before anything of them is kept. Functions are kept
/// aside in the reader, with a warning.</para>
/// <para>A fault empties the keyspace again, unless the file is merged into it: nothing is ever half loaded. Command
/// loop only, or whoever owns the keyspace while it loads.</para>
/// </remarks>
public sealed class RdbLoader
{
    // The shortest key a file can hold many of: type, length, three bytes of name, a value of one byte.
    private const int MinKeyBytes = 6;

    private readonly RdbReader _reader;
    private readonly Keyspace _keyspace;
    private readonly RdbLoadOptions _options;
    private Database _database;
    private bool _isDone;

    /// <summary>Begins to load; nothing is read yet.</summary>
    /// <param name="reader">The file, at its start.</param>
    /// <param name="keyspace">Where the keys go: empty, unless the options merge.</param>
    /// <param name="options">How.</param>
    public RdbLoader(RdbReader reader, Keyspace keyspace, RdbLoadOptions options)
    {
        _reader = reader;
        _keyspace = keyspace;
        _options = options;
        _database = keyspace[0];
    }

    /// <summary>Keys made.</summary>
    public long KeysLoaded { get; private set; }

    /// <summary>Keys passed by because their time had come.</summary>
    public long KeysExpired { get; private set; }

    /// <summary>Keys passed by because their collections had no elements.</summary>
    public long EmptyKeys { get; private set; }

    /// <summary>The file.</summary>
    public RdbReader Reader => _reader;

    /// <summary>Loads a whole file.</summary>
    /// <inheritdoc cref="Load"/>
    public void LoadAll()
    {
        while (Load(long.MaxValue))
        {
        }
    }

    /// <summary>Loads some of the file.</summary>
    /// <param name="maxKeys">Stop after so many keys.</param>
    /// <returns>Whether there is more.</returns>
    /// <exception cref="RdbFormatException">The file is damaged, or holds what cannot be loaded.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public bool Load(long maxKeys)
    {
        bool isSound = false;
        try
        {
            long last = _reader.KeysRead > long.MaxValue - maxKeys ? long.MaxValue : _reader.KeysRead + maxKeys;
            while (!_isDone && _reader.KeysRead < last)
            {
                LoadRecord(_reader.Read());
            }

            isSound = true;
        }
        finally
        {
            if (!isSound && !_options.Merges)
            {
                _keyspace.FlushAll(inBackground: false);
            }
        }

        return !_isDone;
    }

    private void LoadRecord(RdbRecord record)
    {
        switch (record)
        {
            case RdbRecord.Key:
                LoadKey();
                break;
            case RdbRecord.SelectDatabase:
                if (_reader.DatabaseIndex >= _keyspace.DatabaseCount)
                {
                    _reader.Input.Fail(
                        $"The file has a database {_reader.DatabaseIndex}, this server has {_keyspace.DatabaseCount}");
                }

                _database = _keyspace[(int)_reader.DatabaseIndex];
                break;
            case RdbRecord.ResizeDatabase:
                Reserve();
                break;
            case RdbRecord.Aux:
                _options.Aux?.Invoke(_reader.AuxName, Encoding.Latin1.GetString(_reader.AuxValue));
                break;
            case RdbRecord.Function:
                _options.Warn?.Invoke("The file holds a library of functions, which are not supported yet: left out");
                break;
            case RdbRecord.ModuleAux:
                _reader.Input.Fail($"The file holds data of the module '{_reader.ModuleName}', which cannot be loaded");
                break;
            case RdbRecord.End:
                _isDone = true;
                if (EmptyKeys > 0)
                {
                    _options.Warn?.Invoke(
                        string.Create(CultureInfo.InvariantCulture, $"Left out {EmptyKeys} keys without elements"));
                }

                break;
            default:
                break; // Slots of a cluster mean nothing here.
        }
    }

    private void Reserve()
    {
        long plausible = _reader.Input.SureBytes / MinKeyBytes;
        _database.Reserve(
            Math.Min(_reader.AnnouncedKeys, plausible), Math.Min(_reader.AnnouncedExpires, plausible));
    }

    private void LoadKey()
    {
        RdbBuilders.Builder? build = RdbBuilders.Find(_reader.Type);
        if (build is null)
        {
            _reader.Input.Fail($"Key number {_reader.KeysRead}: {RdbBuilders.Refusal(_reader.Type)}");
        }

        if (!_options.KeepsExpired && _reader.ExpireAtMs >= 0 && _reader.ExpireAtMs < _keyspace.NowMs)
        {
            _reader.SkipValue();
            KeysExpired++;
            return;
        }

        Key key = _keyspace.KeyOf(_reader.Key);
        long before = _database.Count;
        RdbElements elements = _reader.OpenValue();
        RdbTarget target = new(_database, key, _reader.ExpireAtMs, _options.Limits, isPayload: false);
        if (!build(target, ref elements))
        {
            EmptyKeys++;
            return;
        }

        // One look-up fewer than asking first: a key that replaced another did not add to the count.
        if (_database.Count == before && !_options.Merges)
        {
            _reader.Input.Fail($"Key number {_reader.KeysRead} is in the file twice");
        }

        if (_reader.Hint.Kind != AccessHintKind.None)
        {
            _database.SetAccess(key, _reader.Hint);
        }

        KeysLoaded++;
    }
}
