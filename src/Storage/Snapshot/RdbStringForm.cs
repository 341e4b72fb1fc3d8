namespace KvServer.Storage;

/// <summary>How a string is stored in a file.</summary>
internal enum RdbStringForm : byte
{
    /// <summary>As it is.</summary>
    Plain,

    /// <summary>As an integer of 8, 16 or 32 bits.</summary>
    Integer,

    /// <summary>Compressed.</summary>
    Compressed,
}
