using KvServer.Server.Config;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Reads the lines of a manifest: <c>file appendonly.aof.1.base.rdb seq 1 type b</c>.</summary>
/// <remarks>As in redis-server: comment lines begin with <c>#</c>, words are quoted as in the configuration file, keys
/// may stand in any order and unknown ones are passed by. Numbers are read strictly, and a name must be one that
/// stays in the folder. O(bytes); allocates in proportion to the text.</remarks>
internal sealed class AofManifestParser
{
    // Numbers go up by one for a rewrite: from here on no server lives to see the largest.
    private const long MaxSequence = long.MaxValue / 2;
    private const int MaxLineBytes = 1024;
    private const int ShortestLineWords = 6;
    private const string InvalidFormat = "Invalid AOF manifest file format";

    private readonly List<AofFileInfo> _history = [];
    private readonly List<AofFileInfo> _increments = [];
    private AofFileInfo? _base;

    /// <summary>Reads a whole manifest.</summary>
    /// <param name="text">The file's bytes.</param>
    /// <param name="manifest">What they say; empty when they cannot be read.</param>
    /// <param name="error">Why they cannot.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out AofManifest manifest, out AofManifestError error)
    {
        manifest = AofManifest.Empty;
        if (text.IsEmpty)
        {
            error = new AofManifestError(0, "", "Found an empty AOF manifest");
            return false;
        }

        AofManifestParser parser = new();
        if (parser.ReadLines(text, out error))
        {
            manifest = new AofManifest(parser._base, [.. parser._history], [.. parser._increments]);
            return true;
        }

        return false;
    }

    private bool ReadLines(ReadOnlySpan<byte> text, out AofManifestError error)
    {
        for (int lineNumber = 1; !text.IsEmpty; lineNumber++)
        {
            // A longer comment goes on as a line of its own, as it does in redis-server.
            ReadOnlySpan<byte> line = text[..Math.Min(text.Length, MaxLineBytes)];
            int lineEnd = line.IndexOf((byte)'\n');
            line = lineEnd < 0 ? line : line[..(lineEnd + 1)];
            text = text[line.Length..];
            if (line[0] == '#')
            {
                continue;
            }

            if (lineEnd < 0 || line.Contains((byte)0))
            {
                // The line feed is also missing when the file was cut short.
                error = new AofManifestError(lineNumber, "", "The AOF manifest file contains too long line");
                return false;
            }

            line = line.Trim(" \t\r\n"u8);
            if (ReadLine(ConfigText.FromBytes(line)) is { } reason)
            {
                error = new AofManifestError(lineNumber, ReportText.Printable(line), reason);
                return false;
            }
        }

        error = default;
        return true;
    }

    private string? ReadLine(string line)
    {
        List<string>? words = ConfigText.Split(line);
        if (words is null || words.Count < ShortestLineWords || words.Count % 2 != 0)
        {
            return InvalidFormat;
        }

        string? name = null;
        long sequence = 0;
        char kind = '\0';
        for (int i = 0; i < words.Count; i += 2)
        {
            string value = words[i + 1];
            if (ConfigText.IsName(words[i], "file"))
            {
                if (!ConfigText.TryDecode(value, out name))
                {
                    return InvalidFormat;
                }

                if (!IsFileName(name))
                {
                    return "File can't be a path, just a filename";
                }
            }
            else if (ConfigText.IsName(words[i], "seq"))
            {
                if (!ConfigText.TryReadInteger(value, out sequence) || sequence is < 1 or > MaxSequence)
                {
                    return InvalidFormat;
                }
            }
            else if (ConfigText.IsName(words[i], "type"))
            {
                kind = value.Length == 0 ? '\0' : value[0];
            }
        }

        return name is null || sequence == 0 || kind == '\0' ? InvalidFormat : Add(name, sequence, kind);
    }

    private string? Add(string name, long sequence, char kind)
    {
        switch ((AofFileKind)kind)
        {
            case AofFileKind.Base when _base is not null:
                return "Found duplicate base file information";
            case AofFileKind.Base:
                _base = new AofFileInfo(name, sequence, AofFileKind.Base);
                return null;
            case AofFileKind.History:
                _history.Add(new AofFileInfo(name, sequence, AofFileKind.History));
                return null;
            case AofFileKind.Increment when _increments.Count > 0 && _increments[^1].Sequence >= sequence:
                return "Found a non-monotonic sequence number";
            case AofFileKind.Increment:
                _increments.Add(new AofFileInfo(name, sequence, AofFileKind.Increment));
                return null;
            default:
                return "Unknown AOF file type";
        }
    }

    private static bool IsFileName(string name) =>
        name is not ("" or "." or "..") && name.AsSpan().IndexOfAny("/\\\0") < 0;
}
