namespace KvServer.TestSupport.Rdb;

/// <summary>Flips, cuts and splices bytes.</summary>
public static class RdbDamage
{
    private static readonly byte[] Interesting = [0, 1, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xF5, 0xFE, 0xFF];

    /// <summary>One of the seeds with one to four faults.</summary>
    public static byte[] Inflict(Random random, IReadOnlyList<byte[]> seeds)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentNullException.ThrowIfNull(seeds);
        byte[] bytes = (byte[])seeds[random.Next(seeds.Count)].Clone();
        for (int faults = random.Next(1, 5); faults > 0 && bytes.Length > 0; faults--)
        {
            int at = Place(random, bytes.Length);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = Interesting[random.Next(Interesting.Length)];
                    break;
                case 2:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    int end = Math.Min(bytes.Length, at + random.Next(1, 9));
                    bytes = [.. bytes[..at], .. bytes[end..]];
                    break;
                case 4:
                    byte[] other = seeds[random.Next(seeds.Count)];
                    int from = random.Next(other.Length);
                    bytes = [.. bytes[..at], .. other[from..Math.Min(other.Length, from + random.Next(1, 64))], .. bytes[at..]];
                    break;
                default:
                    bytes = random.Next(4) == 0 ? bytes[..at] : bytes;
                    break;
            }
        }

        return bytes;
    }

    // Mostly near the start, where heads and lengths are.
    private static int Place(Random random, int length) =>
        random.Next(2) == 0 ? random.Next(Math.Min(length, 24)) : random.Next(length);
}
