using System.Collections.Frozen;

namespace KvServer.Server.Commands;

/// <summary>Reads the one-line notation of a command's arguments into the tree that COMMAND DOCS shows.</summary>
/// <remarks>
/// <para>The notation is that of usage lines. Arguments stand in order, separated by spaces:</para>
/// <code>
/// key value                     values, lower case: the word is the name, the type follows from it (see below)
/// GET  'm'  =  *  ~  $          tokens: upper case, a sign, or anything in single quotes; name is the lower-cased token
/// EX seconds                    a token binds to the value or the (group) that follows it: name "seconds", token EX
/// [COUNT count]                 optional
/// key...                        multiple; [x...] is optional and multiple
/// [GET pattern]...              optional and multiple; with a token inside, each repetition repeats the token
/// [NX|XX]  (ON|OFF)             a choice (oneof); named after its members, nx_xx
/// (field value)...              a block of several; named after its members, field_value
/// [LIMIT offset count]          in brackets or as an alternative several arguments make a block; the token is the block's
/// (TYPE type)                   unnamed parentheses around one argument only group: its token stays its own
/// </code>
/// <para>Additions:</para>
/// <code>
/// name:...                      a name of one's own, for what follows: threshold:double, change:CH, mode:(WRITE|ALL)
/// [condition:NX|XX]             at the start of brackets, parentheses or an alternative it names the whole of it,
/// [trim:strategy:(A|B) count]   so a named first member takes a second one
/// id:(client-id...)             a named group is a block even when it holds one argument
/// increment:double              the type said outright: key integer double string pattern unix-time
/// {ip:port}:string              braces around names with unusual signs
/// KEEPTTL@6.0.0  [GET]@6.2.0    the version that added it; @!2.8.12 the one that deprecated it
/// pattern#1                     the key specification it falls under; keys count up from 0 by themselves, and stay at
///                               the last specification there is
/// </code>
/// <para>Types: a few well-known names are keys, integers, doubles, patterns or instants
/// (<c>key destination numkeys count seconds score unix-time-seconds ...</c>), every other name is a string.
/// <c>SET</c> in full: <c>key value [condition:NX|XX]@2.6.12 [GET]@6.2.0
/// [expiration:EX seconds@2.6.12|PX milliseconds@2.6.12|EXAT unix-time-seconds@6.2.0|PXAT
/// unix-time-milliseconds@6.2.0|KEEPTTL@6.0.0]</c>.</para>
/// <para>Parsed when COMMAND DOCS first asks for the command; a test parses all of them.</para>
/// </remarks>
internal sealed class CommandSyntax
{
    private static readonly FrozenDictionary<string, CommandArgumentType> TypesByWord =
        new Dictionary<string, CommandArgumentType>(StringComparer.Ordinal)
        {
            ["string"] = CommandArgumentType.String,
            ["integer"] = CommandArgumentType.Integer,
            ["double"] = CommandArgumentType.Double,
            ["key"] = CommandArgumentType.Key,
            ["pattern"] = CommandArgumentType.Pattern,
            ["unix-time"] = CommandArgumentType.UnixTime,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, CommandArgumentType> TypesByName = NamesOf(
        (CommandArgumentType.Key, "key key1 key2 destination newkey source destkey sourcekey dst src"),
        (CommandArgumentType.Integer, "numkeys weight offset count cursor ttl seconds milliseconds ms frequency version db "
            + "index index1 index2 bit bits entries_added entries_read numreplicas port destination-db len rank num-matches "
            + "slot start-slot end-slot config-epoch cluster_bus_port increment decrement protover limit client-id timeout "
            + "start end stop min-idle-time"),
        (CommandArgumentType.Double, "longitude latitude radius width height score"),
        (CommandArgumentType.Pattern, "pattern"),
        (CommandArgumentType.UnixTime, "unix-time-seconds unix-time-milliseconds"));

    private readonly string _text;
    private readonly int _keySpecCount;
    private int _at;
    private int _nextKeySpec;

    private CommandSyntax(string text, int keySpecCount)
    {
        _text = text;
        _keySpecCount = keySpecCount;
    }

    private bool AtEnd => _at >= _text.Length;

    /// <summary>Reads <paramref name="syntax"/>. O(length), on any thread.</summary>
    /// <param name="syntax">The notation above; empty for a command without arguments.</param>
    /// <param name="keySpecCount">Key specifications the command has.</param>
    /// <exception cref="FormatException">The text is not of the notation; the message shows where.</exception>
    public static IReadOnlyList<CommandArgument> Parse(string syntax, int keySpecCount)
    {
        CommandSyntax parser = new(syntax, keySpecCount);
        List<Item> items = parser.ReadItems();
        return parser.AtEnd ? [.. Bind(items).Select(item => item.Build())] : throw parser.Bad("unexpected sign");
    }

    private static FrozenDictionary<string, CommandArgumentType> NamesOf(
        params (CommandArgumentType Type, string Names)[] types) =>
        types.SelectMany(type => type.Names.Split(' '), (type, name) => KeyValuePair.Create(name, type.Type))
            .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Items up to the end, a closing bracket or a bar; tokens are not bound yet.</summary>
    private List<Item> ReadItems()
    {
        List<Item> items = [];
        while (true)
        {
            while (!AtEnd && _text[_at] == ' ')
            {
                _at++;
            }

            if (AtEnd || _text[_at] is ']' or ')' or '|')
            {
                return items;
            }

            items.Add(ReadItem());
        }
    }

    private Item ReadItem()
    {
        string? name = TryReadName();
        Item item = _text[_at] switch
        {
            '[' => ReadBody(']', isOptional: true),
            '(' => ReadBody(')', isOptional: false, isNamed: name is not null),
            _ => ReadWord(),
        };
        if (name is not null && item.IsWord && TypesByWord.TryGetValue(item.Name, out CommandArgumentType type))
        {
            item.Type = type;
        }

        item.Name = name ?? item.Name;
        item.IsNamed |= name is not null;
        ReadSuffixes(item);
        if (item.Type == CommandArgumentType.Key && item.KeySpecIndex < 0 && _keySpecCount > 0)
        {
            item.KeySpecIndex = Math.Min(_nextKeySpec++, _keySpecCount - 1);
        }

        return item;
    }

    /// <summary>What stands between brackets: a choice of sequences or a single one.</summary>
    private Item ReadBody(char close, bool isOptional, bool isNamed = false)
    {
        _at++;
        string? name = TryReadGroupName();
        List<Item> alternatives = [];
        while (true)
        {
            string? alternativeName = alternatives.Count > 0 ? TryReadGroupName() : null;
            List<Item> items = ReadItems();
            if (items.Count == 0)
            {
                throw Bad("nothing between brackets or bars");
            }

            bool isAlternative = alternatives.Count > 0 || (!AtEnd && _text[_at] == '|');
            bool isBlock = isNamed && !isAlternative;
            Item sequence = Combine(items, isBlock);
            Rename(sequence, alternativeName);
            alternatives.Add(sequence);
            if (AtEnd)
            {
                throw Bad("a bracket is not closed");
            }

            if (_text[_at++] == close)
            {
                break;
            }

            if (_text[_at - 1] != '|')
            {
                throw Bad("brackets do not match");
            }
        }

        Item result = alternatives.Count > 1
            ? new Item(JoinNames(alternatives), CommandArgumentType.OneOf) { Members = alternatives }
            : alternatives[0];
        Rename(result, name);
        result.IsOptional |= isOptional;
        result.IsWord = false;
        return result;
    }

    private static void Rename(Item item, string? name)
    {
        item.Name = name ?? item.Name;
        item.IsNamed |= name is not null;
    }

    /// <summary>One sequence as one argument: itself when it is one, else a block, whose token leads it.</summary>
    private static Item Combine(List<Item> items, bool isBlock)
    {
        string? token = null;
        if (!isBlock && items.Count > 2 && items[0].IsToken && items[1].CanFollowToken)
        {
            token = items[0].Token;
            items.RemoveAt(0);
        }

        List<Item> bound = Bind(items);
        return bound.Count == 1 && !isBlock
            ? bound[0]
            : new Item(JoinNames(bound), CommandArgumentType.Block) { Members = bound, Token = token };
    }

    /// <summary>Joins each token with the value or the group that follows it.</summary>
    private static List<Item> Bind(List<Item> items)
    {
        List<Item> bound = [];
        for (int i = 0; i < items.Count; i++)
        {
            Item item = items[i];
            if (item.IsToken && i + 1 < items.Count && items[i + 1].CanFollowToken)
            {
                Item value = items[++i];
                value.Token = item.Token;
                value.Name = item.IsNamed ? item.Name : value.Name;
                item = value;
            }

            bound.Add(item);
        }

        return bound;
    }

    private Item ReadWord()
    {
        int start = _at;
        if (_text[_at] == '\'')
        {
            int end = _text.IndexOf('\'', _at + 1);
            _at = end < 0 ? throw Bad("a quote is not closed") : end + 1;
            string quoted = _text[(start + 1)..end];
            return new Item(quoted.ToLowerInvariant(), CommandArgumentType.PureToken) { Token = quoted, IsWord = true };
        }

        while (!AtEnd && !IsWordEnd())
        {
            _at++;
        }

        string word = _text[start.._at];
        if (word.Length == 0)
        {
            throw Bad("a word is missing");
        }

        if (!word.Any(char.IsAsciiLetterLower))
        {
            return new Item(word.ToLowerInvariant(), CommandArgumentType.PureToken) { Token = word, IsWord = true };
        }

        CommandArgumentType type = TypesByName.GetValueOrDefault(word, CommandArgumentType.String);
        return new Item(word, type) { IsWord = true };
    }

    private bool IsWordEnd() =>
        _text[_at] is ' ' or '[' or ']' or '(' or ')' or '|' or '@' or '#' or ':'
        || string.CompareOrdinal(_text, _at, "...", 0, 3) == 0;

    private void ReadSuffixes(Item item)
    {
        while (!AtEnd)
        {
            if (string.CompareOrdinal(_text, _at, "...", 0, 3) == 0)
            {
                _at += 3;
                item.IsMultiple = true;
                item.RepeatsToken |= item.Token is not null && item.Type != CommandArgumentType.PureToken;
            }
            else if (_text[_at] == '#')
            {
                _at++;
                item.KeySpecIndex = ReadSuffix()[0] - '0';
            }
            else if (_text[_at] == '@')
            {
                _at++;
                string version = ReadSuffix();
                if (version[0] == '!')
                {
                    item.DeprecatedSince = version[1..];
                }
                else
                {
                    item.Since = version;
                }
            }
            else
            {
                return;
            }
        }
    }

    private string ReadSuffix()
    {
        int start = _at;
        while (!AtEnd && (char.IsAsciiDigit(_text[_at]) || _text[_at] == '!' || IsDotOfVersion()))
        {
            _at++;
        }

        return _at > start ? _text[start.._at] : throw Bad("a number is missing");
    }

    private bool IsDotOfVersion() =>
        _text[_at] == '.' && _at + 1 < _text.Length && char.IsAsciiDigit(_text[_at + 1]);

    /// <summary>The name of a whole group: a name before anything but one of the type words.</summary>
    private string? TryReadGroupName()
    {
        int start = _at;
        string? name = TryReadName();
        if (name is null)
        {
            return null;
        }

        int wordStart = _at;
        while (!AtEnd && (char.IsAsciiLetterLower(_text[_at]) || _text[_at] == '-'))
        {
            _at++;
        }

        bool isType = TypesByWord.ContainsKey(_text[wordStart.._at]);
        _at = isType ? start : wordStart;
        return isType ? null : name;
    }

    /// <summary>A lower-case word or braces, closed by a colon; else nothing is consumed.</summary>
    private string? TryReadName()
    {
        int end = _at;
        if (!AtEnd && _text[_at] == '{')
        {
            end = _text.IndexOf('}', _at);
            if (end < 0 || end + 1 >= _text.Length || _text[end + 1] != ':')
            {
                throw Bad("a name in braces lacks its end");
            }

            string braced = _text[(_at + 1)..end];
            _at = end + 2;
            return braced;
        }

        while (end < _text.Length && (char.IsAsciiLetterLower(_text[end]) || char.IsAsciiDigit(_text[end])
            || _text[end] is '-' or '_'))
        {
            end++;
        }

        if (end == _at || end + 1 >= _text.Length || _text[end] != ':')
        {
            return null;
        }

        string name = _text[_at..end];
        _at = end + 1;
        return name;
    }

    private static string JoinNames(List<Item> items) => string.Join('_', items.Select(item => item.Name));

    private FormatException Bad(string what) => new($"Command syntax \"{_text}\", at {_at}: {what}.");

    /// <summary>An argument in the making.</summary>
    private sealed class Item(string name, CommandArgumentType type)
    {
        public string Name { get; set; } = name;

        public CommandArgumentType Type { get; set; } = type;

        public bool IsNamed { get; set; }

        /// <summary>Came as a bare word, outside any brackets of its own.</summary>
        public bool IsWord { get; set; }

        public string? Token { get; set; }

        public int KeySpecIndex { get; set; } = -1;

        public string Since { get; set; } = "";

        public string DeprecatedSince { get; set; } = "";

        public bool IsOptional { get; set; }

        public bool IsMultiple { get; set; }

        public bool RepeatsToken { get; set; }

        public List<Item> Members { get; init; } = [];

        public bool IsToken => Type == CommandArgumentType.PureToken && IsWord && !IsMultiple;

        public bool CanFollowToken => Type != CommandArgumentType.PureToken && !IsOptional && Token is null;

        public CommandArgument Build() => new()
        {
            Name = Name,
            Type = Type,
            KeySpecIndex = KeySpecIndex,
            Token = Token,
            Since = Since,
            DeprecatedSince = DeprecatedSince,
            IsOptional = IsOptional,
            IsMultiple = IsMultiple,
            RepeatsToken = RepeatsToken,
            Arguments = [.. Members.Select(member => member.Build())],
        };
    }
}
