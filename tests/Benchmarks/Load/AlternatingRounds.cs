namespace KvServer.Benchmarks.Load;

/// <summary>Measures two servers in turn, so that what else the machine does meets both.</summary>
internal static class AlternatingRounds
{
    /// <summary>Runs something for server 0 and server 1 in each round.</summary>
    /// <param name="rounds">How many times for each.</param>
    /// <param name="run">Measures the server of this index.</param>
    /// <returns>The results of each server in order.</returns>
    public static Task<List<T>[]> RunAsync<T>(int rounds, Func<int, Task<T>> run) =>
        RunAsync(run, results => results[0].Count < rounds);

    /// <summary>Runs rounds until there are enough.</summary>
    /// <param name="run">Measures the server of this index.</param>
    /// <param name="needsMore">Asked before every round.</param>
    /// <returns>The results of each server in order.</returns>
    public static async Task<List<T>[]> RunAsync<T>(Func<int, Task<T>> run, Func<List<T>[], bool> needsMore)
    {
        List<T>[] results = [[], []];
        while (needsMore(results))
        {
            // Who goes first changes, so that neither always meets the machine in the same state.
            foreach (int i in results[0].Count % 2 == 0 ? (int[])[0, 1] : [1, 0])
            {
                results[i].Add(await run(i));
            }
        }

        return results;
    }
}
