namespace KvServer.Server.Persistence;

/// <summary>Bytes of a file as reports show them.</summary>
internal static class ReportText
{
    /// <summary>The bytes as text, with a dot for each that is no printable ASCII.</summary>
    /// <remarks>A file from who knows where writes no escape sequences to a terminal.</remarks>
    public static string Printable(ReadOnlySpan<byte> bytes) => string.Create(bytes.Length, bytes, static (text, source) =>
    {
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = source[i] is >= (byte)' ' and <= (byte)'~' ? (char)source[i] : '.';
        }
    });
}
