using System.Text;
using KvServer.Resp;
using KvServer.Server.Hosting;

namespace KvServer.Server.Commands;

/// <summary>The arguments of SHUTDOWN.</summary>
internal struct ShutdownOptions
{
    private bool _save;
    private bool _noSave;
    private bool _now;
    private bool _force;

    public bool Abort { get; private set; }

    public readonly ShutdownRequest Request => new(_save || _noSave ? _save : null, _now, _force);

    /// <summary>Reads the arguments; false for an unknown word or words that exclude each other.</summary>
    public static bool TryParse(Arguments args, out ShutdownOptions options)
    {
        options = default;
        for (int i = 1; i < args.Count; i++)
        {
            if (!options.TryTake(args[i]))
            {
                return false;
            }
        }

        bool other = options._save || options._noSave || options._now || options._force;
        return !(options.Abort && other) && !(options._save && options._noSave);
    }

    private bool TryTake(ReadOnlySpan<byte> word)
    {
        bool save = Ascii.EqualsIgnoreCase(word, "save"u8);
        bool noSave = Ascii.EqualsIgnoreCase(word, "nosave"u8);
        bool now = Ascii.EqualsIgnoreCase(word, "now"u8);
        bool force = Ascii.EqualsIgnoreCase(word, "force"u8);
        bool abort = Ascii.EqualsIgnoreCase(word, "abort"u8);
        _save |= save;
        _noSave |= noSave;
        _now |= now;
        _force |= force;
        Abort |= abort;
        return save || noSave || now || force || abort;
    }
}
