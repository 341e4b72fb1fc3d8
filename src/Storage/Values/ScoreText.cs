using System.Globalization;

namespace KvServer.Storage;

/// <summary>Scores as packed lists hold them: integers where they are whole, otherwise text.</summary>
/// <remarks>The text is the shortest that reads back as the same number: "0.1" and not the 17 digits that the reference
/// server 7.0 writes, which reads it all the same. It takes a third of the room and a third of the time.</remarks>
public static class ScoreText
{
    /// <summary>The most characters <see cref="Format"/> writes.</summary>
    public const int MaxLength = 32;

    // Beyond this the reference server does not try to see an integer in a score.
    private const double MaxInteger = long.MaxValue / 2;

    /// <summary>The integer that stands for a score in a packed list. Minus zero becomes zero there.</summary>
    internal static bool TryGetInteger(double score, out long integer)
    {
        integer = 0;
        if (score is < -MaxInteger or > MaxInteger)
        {
            return false;
        }

        integer = (long)score;
        return integer == score;
    }

    /// <summary>Writes a score, and returns the number of characters.</summary>
    /// <param name="score">The score, which is a number or infinite.</param>
    /// <param name="text">At least <see cref="MaxLength"/> long.</param>
    public static int Format(double score, Span<byte> text)
    {
        if (double.IsInfinity(score))
        {
            ReadOnlySpan<byte> name = score > 0 ? "inf"u8 : "-inf"u8;
            name.CopyTo(text);
            return name.Length;
        }

        Invariant.Check(
            score.TryFormat(text, out int length, "r", CultureInfo.InvariantCulture), "no room to write a score");
        return length;
    }

    /// <summary>Reads a score.</summary>
    /// <returns>False for what is no number.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out double score)
    {
        if (text.SequenceEqual("inf"u8))
        {
            score = double.PositiveInfinity;
            return true;
        }

        if (text.SequenceEqual("-inf"u8))
        {
            score = double.NegativeInfinity;
            return true;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out score) && !double.IsNaN(score);
    }
}
