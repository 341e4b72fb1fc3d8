namespace KvServer.Storage;

/// <summary>How a HyperLogLog keeps its registers; the values are those of the format.</summary>
public enum HyperLogLogEncoding : byte
{
    /// <summary>Six bits each.</summary>
    Dense = 0,

    /// <summary>Runs of equal ones.</summary>
    Sparse = 1,
}
