using KvServer.Server.Text;

namespace KvServer.Server.Acl;

/// <summary>A glob for keys, with what may be done with those it matches. Immutable.</summary>
internal sealed class AclKeyPattern
{
    private readonly int _prefixBytes;

    public AclKeyPattern(byte[] pattern, KeyRights rights)
    {
        Pattern = pattern;
        Rights = rights;
        int special = pattern.AsSpan().IndexOfAny("*?[\\"u8);
        _prefixBytes = special < 0 ? pattern.Length : special;
        if (special > 0 && special == pattern.Length - 1 && pattern[special] == '*')
        {
            Prefix = pattern[..special];
        }
    }

    public byte[] Pattern { get; }

    public KeyRights Rights { get; }

    /// <summary>What keys begin with, for a pattern that is some bytes and a star; else null.</summary>
    public byte[]? Prefix { get; }

    /// <summary>Whether the pattern matches a key. Most patterns begin with literal bytes, and those decide most keys.</summary>
    public bool Matches(ReadOnlySpan<byte> key) =>
        key.StartsWith(Pattern.AsSpan(0, _prefixBytes))
        && (Prefix is not null || Glob.IsMatch(Pattern, key));

    /// <summary>The rule that adds it: <c>~pattern</c>, <c>%R~pattern</c> or <c>%W~pattern</c>.</summary>
    public byte[] ToRule() => Rights switch
    {
        KeyRights.Read => [.. "%R~"u8, .. Pattern],
        KeyRights.Write => [.. "%W~"u8, .. Pattern],
        _ => [.. "~"u8, .. Pattern],
    };
}
