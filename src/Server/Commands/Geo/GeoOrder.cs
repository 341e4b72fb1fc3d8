namespace KvServer.Server.Commands.Geo;

/// <summary>In which order members that were found are returned.</summary>
internal enum GeoOrder : byte
{
    /// <summary>As they were found.</summary>
    None,

    /// <summary>The nearest first.</summary>
    Ascending,

    /// <summary>The farthest first.</summary>
    Descending,
}
