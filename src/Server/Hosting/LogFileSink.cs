using System.Text;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace KvServer.Server.Hosting;

/// <summary>Appends each event to a file that is opened for it and closed again.</summary>
/// <remarks>So that a log that was moved away by logrotate needs no signal: the next line starts a new file. Any
/// thread. Nothing can be done about a line that can't be written, it is dropped.</remarks>
internal sealed class LogFileSink(string path, ITextFormatter formatter) : ILogEventSink
{
    private readonly Lock _lock = new();

    public void Emit(LogEvent logEvent)
    {
        using var text = new StringWriter();
        formatter.Format(logEvent, text);
        byte[] line = Encoding.UTF8.GetBytes(text.ToString());
        lock (_lock)
        {
            try
            {
                using FileStream stream = Open(path);
                stream.Write(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A full disk must not stop the server, and there is nowhere left to say so.
            }
        }
    }

    /// <summary>Checks that the file can be written.</summary>
    /// <exception cref="StartupException">It can't.</exception>
    public static void Check(string path)
    {
        try
        {
            Open(path).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = e switch
            {
                DirectoryNotFoundException or FileNotFoundException => "No such file or directory",
                UnauthorizedAccessException => "Permission denied",
                _ => e.Message,
            };
            throw new StartupException($"Can't open the log file '{path}': {reason}", e);
        }
    }

    private static FileStream Open(string path) => new(
        path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
