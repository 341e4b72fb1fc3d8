using System.Text;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.Aof;

/// <summary>Rewrites and switches of the append-only file that cross each other, and what waits for it meanwhile.</summary>
public sealed class AppendOnlySwitchTests : AppendOnlyFolder
{
    [Theory]
    [InlineData(1, "always")]
    [InlineData(2, "everysec")]
    [InlineData(3, "no")]
    public async Task Rewrites_and_switches_that_cross_lose_nothing(int seed, string policy)
    {
        Random random = new(seed);
        string digest;
        await using (ServerProcess server = await StartAsync(ours: true, ("appendfsync", policy)))
        {
            using RespClient client = server.Connect();
            client.Execute("DEBUG", "POPULATE", "20000", "p", "50");
            for (int round = 0; round < 40; round++)
            {
                int count = random.Next(1, 12);
                for (int i = 0; i < count; i++)
                {
                    client.SendRaw(NextLine(random));
                }

                for (int i = 0; i < count; i++)
                {
                    client.ReadReply();
                }
            }

            client.Execute("CONFIG", "SET", "appendonly", "yes");
            client.Execute("SET", "last", "1");
            WaitUntilWritten(client);
            digest = Digest(client);
            await KillAsync(server);
        }

        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal(digest, Digest(other));
    }

    [Fact]
    public async Task A_rewrite_asked_for_while_it_is_off_does_not_end_what_is_switched_on_then()
    {
        await using ServerProcess server = await StartAsync(ours: true, ("appendonly", "no"));
        using RespClient client = server.Connect();
        client.Execute("DEBUG", "POPULATE", "50000", "p", "50");
        client.SendRaw(
            "BGREWRITEAOF\r\nSET a 1\r\nCONFIG SET appendonly yes\r\nSET b 1\r\nCONFIG SET appendonly no\r\n"
            + "CONFIG SET appendonly yes\r\nSET c 1\r\n");
        for (int i = 0; i < 7; i++)
        {
            Assert.False(client.ReadReply().IsError);
        }

        WaitUntilWritten(client);
        string digest = Digest(client);
        await KillAsync(server);
        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal(3, other.Execute("EXISTS", "a", "b", "c").AsInteger);
        Assert.Equal(digest, Digest(other));
    }

    [Fact]
    public async Task Who_waits_for_a_file_that_is_being_made_waits_until_it_holds_everything()
    {
        await using ServerProcess server = await StartAsync(ours: true, ("appendonly", "no"));
        using RespClient client = server.Connect();
        client.Execute("DEBUG", "POPULATE", "50000", "p", "50");
        client.SendRaw("CONFIG SET appendonly yes\r\nSET a 1\r\nWAITAOF 1 0 0\r\nINFO persistence\r\n");
        Assert.Equal("OK", client.ReadReply().AsString);
        Assert.Equal("OK", client.ReadReply().AsString);
        Assert.Equal(1, client.ReadReply().Items[0].AsInteger);
        Assert.Contains("\r\naof_rewrites:1\r\n", client.ReadReply().AsString, StringComparison.Ordinal);
        await KillAsync(server);
        await using ServerProcess again = await StartAsync(ours: true);
        using RespClient other = again.Connect();
        Assert.Equal(50_001, other.Execute("DBSIZE").AsInteger);
    }

    [Theory]
    [InlineData("epoll")]
    [InlineData("sockets")]
    public async Task A_wait_in_a_pipeline_answers_once_and_in_its_place(string eventLoop)
    {
        await using ServerProcess server = await StartAsync(
            ours: true, ("appendfsync", "always"), ("event-loop", eventLoop));
        using RespClient client = server.Connect();
        for (int i = 0; i < 200; i++)
        {
            client.SendRaw($"SET k {i}\r\nWAITAOF 1 0 0\r\nGET k\r\nINCR n\r\nWAITAOF 1 1 1\r\nGET n\r\n");
            Assert.Equal("OK", client.ReadReply().AsString);
            Assert.Equal("*2\r\n:1\r\n:0\r\n", Encoding.Latin1.GetString(client.ReadReply().Raw));
            Assert.Equal($"{i}", client.ReadReply().AsString);
            Assert.Equal(i + 1, client.ReadReply().AsInteger);
            Assert.Equal(2, client.ReadReply().Items.Count); // The time may be over before the disk has it.
            Assert.Equal($"{i + 1}", client.ReadReply().AsString);
        }
    }

    [Theory]
    [InlineData("SHUTDOWN")]
    [InlineData("DEBUG LOADAOF")]
    [InlineData("CONFIG SET appendonly no")]
    [InlineData("BGREWRITEAOF")]
    [InlineData("SUBSCRIBE c")]
    public async Task Commands_that_change_no_data_refuse_the_start(string command)
    {
        await WriteAsync(command);
        Assert.Contains("which changes no data", await FailToStartAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_that_block_find_nothing_in_a_file()
    {
        await WriteAsync("BLPOP nosuch 0", "BLMOVE nosuch other LEFT RIGHT 0", "SET after 1");
        await using ServerProcess server = await StartAsync(ours: true);
        using RespClient client = server.Connect();
        Assert.Equal("1", client.Execute("GET", "after").AsString);
        Assert.Contains("blocked_clients:0", client.Execute("INFO", "clients").AsString, StringComparison.Ordinal);
        client.Execute("RPUSH", "nosuch", "x");
        Assert.Equal(1, client.Execute("LLEN", "nosuch").AsInteger);
    }

    private static string NextLine(Random random) => random.Next(12) switch
    {
        0 => "CONFIG SET appendonly no\r\n",
        1 or 2 => "CONFIG SET appendonly yes\r\n",
        3 or 4 => "BGREWRITEAOF\r\n",
        5 => "BGSAVE\r\n",
        6 => $"DEL p:{random.Next(20_000)}\r\n",
        7 => $"SADD s {random.Next(100)}\r\n",
        8 => "SPOP s\r\n",
        _ => $"INCR n:{random.Next(5)}\r\n",
    };

    private static void WaitUntilWritten(RespClient client)
    {
        Wait(() => Info(client, "aof_rewrite_in_progress") == "0" && Info(client, "aof_rewrite_scheduled") == "0");
        client.Execute("CONFIG", "SET", "appendfsync", "always");
        client.Execute("INCR", "n");
        Assert.Equal(1, client.Execute("WAITAOF", "1", "0", "10000").Items[0].AsInteger);
    }

    // Appends requests to the file of a server that has ended.
    private async Task WriteAsync(params string[] commands)
    {
        await using (ServerProcess server = await StartAsync(ours: true))
        {
            using RespClient client = server.Connect();
            client.Execute("SET", "k", "1");
            Assert.Equal(0, await server.StopAsync());
        }

        using FileStream file = new(
            Path.Combine(Root, "appendonlydir", "appendonly.aof.1.incr.aof"), FileMode.Append, FileAccess.Write);
        foreach (string command in commands)
        {
            file.Write(CommandLine.ToRequest([.. command.Split(' ').Select(Encoding.Latin1.GetBytes)]));
        }
    }
}
