using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Several clients wait for streams at both servers while another changes them: each gets the same bytes.</summary>
public sealed class StreamBlockingTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const string Read = "XREAD BLOCK 0 STREAMS s $";
    private const string ReadGroup = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >";
    private const string ReadOther = "XREADGROUP GROUP h d NOACK BLOCK 0 STREAMS s >";
    private const string ReadTwo = "XREADGROUP GROUP g c BLOCK 0 STREAMS s t > >";

    /// <summary>Who waits, and what happens then; <c>|</c> separates commands. RESTORE takes a key for the payload.</summary>
    public static TheoryData<string, string> Cases => new()
    {
        { $"{Read}|{ReadGroup}|{ReadGroup}|{ReadOther}", "XADD s 2-1 a b|XADD s 3-1 a b|XPENDING s g|XLEN s" },
        { $"{Read}|{ReadGroup}", "XADD s MAXLEN 0 2-1 a b" },
        { $"{Read}|{ReadGroup}|{ReadTwo}", "DEL s|XADD s 5-1 a b" },
        { $"{Read}|{ReadGroup}|{ReadTwo}", "UNLINK t s" },
        { $"{Read}|{ReadGroup}", "SET s x|DEL s|XADD s 9-9 a b" },
        { $"{Read}|{ReadGroup}|{ReadOther}", "XGROUP DESTROY s g|XADD s 2-2 a b" },
        { $"{Read}|{ReadGroup}", "XGROUP SETID s g 0|EXPIRE s 1000|PERSIST s|XADD s 2-2 a b" },
        { $"{Read}|{ReadGroup}", "XSETID s 9-9|XDEL s 1-1|XTRIM s MAXLEN 0|XADD s 10-1 a b" },
        { $"{Read}|{ReadGroup}", "RENAME s u" },
        { $"{Read}|{ReadGroup}", "RENAME full s" },
        { $"{Read}|XREAD BLOCK 0 STREAMS new 0", "RENAME full new" },
        { "XREAD BLOCK 0 STREAMS new $|XREAD BLOCK 0 STREAMS s new $ 0", "COPY full new" },
        { $"{Read}|{ReadGroup}|{ReadOther}", "COPY full s REPLACE" },
        { $"{Read}|{ReadGroup}|{ReadOther}", "COPY s u|XADD u 9-9 a b|XGROUP SETID u g 0|COPY u s REPLACE" },
        { $"{Read}|{ReadGroup}|{ReadOther}", "RESTORE s full" },
        { $"{Read}|{ReadGroup}|{ReadOther}", "COPY s u|XADD u 9-9 a b|RESTORE s u" },
        { $"{Read}|{ReadGroup}", "RESTORE s s|XADD s 7-7 a b" },
        { "XREAD BLOCK 0 STREAMS new 0|XREAD BLOCK 0 STREAMS new 5-5|BLPOP new 0", "RESTORE new full|XADD new 7-7 a b" },
        { "XREAD BLOCK 0 STREAMS new 0", "RESTORE new set|DEL new|RESTORE new full" },
        { $"{Read}|{ReadGroup}|{ReadOther}", "DEBUG RELOAD|XADD s 7-7 a b|XPENDING s g" },
        { $"{Read}|{ReadGroup}|{ReadOther}|XREAD BLOCK 0 STREAMS new 0", "DEBUG RELOAD" },
        { $"{Read}|{ReadGroup}", "DEL t|SAVE|DEBUG RELOAD NOSAVE|RENAME full s" },
        { $"{Read}|{ReadGroup}", "FLUSHALL|XADD s 7-7 a b" },
        { $"{Read}|{ReadGroup}", "FLUSHDB" },
        { $"{Read}|{ReadGroup}", "SWAPDB 0 1|SWAPDB 0 1|XADD s 8-8 a b" },
        { $"{Read}|{ReadGroup}", "MOVE s 1" },
        { $"{Read}|{ReadGroup}", "EXPIRE s -1" },
        { ReadGroup, "PEXPIRE s 1" },
        { $"{Read}|{ReadGroup}", "SUNIONSTORE s set" },
        { $"{Read}|{ReadGroup}", "XGROUP CREATE s i 0|XGROUP CREATECONSUMER s g x|XGROUP DELCONSUMER s g x|XADD s 2-1 a b" },
        { "XREAD BLOCK 0 STREAMS s t $ $|XREAD BLOCK 0 COUNT 1 STREAMS t s 1-1 $|XREAD BLOCK 0 STREAMS t t $ $", "XADD t 2-1 a b|XADD s 2-1 a b" },
        { "XREAD BLOCK 0 STREAMS new $", "LPUSH new a|DEL new|XGROUP CREATE new g $ MKSTREAM|XADD new 1-1 a b" },
        { "XREAD BLOCK 10 STREAMS s $|XREADGROUP GROUP g c BLOCK 10 STREAMS s >", "PING" },
        { "XREAD BLOCK 0 STREAMS new $|BLPOP new 0", "RPUSH new x y|DEL new|XADD new 1-1 a b" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Who_waits_gets_the_same_from_both_servers(string waits, string actions)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        foreach (string protocol in new[] { "2", "3" })
        {
            Assert.Equal(Play(pair.Reference, waits, actions, protocol), Play(pair.Ours, waits, actions, protocol));
        }
    }

    private static List<string> Play(ServerProcess server, string waits, string actions, string protocol)
    {
        using RespClient actor = server.Connect();
        actor.Execute("FLUSHALL");
        foreach (string line in new[]
        {
            "XADD s 1-1 a b", "XADD t 1-1 a b", "XADD full 5-5 x y", "SADD set m", "XGROUP CREATE s g $", "XGROUP CREATE s h $",
            "XGROUP CREATE t g $",
        })
        {
            Assert.False(actor.ExecuteLine(line).IsError);
        }

        // One after another, so that it is certain in which order they wait.
        List<RespClient> waiting = [];
        List<string> answers = [];
        try
        {
            foreach (string wait in waits.Split('|'))
            {
                RespClient client = server.Connect();
                waiting.Add(client);
                client.Execute("HELLO", protocol);
                client.Send(wait.Split(' '));
                long end = Environment.TickCount64 + 10_000;
                while (!wait.Contains("BLOCK 10 ", StringComparison.Ordinal) && BlockedCount(actor) < waiting.Count)
                {
                    Assert.True(Environment.TickCount64 < end, $"{wait} does not wait.");
                }
            }

            foreach (string action in actions.Split('|'))
            {
                answers.Add(Do(actor, action).ToString());
            }

            for (int i = 0; i < waiting.Count; i++)
            {
                // Whoever still waits says so by not answering what comes behind.
                bool isOver = IsOver(actor, waiting[i], waits.Split('|')[i], actions);
                answers.Add(isOver ? waiting[i].ReadReply().ToString() : "waits");
            }
        }
        finally
        {
            waiting.ForEach(client => client.Dispose());
        }

        return answers;
    }

    private static RespValue Do(RespClient actor, string action)
    {
        string[] words = action.Split(' ');
        if (words[0] != "RESTORE")
        {
            return actor.ExecuteLine(action);
        }

        byte[] payload = actor.Execute("DUMP", words[2]).Text;
        actor.Send(["RESTORE"u8.ToArray(), Encoding.Latin1.GetBytes(words[1]), "0"u8.ToArray(), payload, "REPLACE"u8.ToArray()]);
        RespValue reply = actor.ReadReply();
        Assert.Equal("OK", reply.AsString);
        return reply;
    }

    private static bool IsOver(RespClient actor, RespClient client, string wait, string actions)
    {
        bool ends = wait.Contains("BLOCK 10 ", StringComparison.Ordinal) || actions == "PEXPIRE s 1";
        long end = Environment.TickCount64 + 10_000;
        while (ends && !client.HasPendingBytes)
        {
            Assert.True(Environment.TickCount64 < end, "The wait does not end.");
        }

        // A server writes replies out before it reads the next request, so one round trip is enough.
        actor.Execute("PING");
        actor.Execute("PING");
        return client.HasPendingBytes;
    }

    private static int BlockedCount(RespClient client)
    {
        string info = client.Execute("INFO", "clients").AsString;
        int at = info.IndexOf("blocked_clients:", StringComparison.Ordinal) + "blocked_clients:".Length;
        return int.Parse(info[at..info.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
    }
}
