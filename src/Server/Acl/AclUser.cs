using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Acl;

/// <summary>A user: whether it may enter and with which passwords, and its rights.</summary>
/// <remarks>Command loop only, or before anybody can connect; but any thread may read <see cref="NeedsNoPassword"/>.</remarks>
internal sealed class AclUser
{
    private readonly KnownCommands _known;
    private readonly List<PasswordHash> _passwords = [];
    private List<AclSelector> _selectors;
    private volatile bool _needsNoPassword;

    /// <summary>A user that is off and has no rights, but to all channels where that is the default.</summary>
    public AclUser(byte[] name, KnownCommands known, bool allChannels)
    {
        Name = name;
        _known = known;
        Root = new AclSelector(known, allChannels);
        _selectors = [Root];
    }

    public byte[] Name { get; }

    /// <summary>The name as text, for descriptions of clients.</summary>
    public string DisplayName => field ??= Encoding.UTF8.GetString(Name);

    /// <summary>Whether it may enter.</summary>
    public bool IsEnabled { get; private set; }

    /// <summary>Whether it enters with any password.</summary>
    public bool NeedsNoPassword => _needsNoPassword;

    /// <summary>What GETUSER says about RESTORE's check of payloads; nothing until a rule says something. They are always
    /// checked.</summary>
    public bool? SanitizesPayloads { get; private set; }

    public IReadOnlyList<PasswordHash> Passwords => _passwords;

    /// <summary>The root selector, and those in parentheses.</summary>
    public IReadOnlyList<AclSelector> Selectors => _selectors;

    /// <summary>The first of <see cref="Selectors"/>, which mostly is the only one.</summary>
    public AclSelector Root { get; private set; }

    /// <summary>Whether it may do everything, so that nothing needs to be looked at.</summary>
    public bool IsUnrestricted => Root.IsUnrestricted;

    /// <summary>The user that clients are before they say otherwise: on, without a password, all rights.</summary>
    public static AclUser CreateDefault(KnownCommands known)
    {
        AclUser user = new("default"u8.ToArray(), known, allChannels: true);
        foreach (string rule in new[] { "+@all", "~*", "&*", "on", "nopass" })
        {
            user.Apply(Encoding.ASCII.GetBytes(rule), allChannels: true);
        }

        return user;
    }

    /// <summary>Makes passwords and rights those of another user; the name stays.</summary>
    public void CopyFrom(AclUser other)
    {
        IsEnabled = other.IsEnabled;
        _needsNoPassword = other._needsNoPassword;
        SanitizesPayloads = other.SanitizesPayloads;
        _passwords.Clear();
        _passwords.AddRange(other._passwords);
        _selectors = [.. other._selectors.Select(selector => selector.Copy())];
        Root = _selectors[0];
    }

    /// <summary>Whether a password opens the door: the user is on, and needs none or has this one.</summary>
    /// <param name="given">The hash of what somebody says.</param>
    /// <remarks>O(passwords). The time taken tells nothing about the password or those it is compared with.</remarks>
    public bool Admits(PasswordHash given)
    {
        bool found = false;
        foreach (PasswordHash known in _passwords)
        {
            found |= known.IsSame(given);
        }

        return IsEnabled && (found || _needsNoPassword);
    }

    /// <summary>Applies one rule.</summary>
    /// <param name="rule">A word, or a selector with its parentheses.</param>
    /// <param name="allChannels">Whether new rights begin with all channels: <c>acl-pubsub-default</c>.</param>
    /// <returns>What is wrong with it; nothing has changed then.</returns>
    public AclRuleError Apply(ReadOnlySpan<byte> rule, bool allChannels)
    {
        if (rule.IsEmpty)
        {
            return AclRuleError.None;
        }

        if (TrySetState(rule))
        {
            return AclRuleError.None;
        }

        if (Ascii.EqualsIgnoreCase(rule, "reset"u8))
        {
            Reset(allChannels);
            return AclRuleError.None;
        }

        switch (rule[0])
        {
            case (byte)'>':
                AddPassword(PasswordHash.Of(rule[1..]));
                return AclRuleError.None;
            case (byte)'<':
                return RemovePassword(PasswordHash.Of(rule[1..]));
            case (byte)'#' or (byte)'!':
                return ChangeHash(rule);
            case (byte)'(' when rule[^1] == ')':
                return AddSelector(rule[1..^1], allChannels);
            default:
                return Root.Apply(rule);
        }
    }

    /// <summary>Applies rules one after the other while the result is enumerated.</summary>
    /// <returns>Those that are wrong; the others are applied all the same.</returns>
    public IEnumerable<(byte[] Rule, AclRuleError Error)> ApplyAll(IEnumerable<byte[]> rules, bool allChannels) => rules
        .Select(rule => (Rule: rule, Error: Apply(rule, allChannels)))
        .Where(applied => applied.Error != AclRuleError.None);

    private bool TrySetState(ReadOnlySpan<byte> rule)
    {
        bool on = Is("on"u8, rule);
        bool nopass = Is("nopass"u8, rule);
        bool sanitize = Is("sanitize-payload"u8, rule);
        if (on || Is("off"u8, rule))
        {
            IsEnabled = on;
        }
        else if (nopass || Is("resetpass"u8, rule))
        {
            _needsNoPassword = nopass;
            _passwords.Clear();
        }
        else if (sanitize || Is("skip-sanitize-payload"u8, rule))
        {
            SanitizesPayloads = sanitize;
        }
        else if (Is("clearselectors"u8, rule))
        {
            _selectors.RemoveRange(1, _selectors.Count - 1);
        }
        else
        {
            return false;
        }

        return true;

        static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> rule) => Ascii.EqualsIgnoreCase(word, rule);
    }

    private void Reset(bool allChannels)
    {
        IsEnabled = false;
        _needsNoPassword = false;
        SanitizesPayloads = true;
        _passwords.Clear();
        Root = new AclSelector(_known, allChannels);
        _selectors = [Root];
    }

    private AclRuleError ChangeHash(ReadOnlySpan<byte> rule)
    {
        if (PasswordHash.Parse(rule[1..]) is not { } hash)
        {
            return AclRuleError.BadHash;
        }

        if (rule[0] == '!')
        {
            return RemovePassword(hash);
        }

        AddPassword(hash);
        return AclRuleError.None;
    }

    private void AddPassword(PasswordHash hash)
    {
        if (!_passwords.Exists(hash.IsSame))
        {
            _passwords.Add(hash);
        }

        _needsNoPassword = false;
    }

    private AclRuleError RemovePassword(PasswordHash hash) =>
        _passwords.RemoveAll(hash.IsSame) > 0 ? AclRuleError.None : AclRuleError.NoSuchPassword;

    // Words in quotes are allowed in here; what is not quoted well makes an empty selector, as on the reference server.
    private AclRuleError AddSelector(ReadOnlySpan<byte> rules, bool allChannels)
    {
        AclSelector selector = new(_known, allChannels);
        foreach (string word in ConfigText.Split(ConfigText.FromBytes(rules)) ?? [])
        {
            // Where it is written down later, such a word would end the selector.
            AclRuleError error = word.EndsWith(')') ? AclRuleError.Syntax : selector.Apply(ConfigText.ToBytes(word));
            if (error != AclRuleError.None)
            {
                return error;
            }
        }

        _selectors.Add(selector);
        return AclRuleError.None;
    }
}
