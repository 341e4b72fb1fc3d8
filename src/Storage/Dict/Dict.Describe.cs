using System.Globalization;
using System.Text;

namespace KvServer.Storage;

/// <content>The histogram DEBUG HTSTATS shows.</content>
public readonly unsafe partial struct Dict<TLayout>
{
    // Longer chains are counted as this long.
    private const int LongestShown = 50;

    /// <summary>Appends the figures of both tables in the form the reference server uses. O(buckets + entries).</summary>
    public void Describe(StringBuilder text)
    {
        DescribeTable(text, ref _state->Table0, isTarget: false);
        if (IsRehashing)
        {
            DescribeTable(text, ref _state->Table1, isTarget: true);
        }
    }

    private static void DescribeTable(StringBuilder text, ref DictTable table, bool isTarget)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        text.Append(culture, $"Hash table {(isTarget ? 1 : 0)} stats ({(isTarget ? "rehashing target" : "main hash table")}):\n");
        if (table.Used == 0)
        {
            text.Append("No stats available for empty dictionaries\n");
            return;
        }

        Span<long> lengths = stackalloc long[LongestShown];
        lengths.Clear();
        long slots = 0;
        long total = 0;
        int longest = 0;
        for (long i = 0; i < table.BucketCount; i++)
        {
            int length = 0;
            for (byte* entry = table.Buckets[i]; entry != null; entry = EntryLink.Next(entry))
            {
                length++;
            }

            lengths[Math.Min(length, LongestShown - 1)]++;
            if (length > 0)
            {
                slots++;
                total += length;
                longest = Math.Max(longest, length);
            }
        }

        text.Append(culture, $" table size: {table.BucketCount}\n");
        text.Append(culture, $" number of elements: {table.Used}\n");
        text.Append(culture, $" different slots: {slots}\n");
        text.Append(culture, $" max chain length: {longest}\n");
        text.Append(culture, $" avg chain length (counted): {(float)total / slots:F2}\n");
        text.Append(culture, $" avg chain length (computed): {(float)table.Used / slots:F2}\n");
        text.Append(" Chain length distribution:\n");
        for (int i = 0; i < LongestShown; i++)
        {
            if (lengths[i] > 0)
            {
                double share = (double)lengths[i] / table.BucketCount * 100;
                string prefix = i == LongestShown - 1 ? ">= " : string.Empty;
                text.Append(culture, $"   {prefix}{i}: {lengths[i]} ({share:F2}%)\n");
            }
        }
    }
}
