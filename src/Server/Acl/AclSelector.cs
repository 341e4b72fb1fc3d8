using System.Runtime.CompilerServices;
using System.Text;
using KvServer.Server.Text;

namespace KvServer.Server.Acl;

/// <summary>A set of rights: commands, keys and channels. A user has one, the root, and any number of further ones; a call is
/// allowed when one of them allows all of it.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class AclSelector
{
    private readonly KnownCommands _known;
    private readonly CommandBits _allowed;
    private readonly List<AclKeyPattern> _patterns = [];
    private readonly List<byte[]> _channels = [];

    // By the rights that are needed; made when they are first asked for.
    private readonly AclKeyTable?[] _tables = new AclKeyTable?[(int)KeyRights.All + 1];
    private Dictionary<int, List<byte[]>>? _firstArgs;
    private byte[]? _commandRules;

    /// <summary>A selector without rights, but to all channels where that is the default.</summary>
    public AclSelector(KnownCommands known, bool allChannels)
    {
        _known = known;
        _allowed = new CommandBits(known.BitCount);
        AllChannels = allChannels;
    }

    private AclSelector(AclSelector other)
        : this(other._known, other.AllChannels)
    {
        AllKeys = other.AllKeys;
        AllCommands = other.AllCommands;
        _allowed.CopyFrom(other._allowed);
        _patterns.AddRange(other._patterns);
        _channels.AddRange(other._channels);
        _firstArgs = other._firstArgs?.ToDictionary(pair => pair.Key, pair => new List<byte[]>(pair.Value));
        _commandRules = other._commandRules;
    }

    /// <summary>Whether every key may be used in every way: <c>~*</c>.</summary>
    public bool AllKeys { get; private set; }

    /// <summary>Whether every channel may be used: <c>&amp;*</c>.</summary>
    public bool AllChannels { get; private set; }

    /// <summary>Whether every command may be called: <c>+@all</c> and nothing taken away since.</summary>
    public bool AllCommands { get; private set; }

    /// <summary>Whether it allows everything there is.</summary>
    public bool IsUnrestricted => AllKeys && AllChannels && AllCommands;

    /// <summary>The patterns of keys in the order they came, each once; none where <see cref="AllKeys"/>.</summary>
    public IReadOnlyList<AclKeyPattern> Patterns => _patterns;

    /// <summary>The patterns of channels in the order they came, each once; none where <see cref="AllChannels"/>.</summary>
    public IReadOnlyList<byte[]> Channels => _channels;

    /// <summary>The commands allowed, as the rules that lead there. Computed once after each change.</summary>
    public byte[] CommandRules => _commandRules ??= AclCommandRules.Describe(_known, _allowed, _firstArgs);

    /// <summary>A selector with the same rights that changes on its own.</summary>
    public AclSelector Copy() => new(this);

    /// <summary>Whether a command may be called with whatever arguments.</summary>
    public bool AllowsCommand(int id) => AllCommands || _allowed[id];

    /// <summary>Whether a command may be called as far as the command itself goes.</summary>
    public bool AllowsCommand(int id, Resp.Arguments args)
    {
        if (AllowsCommand(id))
        {
            return true;
        }

        if (_firstArgs is null || args.Count < 2 || !_firstArgs.TryGetValue(id, out List<byte[]>? firstArgs))
        {
            return false;
        }

        foreach (byte[] firstArg in firstArgs)
        {
            if (Ascii.EqualsIgnoreCase(firstArg, args[1]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a key may be used in some ways. See <see cref="AclKeyTable.Matches"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool AllowsKey(ReadOnlySpan<byte> key, KeyRights rights) =>
        AllKeys || (_tables[(int)rights] ??= new AclKeyTable(_patterns, rights)).Matches(key);

    /// <summary>Whether every key may be used in some ways.</summary>
    public bool AllowsAnyKey(KeyRights rights) => AllKeys
        || _patterns.Exists(pattern => pattern.Pattern is [(byte)'*'] && (pattern.Rights & rights) == rights);

    /// <summary>Whether a channel may be used. O(patterns).</summary>
    /// <param name="channel">The channel, or the pattern of a subscription.</param>
    /// <param name="isPattern">Then it must be one of the allowed ones, literally.</param>
    public bool AllowsChannel(ReadOnlySpan<byte> channel, bool isPattern) =>
        AllChannels || Covers(_channels, channel, isPattern);

    /// <summary>Whether patterns cover a channel, or contain a pattern literally.</summary>
    public static bool Covers(List<byte[]> patterns, ReadOnlySpan<byte> channel, bool isPattern)
    {
        foreach (byte[] pattern in patterns)
        {
            if (isPattern ? channel.SequenceEqual(pattern) : Glob.IsMatch(pattern, channel))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Applies one rule about commands, keys or channels.</summary>
    /// <returns>What is wrong with it; nothing has changed then.</returns>
    public AclRuleError Apply(ReadOnlySpan<byte> rule)
    {
        if (Is("allkeys"u8, rule) || rule.SequenceEqual("~*"u8) || Is("resetkeys"u8, rule))
        {
            AllKeys = !Is("resetkeys"u8, rule);
            _patterns.Clear();
            Array.Clear(_tables);
            return AclRuleError.None;
        }

        if (Is("allchannels"u8, rule) || rule.SequenceEqual("&*"u8) || Is("resetchannels"u8, rule))
        {
            AllChannels = !Is("resetchannels"u8, rule);
            _channels.Clear();
            return AclRuleError.None;
        }

        bool all = Is("allcommands"u8, rule) || Is("+@all"u8, rule);
        if (all || Is("nocommands"u8, rule) || Is("-@all"u8, rule))
        {
            _allowed.Fill(all);
            AllCommands = all;
            _firstArgs = null;
            _commandRules = null;
            return AclRuleError.None;
        }

        return rule.IsEmpty ? AclRuleError.Syntax : rule[0] switch
        {
            (byte)'~' or (byte)'%' => AddPattern(rule),
            (byte)'&' => AddChannel(rule[1..]),
            (byte)'+' or (byte)'-' when rule.Length > 1 && rule[1] == '@' => ChangeCategory(rule[2..], rule[0] == '+'),
            (byte)'+' => Allow(rule[1..]),
            (byte)'-' => Forbid(rule[1..]),
            _ => AclRuleError.Syntax,
        };
    }

    private static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> rule) => Ascii.EqualsIgnoreCase(word, rule);

    private AclRuleError AddPattern(ReadOnlySpan<byte> rule)
    {
        if (AllKeys)
        {
            return AclRuleError.PatternAfterAllKeys;
        }

        KeyRights rights = KeyRights.All;
        ReadOnlySpan<byte> pattern = rule[1..];
        if (rule[0] == '%' && !TryReadRights(ref pattern, out rights))
        {
            return AclRuleError.Syntax;
        }

        if (AclWords.HasSpace(pattern))
        {
            return AclRuleError.Syntax;
        }

        byte[] bytes = pattern.ToArray();
        int at = _patterns.FindIndex(other => other.Pattern.AsSpan().SequenceEqual(bytes));
        if (at < 0)
        {
            _patterns.Add(new AclKeyPattern(bytes, rights));
        }
        else
        {
            _patterns[at] = new AclKeyPattern(bytes, _patterns[at].Rights | rights);
        }

        Array.Clear(_tables);
        return AclRuleError.None;
    }

    // The letters up to the ~; where there is none the pattern is empty, as on the reference server.
    private static bool TryReadRights(ref ReadOnlySpan<byte> rest, out KeyRights rights)
    {
        rights = KeyRights.None;
        while (!rest.IsEmpty)
        {
            byte sign = rest[0];
            rest = rest[1..];
            if (sign == '~')
            {
                break;
            }

            KeyRights right = (sign | 0x20) switch
            {
                'r' => KeyRights.Read,
                'w' => KeyRights.Write,
                _ => KeyRights.None,
            };
            if (right == KeyRights.None || (rights & right) != 0)
            {
                return false;
            }

            rights |= right;
        }

        return rights != KeyRights.None;
    }

    private AclRuleError AddChannel(ReadOnlySpan<byte> pattern)
    {
        if (AllChannels)
        {
            return AclRuleError.PatternAfterAllChannels;
        }

        if (AclWords.HasSpace(pattern))
        {
            return AclRuleError.Syntax;
        }

        if (!Covers(_channels, pattern, isPattern: true))
        {
            _channels.Add(pattern.ToArray());
        }

        return AclRuleError.None;
    }

    private AclRuleError ChangeCategory(ReadOnlySpan<byte> name, bool allow)
    {
        if (_known.FindCategory(name) is not { } category)
        {
            return AclRuleError.UnknownCommand;
        }

        _allowed.Set(category.Changed, allow);
        AllCommands &= allow;
        foreach (int id in _firstArgs?.Keys.Where(id => category.Changed[id]).ToArray() ?? [])
        {
            _firstArgs!.Remove(id);
        }

        _commandRules = null;
        return AclRuleError.None;
    }

    private AclRuleError Allow(ReadOnlySpan<byte> name)
    {
        int bar = name.LastIndexOf((byte)'|');
        if (bar < 0)
        {
            return Change(_known.Find(name), allow: true);
        }

        if (_known.Find(name[..bar]) is not { } command)
        {
            return AclRuleError.UnknownCommand;
        }

        if (command.Container is not null)
        {
            return AclRuleError.FirstArgOfSubcommand;
        }

        ReadOnlySpan<byte> word = name[(bar + 1)..];
        if (word.IsEmpty)
        {
            return AclRuleError.Syntax;
        }

        if (command.Subcommands.Count > 0)
        {
            return Change(_known.Find(name), allow: true);
        }

        // In an ACL file it would be several words, or the line of another user.
        if (AclWords.HasSpace(word))
        {
            return AclRuleError.Syntax;
        }

        _firstArgs ??= [];
        if (!_firstArgs.TryGetValue(command.Id, out List<byte[]>? firstArgs))
        {
            _firstArgs.Add(command.Id, firstArgs = []);
        }

        byte[] firstArg = word.ToArray();
        if (!firstArgs.Exists(other => Ascii.EqualsIgnoreCase(other, firstArg)))
        {
            firstArgs.Add(firstArg);
        }

        _commandRules = null;
        return AclRuleError.None;
    }

    private AclRuleError Forbid(ReadOnlySpan<byte> name) => Change(_known.Find(name), allow: false);

    private AclRuleError Change(KnownCommand? command, bool allow)
    {
        if (command is null)
        {
            return AclRuleError.UnknownCommand;
        }

        _allowed[command.Id] = allow;
        foreach (KnownCommand subcommand in command.Subcommands)
        {
            _allowed[subcommand.Id] = allow;
        }

        AllCommands &= allow;
        _firstArgs?.Remove(command.Id);
        _commandRules = null;
        return AclRuleError.None;
    }
}
