namespace KvServer.Server.Commands.Geo;

/// <summary>Distances on a sphere of the Earth's size, in metres.</summary>
internal static class GeoDistance
{
    /// <summary>The sphere's radius.</summary>
    public const double EarthRadius = 6372797.560856;

    private const double RadiansPerDegree = Math.PI / 180;

    /// <summary>The distance between two positions, by the haversine formula.</summary>
    /// <remarks>The order of operations is that of the reference server, since the last digits can be seen.</remarks>
    public static double Between(GeoPosition from, GeoPosition to)
    {
        double sinLongitude = Math.Sin((ToRadians(to.Longitude) - ToRadians(from.Longitude)) / 2);
        if (sinLongitude == 0)
        {
            return BetweenLatitudes(from.Latitude, to.Latitude);
        }

        double fromLatitude = ToRadians(from.Latitude);
        double toLatitude = ToRadians(to.Latitude);
        double sinLatitude = Math.Sin((toLatitude - fromLatitude) / 2);
        double square = (sinLatitude * sinLatitude)
            + (Math.Cos(fromLatitude) * Math.Cos(toLatitude) * sinLongitude * sinLongitude);

        // Rounding may take positions on opposite sides a trifle further apart than the sphere allows.
        return 2.0 * EarthRadius * Math.Asin(Math.Min(Math.Sqrt(square), 1));
    }

    /// <summary>The distance between two positions on one meridian.</summary>
    public static double BetweenLatitudes(double from, double to) =>
        EarthRadius * Math.Abs(ToRadians(to) - ToRadians(from));

    /// <summary>Degrees as radians.</summary>
    public static double ToRadians(double degrees) => degrees * RadiansPerDegree;

    /// <summary>Radians as degrees.</summary>
    public static double ToDegrees(double radians) => radians / RadiansPerDegree;
}
