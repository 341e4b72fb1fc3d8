using KvServer.Storage;

namespace KvServer.Server.Commands.Geo;

/// <summary>A member that a search has found.</summary>
/// <param name="Place">Where it is in the set.</param>
/// <param name="Distance">How far it is from the middle of the shape, in metres.</param>
/// <param name="Order">When it was found, counted from 0.</param>
internal readonly record struct GeoMatch(SortedSetPlace Place, double Distance, int Order);
