namespace KvServer.Server.Commands.Geo;

/// <summary>What members are looked for in: a circle, or a box whose sides run along meridians and parallels.</summary>
internal struct GeoShape
{
    /// <summary>The middle.</summary>
    public GeoPosition Center;

    /// <summary>Metres in the unit of the sizes.</summary>
    public double MetresPerUnit;

    /// <summary>Whether it is a box.</summary>
    public bool IsBox;

    /// <summary>The radius of a circle.</summary>
    public double Radius;

    /// <summary>A box's size from west to east.</summary>
    public double Width;

    /// <summary>A box's size from south to north.</summary>
    public double Height;

    /// <summary>The distance from the middle to the farthest point, in metres.</summary>
    public readonly double Reach => MetresPerUnit * (IsBox
        ? Math.Sqrt((Width / 2 * (Width / 2)) + (Height / 2 * (Height / 2)))
        : Radius);

    /// <summary>The area that the shape fits into.</summary>
    public readonly GeoBounds Bounds
    {
        get
        {
            double north = GeoDistance.ToDegrees(
                MetresPerUnit * (IsBox ? Height / 2 : Radius) / GeoDistance.EarthRadius);
            double halfWidth = MetresPerUnit * (IsBox ? Width / 2 : Radius);

            // A parallel that is nearer to its pole is shorter, and more degrees of it are needed.
            double widest = Center.Latitude < 0 ? Center.Latitude - north : Center.Latitude + north;
            double east = GeoDistance.ToDegrees(
                halfWidth / GeoDistance.EarthRadius / Math.Cos(GeoDistance.ToRadians(widest)));
            return new GeoBounds(
                Center.Longitude - east, Center.Latitude - north, Center.Longitude + east, Center.Latitude + north);
        }
    }

    /// <summary>Whether a position is inside, or on the border.</summary>
    /// <param name="position">The position.</param>
    /// <param name="distance">How far it is from the middle, in metres, when it is inside.</param>
    public readonly bool Contains(GeoPosition position, out double distance)
    {
        distance = 0;
        if (!IsBox)
        {
            distance = GeoDistance.Between(Center, position);
            return distance <= Radius * MetresPerUnit;
        }

        if (GeoDistance.BetweenLatitudes(position.Latitude, Center.Latitude) > Height * MetresPerUnit / 2
            || GeoDistance.Between(position, Center with { Latitude = position.Latitude }) > Width * MetresPerUnit / 2)
        {
            return false;
        }

        distance = GeoDistance.Between(Center, position);
        return true;
    }
}
