using System.Globalization;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Which files make up the append-only file, in the order in which they are loaded.</summary>
/// <remarks>
/// <para>Immutable: a transition returns the manifest that is to come, which counts once
/// <see cref="AofFolder.TrySave"/> has put it on disk; until then the old one does. A rewrite goes so:</para>
/// <list type="number">
/// <item>At the cut, <see cref="WithNextIncrement"/>: what happens from now on goes into a new increment file.</item>
/// <item>The base file is written under a temporary name, and renamed when it is whole.</item>
/// <item><see cref="WithNewBase"/>: it replaces the old base file and the increment files from before the cut.</item>
/// <item>The files of <see cref="History"/> are deleted; <see cref="WithoutHistory"/>.</item>
/// </list>
/// <para>A rewrite that fails leaves an increment file more. Any thread.</para>
/// </remarks>
internal sealed class AofManifest
{
    /// <summary>No files.</summary>
    public static readonly AofManifest Empty = new(null, [], []);

    /// <summary>Makes a manifest.</summary>
    /// <param name="baseFile">The base file, or null when everything is in the increments.</param>
    /// <param name="history">Files that are no longer needed.</param>
    /// <param name="increments">The increments, in ascending order of their numbers.</param>
    public AofManifest(AofFileInfo? baseFile, IReadOnlyList<AofFileInfo> history, IReadOnlyList<AofFileInfo> increments)
    {
        Base = baseFile;
        History = history;
        Increments = increments;
    }

    /// <summary>The file that is loaded first, or null.</summary>
    public AofFileInfo? Base { get; }

    /// <summary>Files to delete.</summary>
    public IReadOnlyList<AofFileInfo> History { get; }

    /// <summary>The files loaded after the base, in this order; requests are appended to the last one.</summary>
    public IReadOnlyList<AofFileInfo> Increments { get; }

    /// <summary>The file requests are appended to, or null when there is none yet.</summary>
    public AofFileInfo? LastIncrement => Increments.Count == 0 ? null : Increments[^1];

    /// <summary>Whether there is anything to load.</summary>
    public bool IsEmpty => Base is null && Increments.Count == 0;

    /// <summary>Reads a manifest.</summary>
    /// <param name="text">The file's bytes.</param>
    /// <param name="manifest">What they say; <see cref="Empty"/> when they cannot be read.</param>
    /// <param name="error">Why they cannot, with the number of the line, in one line; else empty.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out AofManifest manifest, out string error)
    {
        bool isRead = TryParse(text, out manifest, out AofManifestError fault);
        error = isRead ? "" : fault.ToString();
        return isRead;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out AofManifest, out string)"/>
    public static bool TryParse(ReadOnlySpan<byte> text, out AofManifest manifest, out AofManifestError error) =>
        AofManifestParser.TryParse(text, out manifest, out error);

    /// <summary>The manifest as redis-server writes it: base, history, increments.</summary>
    /// <remarks>Names that are not plain are quoted. So are those with an apostrophe, which redis-server writes bare
    /// and then cannot read itself.</remarks>
    public byte[] Format()
    {
        StringBuilder text = new();
        if (Base is not null)
        {
            Append(text, Base);
        }

        foreach (AofFileInfo file in History)
        {
            Append(text, file);
        }

        foreach (AofFileInfo file in Increments)
        {
            Append(text, file);
        }

        return ConfigText.ToBytes(text.ToString());
    }

    /// <summary>Adds an increment file with the next number.</summary>
    /// <param name="appendFileName">The option <c>appendfilename</c>.</param>
    public AofManifest WithNextIncrement(string appendFileName)
    {
        long sequence = LastIncrement?.Sequence ?? 0;
        string name;
        do
        {
            // A file that waits for its deletion keeps its name.
            name = AofFileNames.Increment(appendFileName, ++sequence);
        }
        while (Names(name));

        return new AofManifest(Base, History, [.. Increments, new AofFileInfo(name, sequence, AofFileKind.Increment)]);
    }

    /// <summary>Puts a new base file with the next number in the place of the old one and of the increments it has
    /// made superfluous; these become history.</summary>
    /// <param name="appendFileName">The option <c>appendfilename</c>.</param>
    /// <param name="isRdb">Whether the file is a snapshot (<c>aof-use-rdb-preamble</c>), else it holds requests.</param>
    /// <param name="firstKeptIncrement">Number of the first increment begun after the cut;
    /// <see cref="long.MaxValue"/> keeps none.</param>
    public AofManifest WithNewBase(string appendFileName, bool isRdb, long firstKeptIncrement)
    {
        long sequence = Base?.Sequence ?? 0;
        string name;
        do
        {
            name = AofFileNames.Base(appendFileName, ++sequence, isRdb);
        }
        while (Names(name));

        List<AofFileInfo> history = [];
        List<AofFileInfo> kept = [];
        foreach (AofFileInfo file in Increments)
        {
            if (file.Sequence < firstKeptIncrement)
            {
                history.Add(file with { Kind = AofFileKind.History });
            }
            else
            {
                kept.Add(file);
            }
        }

        if (Base is not null)
        {
            history.Add(Base with { Kind = AofFileKind.History });
        }

        history.AddRange(History);
        return new AofManifest(new AofFileInfo(name, sequence, AofFileKind.Base), history, kept);
    }

    /// <summary>Makes a single append-only file of the time before Redis 7 the base file, under the name it has.</summary>
    /// <param name="appendFileName">The option <c>appendfilename</c>, which is the file's name.</param>
    public static AofManifest OfOldFile(string appendFileName) =>
        new(new AofFileInfo(appendFileName, 1, AofFileKind.Base), [], []);

    /// <summary>Takes the history out, once its files are deleted.</summary>
    public AofManifest WithoutHistory() => History.Count == 0 ? this : new AofManifest(Base, [], Increments);

    /// <summary>Whether a file is one of these.</summary>
    public bool Names(string name) =>
        Base?.Name == name || History.Any(file => file.Name == name) || Increments.Any(file => file.Name == name);

    private static void Append(StringBuilder text, AofFileInfo file)
    {
        string name = ConfigText.Encode(file.Name);
        bool isPlain = name.Length > 0 && !name.AsSpan().ContainsAnyExceptInRange('!', '~')
            && name.AsSpan().IndexOfAny("\"'\\") < 0;
        text.Append(
            CultureInfo.InvariantCulture,
            $"file {(isPlain ? name : ConfigText.Quote(name))} seq {file.Sequence} type {(char)file.Kind}\n");
    }
}
