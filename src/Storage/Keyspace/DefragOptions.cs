namespace KvServer.Storage;

/// <summary>Which fragmentation is given back although memory is not short, and how fast (activedefrag).</summary>
/// <param name="IsOn">Whether any is.</param>
/// <param name="IgnoreBytes">Less than so much is left alone.</param>
/// <param name="LowerPercent">So is less than this part of what is used.</param>
/// <param name="UpperPercent">From this part on the effort is the greatest.</param>
/// <param name="MinEffort">Percentage of the time, at the lower bound.</param>
/// <param name="MaxEffort">Percentage of the time, from the upper bound on.</param>
public readonly record struct DefragOptions(
    bool IsOn, long IgnoreBytes, int LowerPercent, int UpperPercent, int MinEffort, int MaxEffort)
{
    /// <summary>How much of the time to spend, in percent; 0 when there is nothing to do.</summary>
    /// <param name="usedBytes">What blocks take.</param>
    /// <param name="heldBytes">What is held of the system for them.</param>
    public int EffortFor(long usedBytes, long heldBytes)
    {
        long fragments = heldBytes - usedBytes;
        double percent = 100.0 * fragments / Math.Max(usedBytes, 1);
        if (!IsOn || fragments < IgnoreBytes || percent < LowerPercent)
        {
            return 0;
        }

        double share = UpperPercent > LowerPercent ? Math.Min((percent - LowerPercent) / (UpperPercent - LowerPercent), 1) : 1;
        return (int)Math.Clamp(MinEffort + (share * (MaxEffort - MinEffort)), 1, 99);
    }
}
