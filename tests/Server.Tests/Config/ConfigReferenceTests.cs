using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Tests.Config;

/// <summary>CONFIG beside a real redis-server 7.0; skipped where there is none.</summary>
public sealed class ConfigReferenceTests : IDisposable
{
    private readonly ConfigFixture _fixture = new();
    private Process? _redis;
    private Socket? _socket;
    private StreamReader? _replies;

    // Ours on purpose; DIFFERENCES.md says why.
    private static readonly HashSet<string> DifferentDefaults = ["bind", "sanitize-dump-payload"];

    private static readonly HashSet<string> Environmental = ["dir", "logfile", "port", "unixsocket", "save", "maxclients"];

    public void Dispose()
    {
        _socket?.Dispose();
        if (_redis is not null)
        {
            _redis.Kill();
            _redis.WaitForExit();
            _redis.Dispose();
        }

        _fixture.Dispose();
    }

    [Fact]
    public void Every_name_of_the_reference_answers_with_the_same_default()
    {
        StartReference();
        Dictionary<string, string> theirs = Pairs(Ask("CONFIG", "GET", "*"));
        Assert.True(theirs.Count > 180);
        Dictionary<string, string> ours = ConfigFixture.Get(ConfigFixture.Service(), "*");
        Assert.Empty(theirs.Keys.Except(ours.Keys));
        Assert.Equal(
            ["event-loop", "key-statistics", "metrics-bind", "metrics-port", "set-max-listpack-entries", "set-max-listpack-value"],
            ours.Keys.Except(theirs.Keys).Order());
        foreach ((string name, string value) in theirs)
        {
            if (!DifferentDefaults.Contains(name) && !Environmental.Contains(name))
            {
                Assert.True(ours[name] == value, $"{name}: ours '{ours[name]}', theirs '{value}'");
            }
        }
    }

    [Fact]
    public void Errors_and_values_after_CONFIG_SET_are_those_of_the_reference()
    {
        StartReference();
        ConfigService service = ConfigFixture.Service();
        Assert.Null(ConfigFixture.Set(service, "sanitize-dump-payload", "no")); // Begins with yes here.

        // Options whose change does something to the machine or the connection that asks.
        string[] left = ["bind", "port", "requirepass", "tls-port", "activedefrag", "dir", "logfile", "maxclients",
            "loglevel", "event-loop", "set-max-listpack-entries", "set-max-listpack-value", "maxmemory",
            "oom-score-adj", "watchdog-period", "crash-memcheck-enabled", "latency-tracking-info-percentiles",
            "cluster-announce-hostname", "bind-source-addr", "masteruser", "masterauth", "tracking-table-max-keys"];

        // We keep 63 bits of an amount of memory and refuse more; these two take 64 there.
        left = [.. left, "key-statistics", "metrics-bind", "metrics-port", "maxmemory-clients", "cluster-link-sendbuf-limit"];
        string[] values = ["abc", "", "-1", "0", "1", "7", "yes", "NO", "99999999999999999999", "2mb", "1Gb", "70%", "101%",
            "a b", "1 2", "900 1", "+5", " 5", "1.5", "9223372036854775807", "KEA", "gxE", "normal 1 2 3", "foo 1 2 3",
            "replica 1mb 2mb 60 pubsub 0 0 0", "1 2 3", "1 2 3000", "save now", "save nosave", "always", "ALWAYS"];
        var wrong = new List<string>();
        foreach (ConfigOption option in ConfigRegistry.All.Where(o => !left.Contains(o.Name) && !o.Name.StartsWith("tls-", StringComparison.Ordinal)))
        {
            foreach (string value in values)
            {
                string theirs = Ask("CONFIG", "SET", option.Name, value)[0];
                string ours = ConfigFixture.Set(service, option.Name, value) is { } error ? "-" + error : "+OK";
                string theirValue = Ask("CONFIG", "GET", option.Name)[^1];
                string ourValue = ConfigFixture.Get(service, option.Name).Values.Single();
                if (theirs != ours || (theirValue != ourValue && !Environmental.Contains(option.Name)))
                {
                    wrong.Add($"{option.Name} '{value}': {theirs} {theirValue} / {ours} {ourValue}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("HZ", "1", "hz", "2")]
    [InlineData("slave-priority", "1", "replica-priority", "2")]
    [InlineData("hz", "10", "NoSuch", "1")]
    [InlineData("hz", "10", "DataBases", "1")]
    [InlineData("hz", "10", "timeout", "a", "port", "99999999")]
    [InlineData("Slave-Priority", "a")]
    [InlineData("include", "x")]
    [InlineData("Dir", "/")]
    public void Pairs_are_refused_in_the_words_of_the_reference(params string[] pairs)
    {
        StartReference();
        string theirs = Ask(["CONFIG", "SET", .. pairs])[0];
        string ours = ConfigFixture.Set(ConfigFixture.Service(), pairs) is { } error ? "-" + error : "+OK";
        Assert.Equal(theirs, ours);
    }

    private static Dictionary<string, string> Pairs(List<string> flat) =>
        flat.Chunk(2).ToDictionary(p => p[0], p => p[1]);

    private void StartReference()
    {
        const string Path = "/usr/bin/redis-server";
        Assert.SkipUnless(File.Exists(Path), "there is no redis-server here to compare with");
        string socket = System.IO.Path.Combine(_fixture.Folder, "s");
        _redis = Process.Start(new ProcessStartInfo(Path, $"--port 0 --unixsocket {socket} --save \"\" --logfile /dev/null --dir {_fixture.Folder}")
        {
            UseShellExecute = false,
        })!;
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        SpinWait.SpinUntil(() => TryConnect(socket), TimeSpan.FromSeconds(10));
        _replies = new StreamReader(new NetworkStream(_socket), Encoding.Latin1);
    }

    private bool TryConnect(string path)
    {
        try
        {
            _socket!.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // A reply as its elements; a single reply is one element, with its sign when it is no bulk string.
    private List<string> Ask(params string[] words)
    {
        var request = new StringBuilder();
        request.Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (string word in words)
        {
            request.Append(CultureInfo.InvariantCulture, $"${word.Length}\r\n{word}\r\n");
        }

        _socket!.Send(Encoding.Latin1.GetBytes(request.ToString()));
        var reply = new List<string>();
        int left = 1;
        while (left-- > 0)
        {
            string line = _replies!.ReadLine()!;
            switch (line[0])
            {
                case '*':
                    left += int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture);
                    break;
                case '$':
                    char[] text = new char[int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture) + 2];
                    _replies.ReadBlock(text);
                    reply.Add(new string(text, 0, text.Length - 2));
                    break;
                default:
                    reply.Add(line);
                    break;
            }
        }

        return reply;
    }
}
