namespace KvServer.Server.Commands;

/// <summary>What of its fields a hash is asked for.</summary>
[Flags]
internal enum HashParts : byte
{
    None = 0,

    /// <summary>The names.</summary>
    Names = 1,

    /// <summary>The values.</summary>
    Values = 2,

    /// <summary>Both, the name first.</summary>
    Both = Names | Values,
}
