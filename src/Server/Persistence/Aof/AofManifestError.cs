namespace KvServer.Server.Persistence.Aof;

/// <summary>Why a manifest cannot be read.</summary>
/// <param name="Line">The line, counted from 1; 0 when no line is to blame.</param>
/// <param name="Text">The line's text where it could be read, else empty; dots for what is not printable.</param>
/// <param name="Reason">What is wrong, in redis-server's words.</param>
internal readonly record struct AofManifestError(int Line, string Text, string Reason)
{
    /// <summary>All of it on one line, fit for a log.</summary>
    public override string ToString() =>
        Line == 0 ? Reason
        : Text.Length == 0 ? $"{Reason} (line {Line})"
        : $"{Reason} (line {Line}: '{Text}')";
}
