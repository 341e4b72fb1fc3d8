namespace KvServer.Server.Tests.Observability;

/// <summary>Numbers from 0 on, the n-th drawn in proportion to a power of 1 / n.</summary>
internal static class Zipf
{
    /// <summary>The running sums of the proportions.</summary>
    public static double[] Sums(int count, double exponent)
    {
        double[] sums = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += Math.Pow(i + 1, -exponent);
            sums[i] = sum;
        }

        return sums;
    }

    /// <summary>Draws one of the numbers.</summary>
    public static int Draw(Random random, double[] sums)
    {
        int found = Array.BinarySearch(sums, random.NextDouble() * sums[^1]);
        return Math.Min(found < 0 ? ~found : found, sums.Length - 1);
    }
}
