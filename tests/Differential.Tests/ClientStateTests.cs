using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>What CLIENT LIST says about clients in every state, and which of them CLIENT KILL closes: the same on both servers.</summary>
public sealed partial class ClientStateTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const int ClientCount = 4;
    private const int PatienceMs = 20_000;

    // "client: command"; {id N}, {addr N} and {laddr} stand for those of a client. ~ waits for no reply, but for the client to
    // be blocked; < reads one more reply of that client; ! expects the connection to be closed, and opens a new one.
    private static readonly string[] States =
    [
        "0: CLIENT INFO", "1: PING", "1: CLIENT SETNAME name", "1: SELECT 3", "1: NOSUCH", "1: CLIENT NOSUCH", "1: CLIENT",
        "1: GET", "1: GET k", "1: LPUSH", "1: CONFIG GET maxmemory", "1: OBJECT ENCODING nokey",
        "1: MULTI", "1: SET k v", "1: GET k", "1: GET", "1: NOSUCH", "1: EXEC",
        "1: MULTI", "1: SET k v", "1: CLIENT INFO", "1: EXEC",
        "1: WATCH k", "1: MULTI", "2: SELECT 3", "2: SET k w", "1: GET k", "1: EXEC",
        "1: WATCH k", "1: UNWATCH", "1: MULTI", "1: DISCARD",
        "2: HELLO 3", "2: HELLO 2 SETNAME other", "2: CLIENT NO-EVICT on", "2: CLIENT NO-EVICT off", "2: RESET",
        "2: SUBSCRIBE a", "2: PSUBSCRIBE p*", "2: SUBSCRIBE b", "0: CLIENT LIST TYPE pubsub", "0: CLIENT LIST TYPE normal",
        "0: PUBLISH a x", "2<", "2: UNSUBSCRIBE a", "2: UNSUBSCRIBE b", "2: PUNSUBSCRIBE p*",
        "~1: BLPOP nokey 0", "0: CLIENT UNBLOCK {id 1}", "1<", "0: CLIENT UNBLOCK {id 1}",
        "~1: BLPOP nokey 0", "0: CLIENT UNBLOCK {id 1} ERROR", "1<", "~1: BRPOP nokey 0", "0: CLIENT UNBLOCK {id 1} timeout", "1<",
        "~1: XREAD BLOCK 0 STREAMS s $", "0: CLIENT UNBLOCK {id 1} error", "1<",
        "0: CLIENT PAUSE 100000 WRITE", "1: GET k", "~1: SET k x", "2: MULTI", "~2: SET k y", "0: CLIENT UNPAUSE", "1<", "2<",
        "0: CLIENT PAUSE 100000 WRITE", "~2: EXEC", "0: CLIENT UNPAUSE", "2<",
        "~1: BLPOP nokey 0.2", "0: CLIENT PAUSE 100000 WRITE", "1<", "0: CLIENT UNPAUSE",
        "0: CLIENT LIST ID {id 0} {id 1} 99999 {id 1}",
    ];

    private static readonly string[] Kills =
    [
        "0: CLIENT KILL ID {id 1}", "1!", "0: CLIENT KILL {addr 1}", "1!", "0: CLIENT KILL ADDR {addr 1}", "1!",
        "0: CLIENT KILL LADDR {laddr} ID {id 1}", "1!", "0: CLIENT KILL LADDR {laddr} ADDR {addr 1}", "1!",
        "1: SUBSCRIBE a", "0: CLIENT KILL TYPE pubsub", "1!", "0: CLIENT KILL ID {id 1} ADDR {addr 2}", "1: PING", "2: PING",
        "0: CLIENT KILL USER default ID {id 1}", "1!", "0: CLIENT KILL USER default TYPE pubsub", "0: CLIENT KILL ID {id 1} ID {id 2}", "2!",
        "1: PING", "0: CLIENT KILL ID {id 0}", "0: CLIENT KILL ID {id 0} SKIPME yes", "0: CLIENT KILL ID {id 0} SKIPME no", "0!",
        "0: CLIENT KILL {addr 0}", "0!", "0: CLIENT KILL SKIPME no SKIPME yes ID {id 0}",
        "~1: BLPOP nokey 0", "0: CLIENT KILL ID {id 1}", "1!",
        "1: MULTI", "1: SET killed x", "1: CLIENT KILL ID {id 1} SKIPME no", "1: EXEC", "1!", "0: GET killed",
        "1: MULTI", "1: SET killed y", "0: CLIENT KILL ID {id 1}", "1!", "0: GET killed",
    ];

    [Fact]
    public Task Clients_are_described_the_same_in_every_state() => PlayAsync(States);

    [Fact]
    public Task The_same_clients_are_killed() => PlayAsync(Kills);

    [Fact]
    public async Task Clients_that_take_too_much_memory_are_evicted()
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        Assert.Equal(EvictLargest(pair.Reference), EvictLargest(pair.Ours));
    }

    private async Task PlayAsync(string[] steps)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using Side ours = new(pair.Ours);
        using Side reference = new(pair.Reference);
        foreach (string step in steps)
        {
            string expected = reference.Play(step);
            string actual = ours.Play(step);
            Assert.True(expected == actual, $"{step}\nours:\n{actual}\nreference:\n{expected}");
        }
    }

    // The limit is that of all clients: 2 MB. Returns who was closed, in which order.
    private static string EvictLargest(ServerProcess server)
    {
        using RespClient observer = server.Connect();
        using RespClient asking = server.Connect();
        using RespClient queuing = server.Connect();
        using RespClient unread = server.Connect();
        using RespClient spared = server.Connect();
        StringBuilder told = new();
        long before = Evicted();
        observer.Execute("CONFIG", "SET", "maxmemory-clients", "2mb");
        observer.Execute("SET", "value", new string('v', 100_000));

        // A request that does not come to its end.
        Send(asking, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$50000000\r\n" + new string('x', 3_000_000));
        AwaitEviction(asking, "asking");

        // Commands that are queued.
        queuing.Execute("MULTI");
        for (int i = 0; i < 30 && Evicted() == before + 1; i++)
        {
            Send(queuing, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n" + new string('x', 100_000) + "\r\n");
        }

        AwaitEviction(queuing, "queuing");

        // Replies nobody reads.
        for (int i = 0; i < 2000 && Evicted() == before + 2; i++)
        {
            Send(unread, "GET value\r\n");
        }

        AwaitEviction(unread, "unread");

        // One that may not be evicted: all the others are, whoever asks included.
        spared.Execute("CLIENT", "NO-EVICT", "ON");
        Send(spared, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$50000000\r\n" + new string('x', 3_000_000));
        AwaitEnd(observer);
        told.Append(" observer");
        spared.Dispose();
        LiftLimit(server);
        return told.ToString();

        long Evicted() => Field(observer, "evicted_clients");

        void AwaitEviction(RespClient client, string name)
        {
            AwaitEnd(client);
            told.Append(CultureInfo.InvariantCulture, $" {name} {Evicted() - before}");
        }
    }

    // The server may close the connection meanwhile.
    private static void Send(RespClient client, string bytes)
    {
        try
        {
            client.SendRaw(bytes);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Then there is nobody to send to.
        }
    }

    // As long as the server has not noticed that the spared client is gone, it closes every other.
    private static void LiftLimit(ServerProcess server)
    {
        long end = Environment.TickCount64 + PatienceMs;
        bool isLifted = false;
        while (!isLifted)
        {
            Assert.True(Environment.TickCount64 < end, "No client is let in.");
            try
            {
                using RespClient client = server.Connect();
                isLifted = client.Execute("CONFIG", "SET", "maxmemory-clients", "0").AsString == "OK";
            }
            catch (Exception closed) when (closed is IOException or System.Net.Sockets.SocketException)
            {
                // The next one, perhaps.
            }
        }
    }

    private static long Field(RespClient client, string name)
    {
        string info = client.Execute("INFO", "stats").AsString;
        return long.Parse(Regex.Match(info, name + @":(\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    // The end may come as an end or as a reset, and in the middle of replies.
    private static void AwaitEnd(RespClient client)
    {
        long end = Environment.TickCount64 + PatienceMs;
        while (true)
        {
            try
            {
                if (client.ReadUntilQuiet(50).Closed)
                {
                    return;
                }

                client.SendRaw("PING\r\n");
            }
            catch (Exception closed) when (closed is IOException or System.Net.Sockets.SocketException)
            {
                return;
            }

            Assert.True(Environment.TickCount64 < end, "The connection was not closed.");
        }
    }

    /// <summary>One server with its clients, the last of which looks on.</summary>
    private sealed partial class Side(ServerProcess server) : IDisposable
    {
        private readonly RespClient[] _clients = [.. Enumerable.Range(0, ClientCount).Select(_ => server.Connect())];
        private readonly RespClient _observer = server.Connect();

        /// <summary>Plays a step and tells its reply and what CLIENT LIST says then.</summary>
        public string Play(string step)
        {
            Match parts = StepForm().Match(step);
            Assert.True(parts.Success, step);
            int client = int.Parse(parts.Groups["client"].Value, CultureInfo.InvariantCulture);
            string reply = "";
            switch (parts.Groups["kind"].Value)
            {
                case "!":
                    AwaitEnd(_clients[client]);
                    _clients[client].Dispose();
                    _clients[client] = server.Connect();
                    AwaitAccepted(client);
                    break;
                case "<":
                    reply = Reply(client);
                    break;
                default:
                    _clients[client].Send(CommandLine.Split(Expand(parts.Groups["command"].Value)));
                    if (step[0] == '~')
                    {
                        AwaitBlocked(client);
                    }
                    else
                    {
                        reply = Reply(client);
                    }

                    break;
            }

            return reply + "\n" + string.Join('\n', _clients.Select(Describe));
        }

        // The system has taken the connection; the server may list its clients before it does.
        private void AwaitAccepted(int client)
        {
            long end = Environment.TickCount64 + PatienceMs;
            while (Describe(_clients[client]) == "gone")
            {
                Assert.True(Environment.TickCount64 < end, "The client is not accepted.");
            }
        }

        public void Dispose()
        {
            Array.ForEach(_clients, client => client.Dispose());
            _observer.Dispose();
        }

        private string Reply(int client)
        {
            string text = Encoding.Latin1.GetString(_clients[client].ReadReply().Raw);
            return text.Contains("\nproto\r", StringComparison.Ordinal) ? "HELLO"
                : text.Contains("laddr=", StringComparison.Ordinal)
                ? string.Join('\n', text.Split('\n').Where(line => line.StartsWith("id=", StringComparison.Ordinal)).Select(Fields))
                : text;
        }

        private string Describe(RespClient client)
        {
            string address = Address(client);
            string? line = Array.Find(
                _observer.Execute("CLIENT", "LIST").AsString.Split('\n'),
                line => line.Contains(" addr=" + address + " ", StringComparison.Ordinal));
            return line is null ? "gone" : Fields(line);
        }

        private void AwaitBlocked(int client)
        {
            long end = Environment.TickCount64 + PatienceMs;
            while (!Describe(_clients[client]).Contains('b', StringComparison.Ordinal)
                || !Regex.IsMatch(Describe(_clients[client]), @"flags=\w*b"))
            {
                Assert.True(Environment.TickCount64 < end, "The client does not wait.");
            }
        }

        private string Expand(string command) => Place().Replace(command, place =>
        {
            string what = place.Groups["what"].Value;
            if (what == "laddr")
            {
                return string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{server.Port}");
            }

            RespClient client = _clients[int.Parse(place.Groups["client"].Value, CultureInfo.InvariantCulture)];
            if (what == "addr")
            {
                return Address(client);
            }

            string line = _observer.Execute("CLIENT", "LIST").AsString.Split('\n')
                .Single(line => line.Contains(" addr=" + Address(client) + " ", StringComparison.Ordinal));
            return line.Split(' ')[0]["id=".Length..];
        });

        private static string Address(RespClient client) =>
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{client.LocalPort}");

        // What is the same whatever the memory layout and the moment: see DIFFERENCES.md, client-memory and newer-commands.
        private static string Fields(string line) => string.Join(
            ' ',
            line.Split(' ').Where(field => field.Split('=')[0] is "name" or "flags" or "db" or "sub" or "psub" or "ssub" or "multi"
                or "multi-mem" or "events" or "cmd" or "user" or "redir" or "resp"));

        [GeneratedRegex(@"^~?(?<client>\d)(?<kind>[!<:]) ?(?<command>.*)$")]
        private static partial Regex StepForm();

        [GeneratedRegex(@"\{(?<what>\w+) ?(?<client>\d?)\}")]
        private static partial Regex Place();
    }
}
