using System.Text;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Finds out what a path given to <c>--check-aof</c> is.</summary>
internal static class AofCheckTarget
{
    // The lines before the first that is no comment are looked for in so much of the file.
    private const int PeekedBytes = 64 * 1024;

    private static ReadOnlySpan<byte> RdbMagic => "REDIS"u8;

    /// <summary>Finds what is to be checked.</summary>
    /// <param name="path">A file, or a folder that holds one manifest.</param>
    /// <param name="target">The file or the manifest.</param>
    /// <param name="error">Why there is nothing to check.</param>
    public static AofCheckTargetKind Find(string path, out string target, out string error)
    {
        target = path;
        error = "";
        try
        {
            if (Directory.Exists(path))
            {
                return FindManifest(path, out target, out error);
            }

            if (!File.Exists(path))
            {
                error = $"Cannot open file {path}: No such file or directory";
                return AofCheckTargetKind.None;
            }

            return path.EndsWith(AofFileNames.ManifestSuffix, StringComparison.Ordinal) || IsManifest(path)
                ? AofCheckTargetKind.Manifest
                : AofCheckTargetKind.File;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // A pipe, for one, has no length.
            error = $"Cannot read file {path}: {e.Message}";
            return AofCheckTargetKind.None;
        }
    }

    /// <summary>Whether a file begins like a snapshot; not when it cannot be read, which comes up again.</summary>
    public static bool IsRdb(string path)
    {
        try
        {
            return Peek(path, RdbMagic.Length).AsSpan().SequenceEqual(RdbMagic);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Whether an open file begins like a snapshot; it then stands at its beginning.</summary>
    public static bool IsRdb(FileStream file)
    {
        Span<byte> head = stackalloc byte[RdbMagic.Length];
        file.Position = 0;
        int count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return head[..count].SequenceEqual(RdbMagic);
    }

    private static AofCheckTargetKind FindManifest(string folder, out string target, out string error)
    {
        List<string> manifests = [.. Directory.EnumerateFiles(folder, "*" + AofFileNames.ManifestSuffix)
            .Where(file => !Path.GetFileName(file).StartsWith(AofFileNames.TempPrefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
        target = manifests.Count == 1 ? manifests[0] : folder;
        error = manifests.Count switch
        {
            0 => $"There is no manifest in the folder {folder}",
            1 => "",
            _ => $"There are several manifests in the folder {folder}: {string.Join(", ", manifests.Select(Path.GetFileName))}",
        };
        return manifests.Count == 1 ? AofCheckTargetKind.Manifest : AofCheckTargetKind.None;
    }

    private static bool IsManifest(string path)
    {
        ReadOnlySpan<byte> text = Peek(path, PeekedBytes);
        while (text.StartsWith("#"u8))
        {
            int lineEnd = text.IndexOf((byte)'\n');
            text = lineEnd < 0 ? default : text[(lineEnd + 1)..];
        }

        return text.Length >= 4 && Ascii.EqualsIgnoreCase(text[..4], "file"u8);
    }

    private static byte[] Peek(string path, int lengthBytes)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] head = new byte[(int)Math.Min(lengthBytes, file.Length)];
        int count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return head[..count];
    }
}
