namespace KvServer.Server.Persistence;

/// <summary>Replaces small files in one step, so that a crash leaves the old or the new one.</summary>
internal static class FileReplacement
{
    /// <summary>Writes a temporary file beside it, forces that to disk and renames it. Any thread; blocks.</summary>
    /// <param name="path">Full path; the file need not exist.</param>
    /// <param name="content">All of the new content.</param>
    /// <exception cref="IOException">It can't be written or replaced; the old file is as it was. Or the folder can't be forced
    /// to disk: then the new file is there already, and a crash may still bring back the old one.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be written or replaced; the old file is as it was.</exception>
    public static void Write(string path, byte[] content)
    {
        string temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                Share = FileShare.None,
            };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var stream = new FileStream(temporary, options))
            {
                if (!OperatingSystem.IsWindows())
                {
                    // The file may hold a password: the new one is as open as the old one, whatever the process's mask.
                    File.SetUnixFileMode(stream.SafeFileHandle, File.Exists(path)
                        ? File.GetUnixFileMode(path)
                        : UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
                }

                stream.Write(content);
                stream.Flush();
                DiskSync.Flush(stream.SafeFileHandle);
            }

            File.Move(temporary, path, overwrite: true);
            if (Path.GetDirectoryName(path) is { } folder && DiskSync.TryFlushFolder(folder) is { } reason)
            {
                throw new IOException(reason);
            }
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
