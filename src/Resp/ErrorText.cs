using System.Buffers;

namespace KvServer.Resp;

/// <summary>Makes one line of an error text that holds line ends.</summary>
internal static class ErrorText
{
    private const int OnStackBytes = 512;

    /// <summary>Writes the parts as one text: line ends at both ends are dropped, those inside become spaces.</summary>
    public static void Write(
        ReplyWriter reply, ReadOnlySpan<byte> before, ReadOnlySpan<byte> middle, ReadOnlySpan<byte> after)
    {
        int length = before.Length + middle.Length + after.Length;
        byte[]? rented = length > OnStackBytes ? ArrayPool<byte>.Shared.Rent(length) : null;
        Span<byte> text = rented is null ? stackalloc byte[OnStackBytes] : rented;
        before.CopyTo(text);
        middle.CopyTo(text[before.Length..]);
        after.CopyTo(text[(before.Length + middle.Length)..]);
        text = text[..length].Trim("\r\n"u8);
        text.Replace((byte)'\r', (byte)' ');
        text.Replace((byte)'\n', (byte)' ');
        reply.Raw(text);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
