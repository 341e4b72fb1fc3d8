namespace KvServer.Durability.Tests.Traffic;

/// <summary>What a key holds, or may hold where the server chose and the answer was lost.</summary>
internal sealed class ModelValue
{
    /// <summary>The string; null for a set.</summary>
    public string? Text { get; set; }

    /// <summary>The members; null for a string.</summary>
    public HashSet<string>? Members { get; init; }

    /// <summary>The earliest time it may expire, in milliseconds since 1970; 0 for never.</summary>
    public long ExpiresFromMs { get; set; }

    /// <summary>The latest time it may expire.</summary>
    public long ExpiresToMs { get; set; }

    /// <summary>Whether one member more is gone, nobody knows which.</summary>
    public bool LacksOne { get; set; }

    /// <summary>A copy that shares nothing.</summary>
    public ModelValue Clone() => new()
    {
        Text = Text,
        Members = Members is null ? null : new HashSet<string>(Members, StringComparer.Ordinal),
        ExpiresFromMs = ExpiresFromMs,
        ExpiresToMs = ExpiresToMs,
        LacksOne = LacksOne,
    };

    /// <summary>Whether a value that was found can be this one.</summary>
    /// <param name="found">A value whose expiry time is exact.</param>
    public bool Allows(ModelValue found)
    {
        if (found.ExpiresFromMs < ExpiresFromMs || found.ExpiresToMs > ExpiresToMs)
        {
            return false;
        }

        if (Members is null || found.Members is null)
        {
            return Members is null && found.Members is null && string.Equals(Text, found.Text, StringComparison.Ordinal);
        }

        return found.Members.Count == Members.Count - (LacksOne ? 1 : 0) && found.Members.IsSubsetOf(Members);
    }

    /// <summary>A short description.</summary>
    public override string ToString()
    {
        string value = Members is null
            ? Shorten(Text!)
            : $"{{{Shorten(string.Join(',', Members.Order(StringComparer.Ordinal)))}}} of {Members.Count}";
        return value + (ExpiresFromMs == 0 ? "" : $" until {ExpiresFromMs}..{ExpiresToMs}");
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : $"{text[..60]}... of {text.Length}";
}
