using System.Text;
using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>Everything StackExchange.Redis asks when it connects, in one write.</summary>
public sealed class ConnectBatchTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Theory]
    [InlineData("2")]
    [InlineData("3")]
    public void The_batch_of_a_connecting_client_is_answered_in_order(string protocol)
    {
        byte[] token = [.. "\0\r\n"u8, 0xff, 0xfe, .. "abcdefghijk"u8];
        byte[][][] batch =
        [
            Words("HELLO", protocol),
            Words("CLIENT", "SETNAME", "web-1"),
            Words("CLIENT", "SETINFO", "lib-name", "SE.Redis"),
            Words("CLIENT", "SETINFO", "lib-ver", "2.8.0"),
            Words("CLIENT", "ID"),
            Words("CONFIG", "GET", "replica-read-only"),
            Words("CONFIG", "GET", "slave-read-only"),
            Words("CONFIG", "GET", "databases"),
            Words("CONFIG", "GET", "timeout"),
            Words("SENTINEL", "MASTERS"),
            Words("INFO", "replication"),
            Words("INFO", "server"),
            Words("CLUSTER", "NODES"),
            Words("GET", "__Booksleeve_TieBreak"),
            [.. Words("ECHO"), token],
        ];
        using MemoryStream request = new();
        foreach (byte[][] command in batch)
        {
            CommandLine.AppendRequest(request, command);
        }

        using RespClient client = shared.Server.Connect();
        client.SendRaw(request.ToArray());
        RespValue[] replies = [.. batch.Select(_ => client.ReadReply())];

        Assert.Equal(protocol, replies[0]["proto"]!.AsString);
        Assert.Equal("OK", replies[1].AsString);
        if (!TestPaths.IsStandIn)
        {
            Assert.Equal("OK", replies[2].AsString);
            Assert.Equal("OK", replies[3].AsString);
        }

        Assert.True(replies[4].AsInteger > 0);
        Assert.Equal("yes", replies[5]["replica-read-only"]!.AsString);
        Assert.Equal("yes", replies[6]["slave-read-only"]!.AsString);
        Assert.Equal("16", replies[7]["databases"]!.AsString);
        Assert.Equal("0", replies[8]["timeout"]!.AsString);
        Assert.StartsWith("ERR unknown command", replies[9].AsString, StringComparison.Ordinal);
        Assert.Contains("role:master", replies[10].AsString, StringComparison.Ordinal);
        Assert.Contains("redis_version:", replies[11].AsString, StringComparison.Ordinal);
        Assert.True(replies[12].IsError);
        Assert.True(replies[13].IsNull);
        Assert.Equal(token, replies[14].Text);
        Assert.False(client.HasPendingBytes);
    }

    private static byte[][] Words(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];
}
