using System.Globalization;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Commands;

/// <summary>Replays tables of commands with what redis-server 7.0.15 replied to them, byte by byte.</summary>
public sealed class StringReplyTableTests : CommandHarness
{
    [Theory]
    [InlineData("StringReplies.txt")]
    [InlineData("StringCounterReplies.txt")]
    [InlineData("StringLcsReplies.txt")]
    [InlineData("BitmapReplies.txt")]
    public void Replies_equal_those_of_the_reference_server(string table)
    {
        foreach (string line in ReadTable(table))
        {
            string[] parts = line.Split(" => ", 2);
            string[] args = [.. CommandLine.Split(parts[0]).Select(Encoding.Latin1.GetString)];
            Assert.Equal(line, parts[0] + " => " + Escape(Raw(args)));
        }
    }

    [Fact]
    public void Every_combination_of_set_options_acts_as_on_the_reference_server()
    {
        foreach (string line in ReadTable("StringSetMatrix.txt"))
        {
            string[] parts = line.Split('|');
            Prepare(parts[0]);
            string[] args = ["SET", "k", "new", .. parts[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)];
            string reply = Raw(args).Replace("\r\n", " ", StringComparison.Ordinal).Trim();
            Assert.Equal(line, $"{parts[0]}|{parts[1]}|{reply}|{ShowValue()}|{ShowExpiry()}");
        }
    }

    private static IEnumerable<string> ReadTable(string name) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Commands", name)).Where(line => line[0] != '#');

    private static string Escape(string reply)
    {
        StringBuilder text = new();
        foreach (char c in reply)
        {
            text.Append(c switch
            {
                '\r' => "\\r",
                '\n' => "\\n",
                '\\' => "\\\\",
                >= ' ' and < (char)127 => c.ToString(),
                _ => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
            });
        }

        return text.ToString();
    }

    private void Prepare(string state)
    {
        Run("DEL", "k");
        switch (state)
        {
            case "string": Run("SET", "k", "old"); break;
            case "volatile": Run("SET", "k", "old", "EX", "500"); break;
            case "set": Run("SADD", "k", "m"); break;
        }
    }

    private string ShowValue() => Run("TYPE", "k") switch
    {
        "none" => "-",
        "set" => "?",
        _ => (string)Run("GET", "k")!,
    };

    private string ShowExpiry() => Run("PEXPIRETIME", "k") switch
    {
        < 0L => "none",
        4_102_444_800_000L => "2100",
        long at when at == NowMs + 500_000 => "kept",
        long at when at == NowMs + 100_000 => "100s",
        _ => "?",
    };
}
