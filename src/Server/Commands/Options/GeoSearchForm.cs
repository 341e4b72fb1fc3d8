namespace KvServer.Server.Commands.Options;

/// <summary>The commands that search for members by their positions; those that only read have the form of the others.
/// </summary>
internal enum GeoSearchForm : byte
{
    /// <summary>GEORADIUS: position, radius and unit stand at fixed places.</summary>
    Radius,

    /// <summary>GEORADIUSBYMEMBER: member, radius and unit stand at fixed places.</summary>
    RadiusByMember,

    /// <summary>GEOSEARCH.</summary>
    Search,

    /// <summary>GEOSEARCHSTORE.</summary>
    SearchStore,
}
