using KvServer.Resp;

namespace KvServer.Server.Commands.Geo;

/// <summary>Distances and coordinates as clients see them.</summary>
internal static class GeoReply
{
    private const int Decimals = 4;
    private const int DecimalsScale = 10_000;

    // At most three digits before the point and 17 behind it, with a sign.
    private const int MaxCoordinateChars = 32;

    /// <summary>Writes a distance with four decimals, as a bulk string in both protocols.</summary>
    public static void Distance(ReplyWriter reply, double distance)
    {
        Span<byte> text = stackalloc byte[Numbers.MaxInt64Chars + 2];
        long scaled = (long)Math.Round(distance * DecimalsScale);
        int length = Numbers.FormatInt64(scaled / DecimalsScale, text);
        text[length++] = (byte)'.';
        long fraction = scaled % DecimalsScale;
        for (int i = Decimals - 1; i >= 0; i--)
        {
            text[length + i] = (byte)('0' + (fraction % 10));
            fraction /= 10;
        }

        reply.BulkString(text[..(length + Decimals)]);
    }

    /// <summary>Writes longitude and latitude with up to 17 decimals.</summary>
    public static void Position(ReplyWriter reply, GeoPosition position)
    {
        reply.Array(2);
        Coordinate(reply, position.Longitude);
        Coordinate(reply, position.Latitude);
    }

    private static void Coordinate(ReplyWriter reply, double degrees)
    {
        Span<byte> text = stackalloc byte[MaxCoordinateChars];
        text = text[..ExtendedDouble.FromDouble(degrees).Format(text)];
        if (reply.Protocol == 2)
        {
            reply.BulkString(text);
        }
        else
        {
            reply.DoubleText(text);
        }
    }
}
