using System.Runtime.InteropServices;

namespace KvServer.Storage;

/// <summary>The state of a hash that is a dict: that of the dict, and what its expiring fields need.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct HashState
{
    /// <summary>Bytes of a state.</summary>
    public const int Bytes = DictState.Bytes + 8;

    /// <summary>The dict's own.</summary>
    public DictState Dict;

    /// <summary>Null while no field expires.</summary>
    public FieldExpiry* Expiry;
}
