using System.Globalization;
using System.Text.RegularExpressions;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Running;

/// <summary>A text file of commands, read into steps. The directives are listed in Scripts/README.md.</summary>
public sealed partial class Script
{
    private readonly List<ScriptStep> _steps = [];
    private ScriptStep _next = Blank;
    private int _repeat = 1;
    private int _line;

    private Script(string name) => Name = name;

    /// <summary>The file name without its ending.</summary>
    public string Name { get; }

    /// <summary>What the script does, in order.</summary>
    public IReadOnlyList<ScriptStep> Steps => _steps;

    /// <summary>The folder of all scripts.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "Scripts");

    /// <summary>Names of all scripts in alphabetical order.</summary>
    public static IEnumerable<string> AllNames => Directory
        .EnumerateFiles(Folder, "*.txt")
        .Select(path => Path.GetFileNameWithoutExtension(path))
        .Order(StringComparer.Ordinal);

    private static ScriptStep Blank => new(ScriptStepKind.Command, 0, "");

    /// <summary>Reads a script of <see cref="AllNames"/>.</summary>
    public static Script Load(string name) => Parse(name, File.ReadAllLines(Path.Combine(Folder, name + ".txt")));

    /// <summary>Reads a script from lines.</summary>
    /// <exception cref="FormatException">A directive or quoting is wrong; names the line.</exception>
    public static Script Parse(string name, IEnumerable<string> lines)
    {
        Script script = new(name);
        foreach (string line in lines)
        {
            script._line++;
            try
            {
                script.AddLine(line.Trim());
            }
            catch (FormatException e)
            {
                throw new FormatException($"{name}.txt line {script._line}: {e.Message}", e);
            }
        }

        return script;
    }

    /// <summary>Lower-case names of the commands the script sends; with a subcommand also <c>client|id</c>.</summary>
    public IEnumerable<string> CommandNames()
    {
        foreach (ScriptStep step in _steps)
        {
            if (step.Kind is not (ScriptStepKind.Command or ScriptStepKind.Until) || step.Arguments.Count == 0)
            {
                continue;
            }

            string name = ToLower(step.Arguments[0]);
            yield return name;
            if (step.Arguments.Count > 1)
            {
                yield return $"{name}|{ToLower(step.Arguments[1])}";
            }
        }

        static string ToLower(byte[] word) => System.Text.Encoding.Latin1.GetString(word).ToLowerInvariant();
    }

    [GeneratedRegex(@"\{(?<what>.)\*(?<times>\d+)\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RepeatedCharacter { get; }

    private void AddLine(string line)
    {
        if (line.Length == 0 || line == "#" || line.StartsWith("# ", StringComparison.Ordinal))
        {
            return;
        }

        if (line[0] != '#')
        {
            AddCommand(line, ScriptStepKind.Command, expected: null);
            return;
        }

        int nameEnd = line.IndexOf(' ', StringComparison.Ordinal);
        string directive = nameEnd < 0 ? line[1..] : line[1..nameEnd];
        AddDirective(directive, nameEnd < 0 ? "" : line[(nameEnd + 1)..].Trim());
    }

    private void AddDirective(string directive, string rest)
    {
        switch (directive)
        {
            case "unordered": _next = _next with { Comparison = ReplyComparison.Unordered }; break;
            case "masked": _next = _next with { Comparison = ReplyComparison.Masked }; break;
            case "type": _next = _next with { Comparison = ReplyComparison.Shape }; break;
            case "approx":
                _next = _next with { Comparison = ReplyComparison.Approximate, Tolerance = ToNumber(rest) };
                break;
            case "differs": _next = _next with { Comparison = ReplyComparison.Differs, Anchor = rest }; break;
            case "ours": _next = _next with { ExpectedFromUs = rest }; break;
            case "replies": _next = _next with { ReplyCount = ToNumber(rest) }; break;
            case "repeat": _repeat = ToNumber(rest); break;
            case "resp2": AddCommand("HELLO 2", ScriptStepKind.Command, expected: null, ReplyComparison.Shape); break;
            case "resp3": AddCommand("HELLO 3", ScriptStepKind.Command, expected: null, ReplyComparison.Shape); break;
            case "conn": Add(ScriptStepKind.Connection, rest, []); break;
            case "close": Add(ScriptStepKind.Close, rest, []); break;
            case "digest": Add(ScriptStepKind.Digest, "DEBUG DIGEST", [[.. "DEBUG"u8], [.. "DIGEST"u8]]); break;
            case "config": Add(ScriptStepKind.Config, rest, Arguments(rest)); break;
            case "raw": Add(ScriptStepKind.Raw, rest, Arguments(rest)); break;
            case "read":
                _next = _next with { ReplyCount = ToNumber(rest) };
                Add(ScriptStepKind.Read, "(read)", []);
                break;
            case "until":
                int equals = rest.LastIndexOf(" = ", StringComparison.Ordinal);
                AddCommand(rest[..equals], ScriptStepKind.Until, rest[(equals + 3)..].Trim());
                break;
            default: throw new FormatException($"There is no directive #{directive}; a comment needs a space after '#'.");
        }
    }

    private void AddCommand(string line, ScriptStepKind kind, string? expected, ReplyComparison? comparison = null)
    {
        int repeat = _repeat;
        ScriptStep template = _next with
        {
            ExpectedFromUs = expected ?? _next.ExpectedFromUs,
            Comparison = comparison ?? _next.Comparison,
        };
        for (int i = 1; i <= repeat; i++)
        {
            string numbered = line.Replace("{i}", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
            _next = template;
            Add(kind, numbered, Arguments(numbered));
        }
    }

    private void Add(ScriptStepKind kind, string text, IReadOnlyList<byte[]> arguments)
    {
        _steps.Add(_next with { Kind = kind, Line = _line, Text = text, Arguments = arguments });
        _next = Blank;
        _repeat = 1;
    }

    private static List<byte[]> Arguments(string line) => CommandLine.Split(RepeatedCharacter.Replace(
        line,
        match => new string(match.Groups["what"].Value[0], ToNumber(match.Groups["times"].Value))));

    private static int ToNumber(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
