namespace KvServer.Server.Acl;

/// <summary>Users as text: what ACL LIST, ACL SAVE and CONFIG REWRITE show, and the parts of GETUSER.</summary>
internal static class AclDescription
{
    /// <summary>The line of a user: <c>user NAME rules</c>.</summary>
    public static byte[] LineOf(AclUser user)
    {
        using MemoryStream line = new();
        line.Write("user "u8);
        line.Write(user.Name);
        line.WriteByte((byte)' ');
        foreach (string flag in FlagsOf(user))
        {
            line.Write(System.Text.Encoding.ASCII.GetBytes(flag));
            line.WriteByte((byte)' ');
        }

        foreach (PasswordHash password in user.Passwords)
        {
            line.WriteByte((byte)'#');
            line.Write(password.ToHex());
            line.WriteByte((byte)' ');
        }

        WriteRules(line, user.Selectors[0]);
        foreach (AclSelector selector in user.Selectors.Skip(1))
        {
            line.Write(" ("u8);
            WriteRules(line, selector);
            line.WriteByte((byte)')');
        }

        return line.ToArray();
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
    public static byte[] KeysOf(AclSelector selector) => selector.AllKeys
        ? "~*"u8.ToArray()
        : Join(selector.Patterns.Select(pattern => pattern.ToRule()));

    /// <summary>The channel patterns as rules, separated by spaces.</summary>
    public static byte[] ChannelsOf(AclSelector selector) => selector.AllChannels
        ? "&*"u8.ToArray()
        : Join(selector.Channels.Select(pattern => (byte[])[(byte)'&', .. pattern]));

    private static void WriteRules(MemoryStream line, AclSelector selector)
    {
        Write(KeysOf(selector));
        if (!selector.AllChannels)
        {
            Write("resetchannels"u8);
        }

        Write(ChannelsOf(selector));
        line.Write(selector.CommandRules);

        void Write(ReadOnlySpan<byte> rules)
        {
            if (!rules.IsEmpty)
            {
                line.Write(rules);
                line.WriteByte((byte)' ');
            }
        }
    }

    private static byte[] Join(IEnumerable<byte[]> rules)
    {
        using MemoryStream joined = new();
        foreach (byte[] rule in rules)
        {
            if (joined.Length > 0)
            {
                joined.WriteByte((byte)' ');
            }

            joined.Write(rule);
        }

        return joined.ToArray();
    }
}
