using System.Globalization;
using System.Text;
using KvServer.Server.Tests.Observability;

namespace KvServer.Server.Tests.Commands;

public class HotKeysTests : CommandHarness
{
    [Fact]
    public void A_server_with_little_to_do_gives_exact_figures()
    {
        Run("SET", "a", new string('x', 100));
        Run("GET", "a");
        Run("GET", "a");
        Run("GET", "b");
        Run("MGET", "a", "b", "c");
        Run("PING");
        Run("GET");
        Run("LPUSH", "a", "x"); // Fails, and was asked all the same.
        Dictionary<string, object?> reply = HotKeys();
        Assert.Equal(8L, reply["requests"]);
        Assert.Equal("a 5 0, b 2 0, c 1 0", Describe(reply["by-requests"], "requests"));
        Assert.StartsWith("a ", Describe(reply["by-bytes-out"], "bytes-out"), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_of_a_reply_go_to_its_key()
    {
        Run("SET", "large", new string('x', 1000));
        Run("SET", "small", "x");
        for (int i = 0; i < 10; i++)
        {
            Run("GET", "large");
            Run("GET", "small");
        }

        // $1000\r\n...\r\n is 1009 bytes, $1\r\nx\r\n 7, +OK\r\n 5.
        Assert.Equal(
            ["large 10095", "small 75"],
            Maps(HotKeys()["by-bytes-out"]).Select(key => $"{key["key"]} {key["bytes-out"]}"));
    }

    [Fact]
    public void The_replies_are_maps_in_both_protocols()
    {
        Run("SET", "k", "v");
        Assert.StartsWith(
            "*10\r\n$15\r\ncounted-seconds\r\n:0\r\n$8\r\nrequests\r\n:1\r\n$9\r\nbytes-out\r\n:5\r\n$11\r\nby-requests\r\n*1\r\n"
                + "*10\r\n$3\r\nkey\r\n$1\r\nk\r\n$2\r\ndb\r\n:0\r\n$8\r\nrequests\r\n:1\r\n$5\r\nerror\r\n:0\r\n",
            Raw("HOTKEYS"),
            StringComparison.Ordinal);
        TestClient resp3 = Connect(protocol: 3);
        Assert.StartsWith("%5\r\n$15\r\ncounted-seconds\r\n:0\r\n", resp3.Raw("HOTKEYS"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_true_top_ten_of_a_Zipf_stream_are_found_within_the_stated_error()
    {
        Server.KeyTraffic.Seed = 42;
        Server.KeyTraffic.Reset();
        Random random = new(42);
        double[] sums = Zipf.Sums(50_000, exponent: 1.1);
        long[] truth = new long[sums.Length];
        long total = 0;
        for (int batch = 0; batch < 300; batch++)
        {
            StringBuilder requests = new();
            for (int i = 0; i < 1000; i++)
            {
                int number = Zipf.Draw(random, sums);
                truth[number]++;
                total++;
                requests.Append(CultureInfo.InvariantCulture, $"GET {number}\r\n");
            }

            Client.Send(Encoding.ASCII.GetBytes(requests.ToString()));
        }

        Dictionary<string, object?> reply = HotKeys("COUNT", "13"); // The sampling may exchange neighbours.
        Assert.InRange((long)reply["requests"]!, (long)(total * 0.98), (long)(total * 1.02));
        var found = Maps(reply["by-requests"]).Select(key => (
            Number: int.Parse((string)key["key"]!, CultureInfo.InvariantCulture),
            Requests: (long)key["requests"]!,
            Error: (long)key["error"]!)).ToList();
        Assert.Empty(Enumerable.Range(0, 10).Except(found.Select(key => key.Number)));
        Assert.All(found, key => Assert.InRange(key.Requests, truth[key.Number] - key.Error, truth[key.Number] + key.Error));
        Assert.All(found, key => Assert.True(key.Error < truth[key.Number] / 3, $"{key} of {truth[key.Number]}"));
        Assert.Equal(
            Enumerable.Range(0, 3), Maps(reply["by-bytes-out"]).Take(3)
                .Select(key => int.Parse((string)key["key"]!, CultureInfo.InvariantCulture)).Order());
    }

    [Fact]
    public void Uniform_keys_without_end_make_no_hot_keys()
    {
        Server.KeyTraffic.Seed = 1;
        int next = 0;
        for (int batch = 0; batch < 300; batch++)
        {
            StringBuilder requests = new();
            for (int i = 0; i < 1000; i++)
            {
                requests.Append(CultureInfo.InvariantCulture, $"GET {next++}\r\n");
            }

            Client.Send(Encoding.ASCII.GetBytes(requests.ToString()));
        }

        Assert.Empty(Maps(HotKeys()["by-requests"]));
    }

    [Fact]
    public void A_call_with_many_keys_costs_a_few_and_counts_for_all()
    {
        Server.KeyTraffic.Seed = 9;
        string[] call = ["MGET", .. Enumerable.Range(0, 1000).Select(i => "k" + i.ToString(CultureInfo.InvariantCulture))];
        for (int i = 0; i < 2000; i++)
        {
            Run(call);
            Run("GET", "k7");
        }

        long requests = (long)HotKeys()["requests"]!;
        Assert.InRange(requests, 1_600_000, 2_400_000);
    }

    [Fact]
    public void Commands_of_a_transaction_and_served_waits_count()
    {
        Run("MULTI");
        Run("GET", "in");
        Run("EXEC");
        TestClient waiting = Connect();
        Assert.False(waiting.Start("BLPOP", "queue", "0"));
        Run("RPUSH", "queue", "v");
        Assert.Contains("queue", waiting.TakeOutput(), StringComparison.Ordinal);
        Assert.Equal("queue 2 0, in 1 0", Describe(HotKeys()["by-requests"], "requests"));
    }

    [Fact]
    public void Key_statistics_can_be_switched_off_and_reset()
    {
        Run("SET", "k", "v");
        Run("CONFIG", "RESETSTAT");
        Assert.Equal(0L, HotKeys()["requests"]);
        Run("SET", "k", "v");
        Server.KeyTraffic.Switch(on: false);
        Assert.Equal("ERR Keys are not counted while the option key-statistics is 'no'", Error("HOTKEYS"));
        Run("SET", "k", "v");
        Server.KeyTraffic.Switch(on: true);
        Assert.Equal(0L, HotKeys()["requests"]);
    }

    [Fact]
    public void Options_are_checked()
    {
        Run("MSET", "a", "1", "b", "2");
        Assert.Single(Maps(HotKeys("COUNT", "1")["by-requests"]));
        Assert.Equal(2, Maps(HotKeys("count", "9223372036854775807")["by-requests"]).Count);
        Assert.Equal("ERR count should be greater than 0", Error("HOTKEYS", "COUNT", "0"));
        Assert.Equal("ERR count should be greater than 0", Error("HOTKEYS", "COUNT", "x"));
        Assert.Equal("ERR syntax error", Error("HOTKEYS", "COUNT"));
        Assert.Equal("ERR syntax error", Error("HOTKEYS", "TYPE", "string"));
    }

    [Fact]
    public void Counting_allocates_nothing() =>
        Assert.Equal(0, Client.AllocatedBytesOf([["SET", "k1", "v"], ["GET", "k2"], ["MGET", "k1", "k2", "k3"], ["GET", "k4"]], 2000));

    private static List<Dictionary<string, object?>> Maps(object? reply) => [.. ((object?[])reply!).Select(Map)];

    private static Dictionary<string, object?> Map(object? reply) => ((object?[])reply!)
        .Chunk(2).ToDictionary(pair => (string)pair[0]!, pair => pair[1], StringComparer.Ordinal);

    private static string Describe(object? keys, string amount) =>
        string.Join(", ", Maps(keys).Select(key => $"{key["key"]} {key[amount]} {key["error"]}"));

    private Dictionary<string, object?> HotKeys(params string[] options) => Map(Run(["HOTKEYS", .. options]));
}
