using System.Diagnostics;
using System.Globalization;
using KvServer.Storage;

namespace KvServer.Server.Persistence;

/// <summary>Reads an RDB file from end to end and reports what it finds: <c>kvserver --check-rdb FILE</c>.</summary>
/// <remarks>The report has the form of redis-check-rdb's. Values are checked in the form they have in the file, whether
/// this server has their type or not; keys it could not load are counted at the end.</remarks>
internal sealed class RdbCheck
{
    /// <summary>The option that asks for a check.</summary>
    public const string Option = "--check-rdb";

    private readonly TextWriter _report;
    private readonly TimeProvider _clock;
    private readonly SortedDictionary<string, long> _notLoadable = new(StringComparer.Ordinal);
    private long _keys;
    private long _expires;
    private long _expired;
    private long _lastProgress;

    private RdbCheck(TextWriter report, TimeProvider clock)
    {
        _report = report;
        _clock = clock;
    }

    /// <summary>Runs the check when the command line asks for it.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="exitCode">0 for a good file, 1 for a bad one or one that cannot be read.</param>
    public static bool TryRun(string[] args, out int exitCode)
    {
        exitCode = 1;
        if (args.Length == 0 || args[0] != Option)
        {
            return false;
        }

        if (args.Length != 2)
        {
            Console.Error.WriteLine($"Usage: kvserver {Option} <rdb-file-name>");
            return true;
        }

        exitCode = Run(args[1], Console.Out, TimeProvider.System) ? 0 : 1;
        return true;
    }

    /// <summary>Checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="report">Where findings go, line by line.</param>
    /// <param name="clock">Tells which keys have expired.</param>
    /// <returns>Whether the file is good.</returns>
    public static bool Run(string path, TextWriter report, TimeProvider clock)
    {
        report.WriteLine(Opening(path));
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return new RdbCheck(report, clock).Check(file, out _);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            report.WriteLine($"Cannot read the file: {e.Message}");
            return false;
        }
    }

    /// <summary>Checks what an open file begins with.</summary>
    /// <param name="file">Stands at its first byte; it is read ahead.</param>
    /// <param name="name">How the report calls it.</param>
    /// <param name="report">Where findings go, line by line.</param>
    /// <param name="clock">Tells which keys have expired.</param>
    /// <param name="endOffset">Where the snapshot ends and something else may follow.</param>
    /// <returns>Whether the snapshot is good.</returns>
    public static bool RunPreamble(FileStream file, string name, TextWriter report, TimeProvider clock, out long endOffset)
    {
        report.WriteLine(Opening(name));
        return new RdbCheck(report, clock).Check(file, out endOffset);
    }

    private static string Opening(string name) => $"[offset 0] Checking RDB file {name}";

    private bool Check(FileStream file, out long endOffset)
    {
        RdbReader reader = new(file, file.Length);
        endOffset = 0;
        try
        {
            ReadAll(reader, file.Length);
        }
        catch (RdbFormatException e)
        {
            _report.WriteLine("--- RDB ERROR DETECTED ---");
            Write(e.Offset, e.IsCutShort ? $"Unexpected EOF reading RDB file: {e.Reason}" : e.Reason);
            _report.WriteLine($"[additional info] While doing: {reader.Doing}");
            if (!reader.Key.IsEmpty)
            {
                _report.WriteLine($"[additional info] Reading key '{ReportText.Printable(reader.Key)}'");
                _report.WriteLine($"[additional info] Reading type {(int)reader.Type} ({reader.TypeName})");
            }

            WriteCounts(reader);
            return false;
        }

        endOffset = reader.Offset;
        Write(reader.Offset, "\\o/ RDB looks OK! \\o/");
        WriteCounts(reader);
        return true;
    }

    private void ReadAll(RdbReader reader, long lengthBytes)
    {
        long nowMs = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        _lastProgress = Stopwatch.GetTimestamp();
        while (true)
        {
            RdbRecord record = reader.Read();
            switch (record)
            {
                case RdbRecord.Key:
                    CountKey(reader, nowMs);
                    reader.SkipValue();
                    break;
                case RdbRecord.Aux:
                    string value = ReportText.Printable(reader.AuxValue);
                    Write(reader.Offset, $"AUX FIELD {reader.AuxName} = '{value}'");
                    break;
                case RdbRecord.SelectDatabase:
                    Write(reader.Offset, $"Selecting DB ID {reader.DatabaseIndex}");
                    break;
                case RdbRecord.ModuleAux:
                    Write(reader.Offset, $"MODULE AUX for: {reader.ModuleName}");
                    break;
                case RdbRecord.End:
                    Write(reader.Offset, reader.HasChecksum ? "Checksum OK" : "RDB file was saved with checksum disabled: no check performed");
                    return;
                default:
                    break;
            }

            ShowProgress(reader, lengthBytes);
        }
    }

    private void CountKey(RdbReader reader, long nowMs)
    {
        _keys++;
        if (reader.ExpireAtMs != Database.NoExpiry)
        {
            _expires++;
            _expired += reader.ExpireAtMs < nowMs ? 1 : 0;
        }

        if (!reader.IsLoadable)
        {
            _notLoadable[reader.TypeName] = _notLoadable.GetValueOrDefault(reader.TypeName) + 1;
        }
    }

    private void ShowProgress(RdbReader reader, long lengthBytes)
    {
        // The clock is looked at now and then only: keys are read by the million.
        if ((_keys & 0xFFF) != 0 || Stopwatch.GetElapsedTime(_lastProgress) < TimeSpan.FromSeconds(1))
        {
            return;
        }

        _lastProgress = Stopwatch.GetTimestamp();
        long percent = lengthBytes == 0 ? 0 : reader.Offset * 100 / lengthBytes;
        Write(reader.Offset, string.Create(CultureInfo.InvariantCulture, $"{percent}% read, {_keys} keys"));
    }

    private void WriteCounts(RdbReader reader)
    {
        _report.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[info] {_keys} keys read"));
        _report.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[info] {_expires} expires"));
        _report.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[info] {_expired} already expired"));
        if (reader.Functions.Count > 0)
        {
            _report.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"[info] {reader.Functions.Count} libraries of functions"));
        }

        foreach ((string type, long count) in _notLoadable)
        {
            _report.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"[info] {count} keys of type {type}, which this server cannot load"));
        }
    }

    private void Write(long offset, string text) =>
        _report.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[offset {offset}] {text}"));
}
