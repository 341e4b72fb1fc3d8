namespace KvServer.Server.Clients;

/// <summary>The rules for what a client may say about itself: its name, its library.</summary>
internal static class ClientAttribute
{
    public static ReadOnlySpan<byte> InvalidName =>
        "ERR Client names cannot contain spaces, newlines or special characters."u8;

    /// <summary>True for printable ASCII without spaces, which is what a line of CLIENT LIST can hold.</summary>
    public static bool IsValid(ReadOnlySpan<byte> value) => value.IndexOfAnyExceptInRange((byte)'!', (byte)'~') < 0;
}
