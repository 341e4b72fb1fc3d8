namespace KvServer.TestSupport;

/// <summary>Measures what a piece of code allocates.</summary>
public static class Allocations
{
    private const int MaxMeasurements = 12;

    /// <summary>Managed bytes the calling thread allocates in one run of the code.</summary>
    /// <param name="run">Run up to twelve times, until one run allocates nothing.</param>
    /// <returns>The least of the runs: code that is not optimized yet allocates more, and so does the runtime on whichever
    /// thread it happens to compile, while what belongs to the code itself shows in every run.</returns>
    public static long LeastOf(Action run)
    {
        long least = long.MaxValue;
        for (int i = 0; i < MaxMeasurements && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
