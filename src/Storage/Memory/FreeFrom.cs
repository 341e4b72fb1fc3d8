namespace KvServer.Storage;

/// <summary>Says on whose behalf native memory is given back.</summary>
public enum FreeFrom
{
    /// <summary>The caller runs inside the command loop.</summary>
    CommandLoop,

    /// <summary>The caller is a background thread that owns the data outright.</summary>
    Background,
}
