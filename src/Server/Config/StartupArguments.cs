using System.Text;

namespace KvServer.Server.Config;

/// <summary>What the command line asks for.</summary>
public enum StartupAction
{
    /// <summary>Run the server.</summary>
    Run,

    /// <summary>Print the version.</summary>
    Version,

    /// <summary>Print how it is used.</summary>
    Help,

    /// <summary>Test the memory, which this server does not do.</summary>
    TestMemory,

    /// <summary>Look at the system, which this server does not do.</summary>
    CheckSystem,
}

/// <summary>The command line, cut the way redis-server cuts it.</summary>
/// <param name="Action">What to do.</param>
/// <param name="ConfigFile">Full path of the configuration file, or <see langword="null"/>.</param>
/// <param name="ReadsStandardInput">Whether <c>-</c> was given.</param>
/// <param name="Lines">The options, as lines of configuration text.</param>
public sealed record StartupArguments(
    StartupAction Action, string? ConfigFile, bool ReadsStandardInput, IReadOnlyList<string> Lines)
{
    /// <summary>Cuts the arguments.</summary>
    /// <remarks>A first argument without a dash is the file, unless there is no such file and it is the name of an
    /// option. <c>--name</c> starts a line, and what follows is quoted and added to it. Right after a name even
    /// something with two dashes is its value, except after <c>--save</c>, which then means <c>--save ""</c>.</remarks>
    public static StartupArguments Parse(ReadOnlySpan<string> args)
    {
        StartupAction action = args.IsEmpty ? StartupAction.Run : args[0] switch
        {
            "-v" or "--version" => StartupAction.Version,
            "-h" or "--help" => StartupAction.Help,
            "--test-memory" => StartupAction.TestMemory,
            "--check-system" => StartupAction.CheckSystem,
            _ => StartupAction.Run,
        };
        if (action != StartupAction.Run)
        {
            return new StartupArguments(action, ConfigFile: null, ReadsStandardInput: false, []);
        }

        string? file = null;
        int i = 0;
        bool bareOption = !args.IsEmpty && IsBareOption(args[0]);
        if (!args.IsEmpty && !args[0].StartsWith('-') && !bareOption)
        {
            file = args[0].Length == 0 ? "" : Path.GetFullPath(args[0]);
            i = 1;
        }

        var text = new StringBuilder();
        bool fromInput = false;
        bool nameHasValue = true;
        for (; i < args.Length; i++)
        {
            string arg = ConfigText.Encode(args[i]);
            if (arg == "-" && (i == 0 || i == args.Length - 1))
            {
                fromInput = true;
            }
            else if (bareOption && i == 0)
            {
                text.Append(arg).Append(' ');
            }
            else if (nameHasValue && arg.StartsWith("--", StringComparison.Ordinal))
            {
                text.Append(text.Length > 0 ? "\n" : "").Append(arg, 2, arg.Length - 2).Append(' ');

                // "--port 7000" in one argument brings its value along.
                nameHasValue = ConfigText.Split(arg) is not [_];
                bool isLast = i + 1 == args.Length;
                if (ConfigText.IsName(arg, "--save") &&
                    (isLast || args[i + 1].StartsWith("--", StringComparison.Ordinal)))
                {
                    text.Append("\"\"");
                    nameHasValue = true;
                }
            }
            else
            {
                text.Append(ConfigText.Quote(arg)).Append(' ');
                nameHasValue = true;
            }
        }

        string[] lines = text.ToString().Split('\n', StringSplitOptions.TrimEntries);
        return new StartupArguments(StartupAction.Run, file, fromInput, lines);
    }

    private static bool IsBareOption(string arg) =>
        ConfigText.Split(ConfigText.Encode(arg)) is [string name, ..] &&
        ConfigRegistry.Find(name) is not null && !File.Exists(arg);
}
