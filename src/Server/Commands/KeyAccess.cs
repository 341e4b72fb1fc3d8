namespace KvServer.Server.Commands;

/// <summary>What a command does with the keys of one key specification, in COMMAND INFO's terms.</summary>
[Flags]
internal enum KeyAccess : ushort
{
    None = 0,

    /// <summary>Reads the value, changes nothing (RO).</summary>
    ReadOnly = 1 << 0,

    /// <summary>Reads and changes the value (RW).</summary>
    ReadWrite = 1 << 1,

    /// <summary>Overwrites without reading (OW).</summary>
    Overwrite = 1 << 2,

    /// <summary>Removes the value (RM).</summary>
    Remove = 1 << 3,

    /// <summary>Returns, copies or tests the value's data.</summary>
    Access = 1 << 4,

    /// <summary>Changes existing data.</summary>
    Update = 1 << 5,

    /// <summary>Adds data without changing what is there.</summary>
    Insert = 1 << 6,

    /// <summary>Deletes data on purpose.</summary>
    Delete = 1 << 7,

    /// <summary>Not a key but looks like one to routers.</summary>
    NotKey = 1 << 8,

    /// <summary>The specification may miss keys.</summary>
    Incomplete = 1 << 9,

    /// <summary>The access depends on other arguments (SET with GET, BITFIELD).</summary>
    Variable = 1 << 10,
}
