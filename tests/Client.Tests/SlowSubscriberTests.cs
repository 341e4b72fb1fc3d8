using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>Subscribers that stop reading beside others that go on.</summary>
public sealed class SlowSubscriberTests
{
    private const int SlowCount = 20;
    private const int FastCount = 4;
    private const int Batches = 200;
    private const int MessagesPerBatch = 20;
    private const int MessageBytes = 10_000;
    private const long LimitBytes = 1024 * 1024;

    [Fact]
    public async Task Those_who_do_not_read_are_cut_off_and_the_others_served_while_memory_stays_bounded()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            ServerOptions.ForTests().With("client-output-buffer-limit", $"pubsub {LimitBytes} 0 0"));
        List<RespClient> slow = Subscribe(server, SlowCount);
        List<RespClient> fast = Subscribe(server, FastCount);
        using RespClient publisher = server.Connect();
        string message = new('m', MessageBytes);
        PublishBatch(); // Brings code and pools to where they stay.
        long before = ProcessCounters.ResidentBytes(server.ProcessId);
        long peak = before;
        for (int i = 0; i < Batches; i++)
        {
            PublishBatch();
            peak = Math.Max(peak, ProcessCounters.ResidentBytes(server.ProcessId));
        }

        Assert.Equal(["news", FastCount.ToString(null as IFormatProvider)], publisher.Execute("PUBSUB", "NUMSUB", "news").AsStrings);

        // Undelivered were 40 MB for each; a limit for each and the shared messages are what may have been held.
        Assert.True(peak - before < (2 * SlowCount * LimitBytes) + 64_000_000, $"grew by {(peak - before) / 1e6:F0} MB");
        slow.ForEach(client => client.Dispose());
        fast.ForEach(client => client.Dispose());

        void PublishBatch()
        {
            for (int i = 0; i < MessagesPerBatch; i++)
            {
                publisher.Send("PUBLISH", "news", message);
            }

            for (int i = 0; i < MessagesPerBatch; i++)
            {
                Assert.True(publisher.ReadReply().AsInteger >= FastCount);
            }

            foreach (RespClient client in fast)
            {
                for (int i = 0; i < MessagesPerBatch; i++)
                {
                    Assert.Equal(MessageBytes, client.ReadReply().Items[2].Text.Length);
                }
            }
        }
    }

    private static List<RespClient> Subscribe(ServerProcess server, int count)
    {
        List<RespClient> clients = [.. Enumerable.Range(0, count).Select(_ => server.Connect())];
        clients.ForEach(client => client.Execute("SUBSCRIBE", "news"));
        return clients;
    }
}
