namespace KvServer.Server.Commands.Geo;

/// <summary>An area between two longitudes and two latitudes, in degrees. Those of a shape may lie beyond what positions
/// can have, and may be infinite or no numbers.</summary>
/// <param name="West">The least longitude.</param>
/// <param name="South">The least latitude.</param>
/// <param name="East">The greatest longitude.</param>
/// <param name="North">The greatest latitude.</param>
internal readonly record struct GeoBounds(double West, double South, double East, double North);
