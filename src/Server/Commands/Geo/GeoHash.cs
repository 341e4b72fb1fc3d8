namespace KvServer.Server.Commands.Geo;

/// <summary>Positions as scores of a sorted set, and as text.</summary>
/// <remarks>Scores, and every bit of what is read back from them, are those of the reference server.</remarks>
internal static class GeoHash
{
    /// <summary>Characters that <see cref="WriteText"/> writes.</summary>
    public const int TextLength = 11;

    private const double TwoTo63 = 9223372036854775808;
    private const int BitsPerCharacter = 5;

    private static ReadOnlySpan<byte> Alphabet => "0123456789bcdefghjkmnpqrstuvwxyz"u8;

    /// <summary>The score under which a valid position is kept: the number of its smallest cell.</summary>
    public static double ScoreOf(GeoPosition position) => GeoCell.Of(position, GeoCell.MaxStep).Number;

    /// <summary>The middle of the cell that a score names.</summary>
    /// <param name="score">Any score: commands on sorted sets can give members such that no position has.</param>
    public static GeoPosition PositionOf(double score)
    {
        GeoBounds cell = GeoCell.OfNumber(ToBits(score)).Bounds;
        return new GeoPosition(
            Math.Clamp((cell.West + cell.East) / 2, -GeoPosition.MaxLongitude, GeoPosition.MaxLongitude),
            Math.Clamp((cell.South + cell.North) / 2, -GeoPosition.MaxLatitude, GeoPosition.MaxLatitude));
    }

    /// <summary>Writes a position as a standard geohash, whose map reaches to the poles. The 52 bits make ten
    /// characters; the last one is always a zero.</summary>
    public static void WriteText(GeoPosition position, Span<byte> target)
    {
        ulong bits = GeoCell.Of(position, GeoCell.MaxStep, maxLatitude: 90).Number;
        for (int i = 0; i < TextLength - 1; i++)
        {
            int shift = (2 * GeoCell.MaxStep) - ((i + 1) * BitsPerCharacter);
            target[i] = Alphabet[(int)(bits >> shift) & 31];
        }

        target[TextLength - 1] = Alphabet[0];
    }

    // What an x86-64 processor makes of a double that is to become an unsigned integer, out of range too.
    private static ulong ToBits(double score)
    {
        return score < TwoTo63 ? Truncate(score) : Truncate(score - TwoTo63) ^ (1UL << 63);

        static ulong Truncate(double value) => value is >= -TwoTo63 and < TwoTo63 ? (ulong)(long)value : 1UL << 63;
    }
}
