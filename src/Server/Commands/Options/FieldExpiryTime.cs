using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands.Options;

/// <summary>Reads when fields of a hash expire.</summary>
internal static class FieldExpiryTime
{
    /// <summary>Reads an instant or a time to live.</summary>
    /// <param name="text">The number.</param>
    /// <param name="kind">What it counts, and from when.</param>
    /// <param name="nowMs">Now, in milliseconds since 1970.</param>
    /// <param name="displayName">The command's name for the error.</param>
    /// <param name="expireAtMs">The instant in milliseconds since 1970, at least 0.</param>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> text,
        ExpiryKind kind,
        long nowMs,
        string displayName,
        out long expireAtMs,
        out ReadOnlySpan<byte> error)
    {
        error = default;
        expireAtMs = 0;
        if (!Numbers.TryParseInt64(text, out long time))
        {
            error = CommandError.NotAnInteger;
            return false;
        }

        if (time < 0)
        {
            error = "ERR invalid expire time, must be >= 0"u8;
            return false;
        }

        bool inSeconds = kind is ExpiryKind.Seconds or ExpiryKind.AtSeconds;
        long baseMs = kind is ExpiryKind.Seconds or ExpiryKind.Milliseconds ? nowMs : 0;
        if (time > (HashValue.MaxExpireAtMs - baseMs) / (inSeconds ? 1000 : 1))
        {
            error = CommandError.InvalidExpire(displayName);
            return false;
        }

        expireAtMs = (inSeconds ? time * 1000 : time) + baseMs;
        return true;
    }
}
