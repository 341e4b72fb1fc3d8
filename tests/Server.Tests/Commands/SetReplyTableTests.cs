using System.Text;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Commands;

/// <summary>Replays set commands with what redis-server 7.0.15 replied to them, byte by byte.</summary>
public sealed class SetReplyTableTests : CommandHarness
{
    [Theory]
    [InlineData(512, 128)]
    [InlineData(0, 128)]
    public void Replies_equal_those_of_the_reference_server(int intsetEntries, int listpackEntries)
    {
        // A listpack of integers that are added in ascending order walks like an intset.
        Server.Config.SetMaxIntsetEntries = intsetEntries;
        Server.Config.SetMaxListpackEntries = listpackEntries;
        string path = Path.Combine(AppContext.BaseDirectory, "Commands", "SetReplies.txt");
        foreach (string line in File.ReadLines(path).Where(line => line[0] != '#'))
        {
            string[] parts = line.Split(" => ", 2);
            string[] args = [.. CommandLine.Split(parts[0]).Select(Encoding.Latin1.GetString)];
            string reply = Raw(args)
                .Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\r\n", "\\r\\n", StringComparison.Ordinal);
            if (intsetEntries > 0)
            {
                Assert.Equal(line, parts[0] + " => " + reply);
            }
            else
            {
                Assert.Equal(Ordered(line), Ordered(parts[0] + " => " + reply));
            }
        }
    }

    /// <summary>The line with its characters sorted: equal for the same members in another order.</summary>
    private static string Ordered(string line) => string.Concat(line.Order());
}
