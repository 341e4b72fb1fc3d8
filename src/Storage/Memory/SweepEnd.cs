namespace KvServer.Storage;

/// <summary>Whether a sweep over the slabs has come to its end, and with what.</summary>
internal enum SweepEnd
{
    /// <summary>It goes on.</summary>
    NotYet,

    /// <summary>Slabs have been emptied, so another one may find more.</summary>
    Fruitful,

    /// <summary>None has been emptied.</summary>
    Fruitless,
}
