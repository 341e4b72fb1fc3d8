namespace KvServer.Server.Commands.Geo;

/// <summary>A place on the globe, in degrees.</summary>
/// <param name="Longitude">East of Greenwich.</param>
/// <param name="Latitude">North of the equator.</param>
internal readonly record struct GeoPosition(double Longitude, double Latitude)
{
    /// <summary>The greatest longitude, east and west.</summary>
    public const double MaxLongitude = 180;

    /// <summary>The greatest latitude, north and south: that of a square Mercator map. What is nearer to a pole has no
    /// place.</summary>
    public const double MaxLatitude = 85.05112878;

    /// <summary>Whether the place can be kept. False for NaN.</summary>
    public bool IsValid => Longitude is >= -MaxLongitude and <= MaxLongitude && Latitude is >= -MaxLatitude and <= MaxLatitude;
}
