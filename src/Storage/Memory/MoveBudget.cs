namespace KvServer.Storage;

/// <summary>How much work a step of <see cref="PartCompaction"/> may still do, and how much it has moved.</summary>
/// <param name="units">Looks; a move counts as several, and more for many bytes.</param>
internal struct MoveBudget(int units)
{
    private const int UnitsPerMove = 8;
    private const nuint BytesPerUnit = 64;

    /// <summary>What is left; below zero when the last block was long.</summary>
    public int Units { get; private set; } = units;

    /// <summary>Blocks moved.</summary>
    public int Moved { get; private set; }

    /// <summary>Whether nothing is left.</summary>
    public readonly bool IsSpent => Units <= 0;

    /// <summary>Charges for a look at a block.</summary>
    public void CountLook() => Units--;

    /// <summary>Charges for a block that is moved.</summary>
    public void CountMove(nuint bytes)
    {
        Units -= UnitsPerMove + (int)(bytes / BytesPerUnit);
        Moved++;
    }
}
