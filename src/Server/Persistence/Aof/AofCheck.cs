using System.Globalization;
using KvServer.Resp;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Reads append-only files from end to end, reports what it finds, and cuts off what is no good:
/// <c>kvserver --check-aof FILE</c>.</summary>
/// <remarks>The report has the form of redis-check-aof's. Everything is read only, except that the last file is cut when
/// that was asked for. The first fault ends the check.</remarks>
internal sealed class AofCheck
{
    private readonly AofCheckOptions _options;
    private readonly TextWriter _report;
    private readonly TextReader _input;
    private readonly TimeProvider _clock;

    // Counted over all files, as in redis-check-aof: annotations are not.
    private long _line = 1;

    private AofCheck(AofCheckOptions options, TextWriter report, TextReader input, TimeProvider clock)
    {
        _options = options;
        _report = report;
        _input = input;
        _clock = clock;
    }

    /// <summary>Runs the check when the command line asks for it.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="exitCode">0 for good files and for mended ones, 1 for bad ones or ones that cannot be read.</param>
    public static bool TryRun(string[] args, out int exitCode)
    {
        exitCode = 1;
        if (args.Length == 0 || args[0] != AofCheckOptions.Option)
        {
            return false;
        }

        if (!AofCheckOptions.TryParse(args.AsSpan(1), out AofCheckOptions? options, out string error))
        {
            Console.Error.WriteLine(error);
            return true;
        }

        exitCode = Run(options, Console.Out, Console.In, TimeProvider.System) ? 0 : 1;
        return true;
    }

    /// <summary>Checks a file, or the files of a manifest.</summary>
    /// <param name="options">What to check and what to do about faults.</param>
    /// <param name="report">Where findings go, line by line.</param>
    /// <param name="input">Where the answer to a question comes from.</param>
    /// <param name="clock">Tells which keys of a snapshot have expired.</param>
    /// <returns>Whether everything is good, now.</returns>
    public static bool Run(AofCheckOptions options, TextWriter report, TextReader input, TimeProvider clock) =>
        new AofCheck(options, report, input, clock).Run();

    private bool Run()
    {
        switch (AofCheckTarget.Find(_options.Path, out string path, out string error))
        {
            case AofCheckTargetKind.Manifest:
                _report.WriteLine("Start checking Multi Part AOF");
                return CheckManifest(path);
            case AofCheckTargetKind.File:
                _report.WriteLine("Start checking Old-Style AOF");
                return CheckFile(path, path, "AOF", isLast: true);
            default:
                return Fail(error);
        }
    }

    private bool CheckManifest(string path)
    {
        if (!AofFolder.TryRead(path, out byte[] text, out string error))
        {
            return Fail(error);
        }

        if (!AofManifest.TryParse(text, out AofManifest manifest, out AofManifestError fault))
        {
            _report.WriteLine("*** FATAL AOF MANIFEST FILE ERROR ***");
            if (fault.Line > 0)
            {
                _report.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"Reading the manifest file, at line {fault.Line}"));
                _report.WriteLine($">>> '{fault.Text}'");
            }

