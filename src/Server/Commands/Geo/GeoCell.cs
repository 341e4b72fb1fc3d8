using KvServer.Storage;

namespace KvServer.Server.Commands.Geo;

/// <summary>One of the cells into which the map is divided: 2^step columns of longitude and as many rows of latitude.</summary>
/// <param name="Column">Counted from the west.</param>
/// <param name="Row">Counted from the south.</param>
/// <param name="Step">How often the map is halved both ways, 1 to <see cref="MaxStep"/>.</param>
/// <remarks>
/// <para>The bits of row and column, taken in turn, number the cells so that those inside a larger cell have numbers in a
/// row. Scores are numbers of the smallest cells, so the members of any cell are one range of scores:</para>
/// <code>
/// step 1     1 | 3        number = ... column bit 1, row bit 1, column bit 0, row bit 0
///            --+--        (the rows go up, the columns to the right)
///            0 | 2
/// </code>
/// <para>A position at the upper end of the map is in a row or column one beyond the last, as with the reference
/// server.</para>
/// </remarks>
internal readonly record struct GeoCell(uint Column, uint Row, int Step)
{
    /// <summary>The step of scores: 52 bits, which a double holds exactly.</summary>
    public const int MaxStep = 26;

    /// <summary>The cell's number.</summary>
    public ulong Number => Spread(Row) | (Spread(Column) << 1);

    /// <summary>The scores of members in this cell.</summary>
    public ScoreRange Scores
    {
        get
        {
            int shift = 2 * (MaxStep - Step);
            ulong number = Number;
            return new ScoreRange(number << shift, (number + 1) << shift, IsMinExclusive: false, IsMaxExclusive: true);
        }
    }

    /// <summary>The area the cell covers.</summary>
    public GeoBounds Bounds => new(
        EdgeOf(Column, Step, GeoPosition.MaxLongitude),
        EdgeOf(Row, Step, GeoPosition.MaxLatitude),
        EdgeOf(unchecked(Column + 1), Step, GeoPosition.MaxLongitude),
        EdgeOf(unchecked(Row + 1), Step, GeoPosition.MaxLatitude));

    /// <summary>The cell a position is in.</summary>
    /// <param name="position">A valid one.</param>
    /// <param name="step">The size of the cell.</param>
    /// <param name="maxLatitude">Where the map ends in the north and in the south.</param>
    public static GeoCell Of(GeoPosition position, int step, double maxLatitude = GeoPosition.MaxLatitude) => new(
        IndexOf(position.Longitude, step, GeoPosition.MaxLongitude), IndexOf(position.Latitude, step, maxLatitude), step);

    /// <summary>The smallest cell with a number, of which 64 bits may be set.</summary>
    public static GeoCell OfNumber(ulong number) => new(Gather(number >> 1), Gather(number), MaxStep);

    /// <summary>The cell so many columns to the east and rows to the north; beyond an edge it goes on at the other.</summary>
    public GeoCell Neighbour(int east, int north)
    {
        uint mask = (1u << Step) - 1;
        return new GeoCell(
            east == 0 ? Column : unchecked(Column + (uint)east) & mask,
            north == 0 ? Row : unchecked(Row + (uint)north) & mask,
            Step);
    }

    private static uint IndexOf(double degrees, int step, double max) =>
        (uint)((degrees - -max) / (max - -max) * (1UL << step));

    private static double EdgeOf(uint index, int step, double max) =>
        -max + (index * 1.0 / (1UL << step) * (max - -max));

    // Puts a zero before each bit.
    private static ulong Spread(ulong bits)
    {
        bits = (bits | (bits << 16)) & 0x0000FFFF0000FFFF;
        bits = (bits | (bits << 8)) & 0x00FF00FF00FF00FF;
        bits = (bits | (bits << 4)) & 0x0F0F0F0F0F0F0F0F;
        bits = (bits | (bits << 2)) & 0x3333333333333333;
        return (bits | (bits << 1)) & 0x5555555555555555;
    }

    // Takes every second bit.
    private static uint Gather(ulong bits)
    {
        bits &= 0x5555555555555555;
        bits = (bits | (bits >> 1)) & 0x3333333333333333;
        bits = (bits | (bits >> 2)) & 0x0F0F0F0F0F0F0F0F;
        bits = (bits | (bits >> 4)) & 0x00FF00FF00FF00FF;
        bits = (bits | (bits >> 8)) & 0x0000FFFF0000FFFF;
        return (uint)(bits | (bits >> 16));
    }
}
