using System.Globalization;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Acl;

/// <summary>The text of an ACL file: a user a line, as ACL LIST shows them.</summary>
internal static class AclFile
{
    /// <summary>Reads users.</summary>
    /// <param name="text">The file, one char per byte.</param>
    /// <param name="fileName">What errors call it.</param>
    /// <param name="create">Makes a user of a name that is to be given its rules.</param>
    /// <param name="allChannels">Whether new rights begin with all channels.</param>
    /// <param name="errors">Everything that is wrong with it, empty when nothing is.</param>
    public static List<AclUser> Read(
        string text, string fileName, Func<byte[], AclUser> create, bool allChannels, out string errors)
    {
        List<AclUser> users = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        StringBuilder found = new();
        int lineNumber = 0;
        foreach (string rawLine in text.Split('\n'))
        {
            lineNumber++;
            string line = rawLine.Trim(' ', '\t', '\r', '\n');
            if (line.Length == 0)
            {
                continue;
            }

            string place = string.Create(CultureInfo.InvariantCulture, $"{fileName}:{lineNumber}");
            string[] words = line.Split(' ');
            if (words[0] != "user" || words.Length < 2)
            {
                found.Append(CultureInfo.InvariantCulture, $"{place} should start with user keyword followed by the username. ");
                continue;
            }

            byte[] name = ConfigText.ToBytes(words[1]);
            if (AclWords.HasSpace(name))
            {
                found.Append(CultureInfo.InvariantCulture, $"'{place}: username '{words[1]}' contains spaces or null characters. ");
                continue;
            }

            if (!names.Add(words[1]))
            {
                found.Append(CultureInfo.InvariantCulture, $"WARNING: Duplicate user '{words[1]}' found on line {lineNumber}. ");
                continue;
            }

            AclUser user = create(name);
            Apply(user, words.AsSpan(2), place, allChannels, found);
            users.Add(user);
        }

        errors = found.ToString();
        return users;
    }

    private static void Apply(AclUser user, ReadOnlySpan<string> words, string place, bool allChannels, StringBuilder errors)
    {
        List<byte[]> bytes = [];
        foreach (string word in words)
        {
            bytes.Add(ConfigText.ToBytes(word));
        }

        if (AclWords.Join(bytes, out List<byte[]> rules) >= 0)
        {
            errors.Append(CultureInfo.InvariantCulture, $"{place}: {AclRuleErrors.OpenSelector}");
            return;
        }

        bool told = false;
        IEnumerable<byte[]> trimmed =
            rules.Select(rule => ConfigText.ToBytes(ConfigText.FromBytes(rule).Trim('\t', '\r', '\n')));
        foreach ((byte[] rule, AclRuleError error) in user.ApplyAll(trimmed, allChannels))
        {
            // Errors that don't name their rule say nothing new from the second on.
            bool isNamed = error == AclRuleError.UnknownCommand;
            if (isNamed || !told)
            {
                errors.Append(CultureInfo.InvariantCulture, $"{place}: {AclRuleErrors.TextOf(rule, error)}. ");
                told |= !isNamed;
            }
        }
    }
}
