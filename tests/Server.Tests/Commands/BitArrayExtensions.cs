namespace KvServer.Server.Tests.Commands;

/// <summary>Bitmaps the slow way, to compare with.</summary>
internal static class BitArrayExtensions
{
    public static long LongCount(this bool[] bits, long first, long last)
    {
        long count = 0;
        for (long i = first; i <= last; i++)
        {
            count += bits[i] ? 1 : 0;
        }

        return count;
    }

    public static long FirstOrNone(this bool[] bits, long first, long last, bool value)
    {
        for (long i = first; i <= last; i++)
        {
            if (bits[i] == value)
            {
                return i;
            }
        }

        return -1;
    }
}
