namespace KvServer.Storage;

/// <summary>What <see cref="RdbReader.Read"/> has met in a file.</summary>
public enum RdbRecord
{
    /// <summary>A field about the file: <see cref="RdbReader.AuxName"/> and <see cref="RdbReader.AuxValue"/>.</summary>
    Aux,

    /// <summary>The keys of another database follow.</summary>
    SelectDatabase,

    /// <summary>How many keys the database has: <see cref="RdbReader.AnnouncedKeys"/>.</summary>
    ResizeDatabase,

    /// <summary>A key; its value comes next and must be read or skipped.</summary>
    Key,

    /// <summary>A library of functions, which has been kept in <see cref="RdbReader.Functions"/>.</summary>
    Function,

    /// <summary>Data of a module beside the keys, which has been passed by: <see cref="RdbReader.ModuleName"/>.</summary>
    ModuleAux,

    /// <summary>How many keys a slot of a cluster has; of no use here.</summary>
    SlotInfo,

    /// <summary>The end; the checksum was right.</summary>
    End,
}
