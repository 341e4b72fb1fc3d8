using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Acl;

/// <summary>Users as text: what ACL LIST, ACL SAVE and CONFIG REWRITE write, and the parts of GETUSER.</summary>
internal static class AclDescription
{
    /// <summary>The line of a user: <c>user NAME rules</c>.</summary>
    public static byte[] LineOf(AclUser user)
    {
        IEnumerable<byte[]> selectors = user.Selectors.Skip(1)
            .Select(selector => (byte[])[(byte)'(', .. Join(WordsOf(selector)), (byte)')']);
        return Join(["user"u8.ToArray(), user.Name, .. StateOf(user), .. WordsOf(user.Selectors[0]), .. selectors]);
    }

    /// <summary>The line of a user for a configuration file, one char per byte: a rule is one word, in quotes where it
    /// needs them.</summary>
    public static string ConfigLineOf(AclUser user)
    {
        IEnumerable<string> selectors = user.Selectors.Skip(1).Select(selector => $"({Quote(WordsOf(selector))})");
        IEnumerable<byte[]> words = [user.Name, .. StateOf(user), .. WordsOf(user.Selectors[0])];
        return string.Join(' ', ["user", Quote(words), .. selectors.Select(Quote)]);
    }

    /// <summary>What is true of a user besides passwords and rights, as GETUSER lists it.</summary>
    public static IReadOnlyList<string> FlagsOf(AclUser user)
    {
        List<string> flags = [user.IsEnabled ? "on" : "off"];
        if (user.NeedsNoPassword)
        {
            flags.Add("nopass");
        }

        if (user.SanitizesPayloads is { } sanitizes)
        {
            flags.Add(sanitizes ? "sanitize-payload" : "skip-sanitize-payload");
        }

        return flags;
    }

    /// <summary>The key patterns as rules, separated by spaces.</summary>
    public static byte[] KeysOf(AclSelector selector) => Join(KeyRules(selector));

    /// <summary>The channel patterns as rules, separated by spaces.</summary>
    public static byte[] ChannelsOf(AclSelector selector) => Join(ChannelRules(selector));

    private static IEnumerable<byte[]> StateOf(AclUser user) =>
    [
        .. FlagsOf(user).Select(Encoding.ASCII.GetBytes),
        .. user.Passwords.Select(password => (byte[])[(byte)'#', .. password.ToHex()]),
    ];

    private static List<byte[]> WordsOf(AclSelector selector)
    {
        List<byte[]> words = [.. KeyRules(selector)];
        if (!selector.AllChannels)
        {
            words.Add("resetchannels"u8.ToArray());
        }

        words.AddRange(ChannelRules(selector));
        foreach (Range rule in selector.CommandRules.AsSpan().Split((byte)' '))
        {
            words.Add(selector.CommandRules[rule]);
        }

        return words;
    }

    private static IEnumerable<byte[]> KeyRules(AclSelector selector) =>
        selector.AllKeys ? ["~*"u8.ToArray()] : selector.Patterns.Select(pattern => pattern.ToRule());

    private static IEnumerable<byte[]> ChannelRules(AclSelector selector) =>
        selector.AllChannels ? ["&*"u8.ToArray()] : selector.Channels.Select(pattern => (byte[])[(byte)'&', .. pattern]);

    private static string Quote(IEnumerable<byte[]> words) =>
        string.Join(' ', words.Select(word => Quote(ConfigText.FromBytes(word))));

    // A # is plain here, unlike at the beginning of a line.
    private static string Quote(string word) =>
        word.Length > 0 && !word.AsSpan().ContainsAnyExceptInRange('!', '~') && word.AsSpan().IndexOfAny("\"'\\") < 0
            ? word
            : ConfigText.Quote(word);

    private static byte[] Join(IEnumerable<byte[]> rules)
    {
        using MemoryStream joined = new();
        bool isFirst = true;
        foreach (byte[] rule in rules)
        {
            if (!isFirst)
            {
                joined.WriteByte((byte)' ');
            }

            joined.Write(rule);
            isFirst = false;
        }

        return joined.ToArray();
    }
}
