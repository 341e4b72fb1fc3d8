namespace KvServer.Server.Commands;

/// <summary>What BITFIELD does with a value that does not fit its field.</summary>
internal enum BitFieldOverflow : byte
{
    /// <summary>Keeps the low bits.</summary>
    Wrap,

    /// <summary>Takes the nearest value that fits.</summary>
    Saturate,

    /// <summary>Changes nothing and replies null.</summary>
    Fail,
}
