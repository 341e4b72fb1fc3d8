using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using KvServer.Server.Config;
using KvServer.Storage;

namespace KvServer.Server.Tests.Persistence.Aof;

/// <summary>Commands that memory runs out for half-way: the append-only file holds what they have left.</summary>
public sealed partial class AofOutOfMemoryTests : CommandHarness
{
    private const int Entries = 200;

    private readonly TrackingHeap _heap;
    private readonly string _folder = Directory.CreateTempSubdirectory("kvserver-aof-memory-").FullName;
    private readonly ConcurrentQueue<Action> _posted = new();

    public AofOutOfMemoryTests()
        : this(new TrackingHeap())
    {
    }

    private AofOutOfMemoryTests(TrackingHeap heap)
        : base(heap)
    {
        _heap = heap;
        Server.Config.Dir = _folder;
        Server.Config.EnableDebugCommand = AccessPolicy.Yes;
        Server.Aof.PostWith(_posted.Enqueue);
        Assert.Null(Server.Aof.TryOpen());
    }

    [Theory]
    [InlineData("XREADGROUP GROUP g d COUNT 90 STREAMS s >")]
    [InlineData("XREADGROUP GROUP g d COUNT 90 STREAMS s s > >")]
    [InlineData("XREADGROUP GROUP g d COUNT 45 STREAMS s s > >")]
    [InlineData("XCLAIM s g d 0 <ids> LASTID 150-1")]
    [InlineData("XCLAIM s g d 0 <ids> FORCE")]
    [InlineData("XAUTOCLAIM s g d 0 0 COUNT 90")]
    public void What_was_claimed_before_memory_ran_out_stays_and_is_in_the_file(string line)
    {
        string ids = string.Join(' ', Enumerable.Range(40, 100).Select(i => Invariant($"{i}-1")));
        string[] request = line.Replace("<ids>", ids, StringComparison.Ordinal).Split(' ');
        int halfWay = 0;
        for (int failAt = 0; failAt < 500; failAt++)
        {
            MakeStream();
            string before = State();
            TestClient client = Connect();
            _heap.FailAfter(failAt);
            string reply = client.Raw(request);
            _heap.FailAfter(-1);
            Server.Aof.EndTurn();
            string after = State();
            if (!reply.StartsWith('-'))
            {
                Assert.NotEqual(before, after);
                Assert.Equal(after, StateAfterLoad());
                Assert.True(halfWay > 0, "It never failed half-way.");
                return;
            }

            Assert.StartsWith("-OOM", reply, StringComparison.Ordinal);
            Assert.Equal(1, reply.Count('\n'));
            Assert.Null(client.ClosedBecause);
            if (after != before)
            {
                halfWay++;
                Assert.True(Server.Aof.IsRewriteScheduled);
                TickUntil(() => !Server.Aof.IsRewriteScheduled && !Server.Aof.IsRewriting);
                Assert.Equal(after, State());
                Assert.Equal(after, StateAfterLoad());
            }
        }

        Assert.Fail("The command never had memory enough.");
    }

    public override void Dispose()
    {
        Server.Aof.Close();
        TickUntil(() => Server.Keyspace.Snapshot is null);
        base.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // Half of it is pending with another consumer, and all of it is shared, so that every change takes memory.
    private void MakeStream()
    {
        Run("DEL", "s", "copy");
        for (int i = 1; i <= Entries; i++)
        {
            Run("XADD", "s", Invariant($"{i}-1"), "field", "value");
        }

        Run("XGROUP", "CREATE", "s", "g", "0");
        Run("XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "STREAMS", "s", ">");
        Run("COPY", "s", "copy");
        Server.Aof.EndTurn();
    }

    // Not how many entries the group has read: XCLAIM in the file does not tell, here as in redis-server.
    private string State() => EntriesRead.Replace(Raw("XINFO", "STREAM", "s", "FULL", "COUNT", "0"), "")
        + Raw("XPENDING", "s", "g", "-", "+", "1000");

    [GeneratedRegex(@"entries-read\r\n[^\r]*\r\n\$3\r\nlag\r\n[^\r]*\r\n", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex EntriesRead { get; }

    private string StateAfterLoad()
    {
        Assert.Equal("OK", Run("DEBUG", "LOADAOF"));
        return State();
    }

    private void TickUntil(Func<bool> condition)
    {
        while (!condition())
        {
            while (_posted.TryDequeue(out Action? work))
            {
                work();
            }

            Server.Snapshots.Tick();
            Server.Aof.Tick();
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
