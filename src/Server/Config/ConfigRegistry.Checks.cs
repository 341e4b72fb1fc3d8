namespace KvServer.Server.Config;

/// <summary>Checks of values beyond their form.</summary>
public static partial class ConfigRegistry
{
    private const int MaxSecretBytes = 512;

    private static readonly string[] TitleVariables =
        ["{title}", "{listen-addr}", "{server-mode}", "{port}", "{tls-port}", "{unixsocket}", "{config-file}"];

    private static string? CheckSecret(byte[] secret) =>
        secret.Length > MaxSecretBytes ? "argument is longer than 512 bytes" : null;

    private static string? CheckTitleTemplate(string template)
    {
        const string Invalid = "template format is invalid or contains unknown variables";
        if (template.Length == 0)
        {
            return Invalid;
        }

        for (int i = template.IndexOf('{', StringComparison.Ordinal); i >= 0;
            i = template.IndexOf('{', i + 1))
        {
            if (!Array.Exists(TitleVariables, v => string.CompareOrdinal(template, i, v, 0, v.Length) == 0))
            {
                return Invalid;
            }
        }

        return null;
    }

    private static Func<string, string?> FileName(string option) => name =>
        name.Length == 0 && option != "dbfilename" ? option + " can't be empty" :
        name.Contains('\0', StringComparison.Ordinal) ? option + " can't contain a null character" :
        name.Contains('/', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal)
            ? $"{option} can't be a path, just a {(option == "appenddirname" ? "dirname" : "filename")}"
            : null;

    private static string? CheckHostname(string name)
    {
        if (name.Length >= 256)
        {
            return "Hostnames must be less than 256 characters";
        }

        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.'))
            {
                return "Hostnames may only contain alphanumeric characters, hyphens or dots";
            }
        }

        return null;
    }
}
