namespace KvServer.Server.Commands.Geo;

/// <summary>The cells of the map in which members of a shape can be: that of its middle and up to eight around it.</summary>
internal static class GeoSearchArea
{
    /// <summary>The most cells there are.</summary>
    public const int MaxCells = 9;

    // Half of the equator on the Mercator map, in metres.
    private const double MapRadius = 20037726.37;

    /// <summary>Finds the cells, in the order in which the reference server searches them.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="cells">Room for <see cref="MaxCells"/>.</param>
    /// <returns>How many there are; none twice.</returns>
    public static int Find(in GeoShape shape, Span<GeoCell> cells)
    {
        GeoBounds wanted = shape.Bounds;
        int step = StepFor(shape.Reach, shape.Center.Latitude);
        GeoCell middle = GeoCell.Of(shape.Center, step);
        if (step > 1 && !NeighboursReach(middle, wanted))
        {
            step--;
            middle = GeoCell.Of(shape.Center, step);
        }

        // Two cells a side are the whole map: the neighbours to the left are those to the right.
        GeoBounds covered = middle.Bounds;
        bool needsNorth = step < 2 || !(covered.North > wanted.North);
        bool needsSouth = step < 2 || !(covered.South < wanted.South);
        bool needsEast = step < 2 || !(covered.East > wanted.East);
        bool needsWest = step < 2 || !(covered.West < wanted.West);

        cells[0] = middle;
        int count = 1;
        Add(0, 1, needsNorth, cells, ref count);
        Add(0, -1, needsSouth, cells, ref count);
        Add(1, 0, needsEast, cells, ref count);
        Add(-1, 0, needsWest, cells, ref count);
        Add(1, 1, needsNorth && needsEast, cells, ref count);
        Add(-1, 1, needsNorth && needsWest, cells, ref count);
        Add(1, -1, needsSouth && needsEast, cells, ref count);
        Add(-1, -1, needsSouth && needsWest, cells, ref count);
        return count;
    }

    /// <summary>The smallest cells of which nine cover a circle, mostly.</summary>
    internal static int StepFor(double reach, double latitude)
    {
        if (reach == 0)
        {
            return GeoCell.MaxStep;
        }

        int step = -1;
        for (double covered = reach; covered < MapRadius; covered *= 2)
        {
            step++;
        }

        // Towards the poles the same distance is more degrees of longitude.
        double north = Math.Abs(latitude);
        step -= north > 80 ? 2 : north > 66 ? 1 : 0;
        return Math.Clamp(step, 1, GeoCell.MaxStep);
    }

    private static bool NeighboursReach(GeoCell middle, GeoBounds wanted) =>
        !(middle.Neighbour(0, 1).Bounds.North < wanted.North)
        && !(middle.Neighbour(0, -1).Bounds.South > wanted.South)
        && !(middle.Neighbour(1, 0).Bounds.East < wanted.East)
        && !(middle.Neighbour(-1, 0).Bounds.West > wanted.West);

    private static void Add(int east, int north, bool isNeeded, Span<GeoCell> cells, ref int count)
    {
        GeoCell cell = cells[0].Neighbour(east, north);
        if (isNeeded && cells[count - 1] != cell)
        {
            cells[count++] = cell;
        }
    }
}