            return Fail(fault.Reason);
        }

        string folder = Path.GetDirectoryName(path) ?? "";
        if (manifest.Base is { } first)
        {
            string firstPath = Path.Combine(folder, first.Name);
            string form = AofCheckTarget.IsRdb(firstPath) ? "RDB" : "RESP";
            _report.WriteLine($"Start to check BASE AOF ({form} format).");
            if (!CheckFile(firstPath, first.Name, "BASE AOF", manifest.Increments.Count == 0))
            {
                return false;
            }
        }

        if (manifest.Increments.Count > 0)
        {
            _report.WriteLine("Start to check INCR files.");
        }

        foreach (AofFileInfo file in manifest.Increments)
        {
            string filePath = Path.Combine(folder, file.Name);
            if (!CheckFile(filePath, file.Name, "INCR AOF", file == manifest.LastIncrement))
            {
                return false;
            }
        }

        _report.WriteLine("All AOF files and manifest are valid");
        return true;
    }

    /// <summary>Checks one file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="name">How the report calls it.</param>
    /// <param name="role">What it is called when it is good.</param>
    /// <param name="isLast">Whether no file follows it, so that it may be cut.</param>
    private bool CheckFile(string path, string name, string role, bool isLast)
    {
        try
        {
            FileAccess access = isLast && _options.MayCut ? FileAccess.ReadWrite : FileAccess.Read;
            using FileStream file = new(path, FileMode.Open, access, FileShare.ReadWrite, bufferSize: 0);
            return CheckOpen(file, path, name, role, isLast);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Fail($"Cannot open file {path}: No such file or directory, aborting...");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return Fail($"Cannot read file {path}: {e.Message}, aborting...");
        }
    }

    private bool CheckOpen(FileStream file, string path, string name, string role, bool isLast)
    {
        long length = file.Length;
        if (length == 0)
        {
            _report.WriteLine($"{role} {name} is empty");
            return true;
        }

        long start = 0;
        if (AofCheckTarget.IsRdb(file))
        {
            if (!RdbCheck.RunPreamble(file, name, _report, _clock, out start))
            {
                return Fail("RDB preamble of AOF file is not sane, aborting.");
            }

            _report.WriteLine("RDB preamble is OK, proceeding with AOF tail...");
        }

        AofReader reader = new(file, start) { LastTimestampToRead = _options.LastTimestamp };
        AofTransactions transactions = new(reader, _line);
        using RequestBatch batch = new();
        while (transactions.Error.Length == 0 && reader.Read(batch))
        {
            transactions.Follow(batch);
        }

        if (transactions.Error.Length == 0 && reader.Ending == AofEnding.Timestamp)
        {
            return CutAtTimestamp(file, reader.EndingOffset, path, name, isLast);
        }

        transactions.End();
        if (transactions.Error.Length > 0)
        {
            WriteFault(transactions.ErrorOffset, $"{transactions.Error} in AOF {name}");
        }
        else if (reader.Ending != AofEnding.Clean)
        {
            WriteFault(reader.EndingOffset, reader.Reason);
        }

        long goodBytes = transactions.GoodOffset;
        _line = transactions.GoodLine;
        if (goodBytes == length && _options.CutsAtTimestamp)
        {
            _report.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"Truncate nothing in AOF {name} to timestamp {_options.LastTimestamp}"));
        }
        else
        {
            _report.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"AOF analyzed: filename={name}, size={length}, ok_up_to={goodBytes}, ok_up_to_line={_line}, diff={length - goodBytes}"));
        }

        if (goodBytes == length)
        {
            _report.WriteLine($"{role} {name} is valid");
            return true;
        }

        return _options.Fixes
            ? Fix(file, length, goodBytes, name, isLast)
            : Fail($"AOF {name} is not valid. Use the --fix option to try fixing it.");
    }

    private bool CutAtTimestamp(FileStream file, long offset, string path, string name, bool isLast)
    {
        string timestamp = _options.LastTimestamp.ToString(CultureInfo.InvariantCulture);
        if (offset == 0)
        {
            return Fail($"AOF {path} has nothing before timestamp {timestamp}, aborting...");
        }

        if (!isLast)
        {
            _report.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Failed to truncate AOF {path} to timestamp {timestamp} to offset {offset} because it is not the last file."));
            return Fail("To go back that far, take the files after it out of the manifest and delete them, then check again.");
        }

        Cut(file, offset);
        _report.WriteLine($"Successfully truncated AOF {name} to timestamp {timestamp}");
        return true;
    }

    private bool Fix(FileStream file, long length, long goodBytes, string name, bool isLast)
    {
        if (!isLast)
        {
            return Fail($"Failed to truncate AOF {name} because it is not the last file");
        }

        _report.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"This will shrink the AOF {name} from {length} bytes, with {length - goodBytes} bytes, to {goodBytes} bytes"));
        _report.Write("Continue? [y/N]: ");
        _report.Flush();
        if (_input.ReadLine() is not { } answer || !answer.StartsWith('y') && !answer.StartsWith('Y'))
        {
            return Fail("Aborting...");
        }

        Cut(file, goodBytes);
        _report.WriteLine($"Successfully truncated AOF {name}");
        return true;
    }

    private static void Cut(FileStream file, long offset)
    {
        file.SetLength(offset);
        DiskSync.Flush(file.SafeFileHandle);
    }

    private void WriteFault(long offset, string text) =>
        _report.WriteLine(string.Create(CultureInfo.InvariantCulture, $"0x{offset,16:x}: {text}"));

    private bool Fail(string text)
    {
        _report.WriteLine(text);
        return false;
    }
}
