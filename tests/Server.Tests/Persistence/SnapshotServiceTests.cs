using KvServer.Server.Config;
using KvServer.Server.Persistence;
using KvServer.Storage;

namespace KvServer.Server.Tests.Persistence;

/// <summary>Saves that are given up, and those that come after them.</summary>
public sealed class SnapshotServiceTests : CommandHarness
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kvserver-saves-").FullName;

    public SnapshotServiceTests()
    {
        Server.Config.Dir = _folder;
        for (int i = 0; i < 50_000; i++)
        {
            Run("SET", "k" + i, "v");
        }
    }

    [Fact]
    public void A_background_save_waits_for_the_walk_of_one_that_was_given_up()
    {
        Assert.Equal("Background saving started", Run("BGSAVE"));
        Server.Snapshots.Tick();
        Server.Snapshots.GiveUp();
        Assert.Equal("Background saving scheduled", Run("BGSAVE"));
        Assert.Equal("Background saving scheduled", Run("BGSAVE", "SCHEDULE"));
        Assert.False(Server.Snapshots.IsSaving);
        Assert.NotNull(Server.Keyspace.Snapshot); // Nothing has been walked in one stretch.
        Run("SET", "later", "v");
        int ticks = TickUntil(() => Server.Snapshots.IsSaving);
        Assert.InRange(ticks, 2, int.MaxValue);
        Assert.False(Server.Snapshots.IsScheduled);
        Assert.Equal("ERR Background save already in progress", Error("BGSAVE"));
        TickUntil(() => !Server.Snapshots.IsSaving);
        Assert.True(Server.Snapshots.LastSucceeded);
        Assert.Equal(1, Server.Snapshots.SaveCount);
        Assert.Equal(["dump.rdb"], Directory.GetFiles(_folder).Select(Path.GetFileName));
        Assert.Equal(0, Server.Statistics.Dirty);
    }

    [Fact]
    public void A_save_that_waits_does_not_begin_after_the_last_one()
    {
        Run("BGSAVE");
        Server.Snapshots.GiveUp();
        Assert.Equal("Background saving scheduled", Run("BGSAVE"));
        Assert.True(Server.Snapshots.TryPrepareShutdown(new(Save: true, Now: false, Force: false)));
        Assert.Equal(long.MaxValue, Server.Snapshots.Tick());
        Assert.False(Server.Snapshots.IsSaving);
        Assert.Equal(1, Server.Snapshots.SaveCount);
    }

    [Fact]
    public void FLUSHALL_ends_a_save_without_walking_over_the_data()
    {
        for (int i = 0; i < 3000; i++)
        {
            Run("SADD", "set", "member" + i);
        }

        Run("SET", "long", new string('x', 300_000));
        Run("BGSAVE");
        Run("SREM", "set", "member1"); // Begins a part.
        Run("DEL", "long");
        Assert.NotNull(Server.Keyspace.Snapshot);
        Assert.Equal("OK", Run("FLUSHALL"));
        Assert.Null(Server.Keyspace.Snapshot);
        Assert.True(Server.Keyspace.ResizingAllowed);
        Run("SADD", "set", "a", "b");
        TickUntil(() => Run("BGSAVE") is "Background saving started");
        TickUntil(() => !Server.Snapshots.IsSaving);
        Assert.True(Server.Snapshots.LastSucceeded);
        Assert.Equal(1, Server.Snapshots.SaveCount);
    }

    [Fact]
    public void A_delayed_save_shows_how_far_it_is_and_ends_at_once_when_it_is_given_up()
    {
        Server.Config.RdbKeySaveDelayMicros = int.MaxValue; // Half an hour for each key.
        Run("BGSAVE");
        TickUntil(() => Server.Snapshots.KeysProcessed > 0);
        Assert.InRange(Server.Snapshots.KeysProcessed, 1, 49_999);
        Assert.Equal(50_000, Server.Snapshots.KeysTotal);
        Server.Config.RdbKeySaveDelayMicros = 0; // That is for the next one.
        Run("FLUSHALL");
        Run("SET", "later", "v");
        TickUntil(() => !Server.Snapshots.IsBusy);
        Assert.Equal(0, Server.Snapshots.SaveCount);
        Run("BGSAVE");
        TickUntil(() => !Server.Snapshots.IsSaving);
        Assert.Equal(1, Server.Snapshots.SaveCount);
    }

    [Fact]
    public void A_save_that_a_transaction_schedules_is_not_shown_as_running_yet()
    {
        Run("MULTI");
        Run("BGSAVE");
        Run("INFO", "persistence");
        object?[] replies = Assert.IsType<object?[]>(Run("EXEC"));
        Assert.Equal("Background saving scheduled", replies[0]);
        Assert.Contains("rdb_bgsave_in_progress:0", (string)replies[1]!, StringComparison.Ordinal);
        TickUntil(() => Server.Snapshots.SaveCount == 1);
    }

    [Fact]
    public async Task A_delayed_load_goes_on_when_the_option_changes_and_one_of_DEBUG_knows_no_delay()
    {
        Run("SAVE");
        Server.Config.EnableDebugCommand = AccessPolicy.Yes;
        Server.Config.KeyLoadDelayMicros = int.MaxValue;
        Assert.Equal("OK", await RunAsync("DEBUG", "RELOAD", "NOSAVE"));
        Assert.Equal(50_000L, Run("DBSIZE"));
        Run("FLUSHALL");
        Server.Config.KeyLoadDelayMicros = 0;
        TickUntil(() => !Server.Snapshots.IsBusy);
        using DatasetLoader loader = DatasetLoader.TryOpen(Server)!;
        Server.Config.KeyLoadDelayMicros = int.MaxValue - 1;
        Assert.True(loader.Tick() > 10_000);
        long loaded = loader.KeysLoaded;
        Assert.InRange(loaded, 1, 49_999);
        Assert.True(loader.Tick() > 10_000);
        Assert.Equal(loaded, loader.KeysLoaded);
        Server.Config.KeyLoadDelayMicros = int.MaxValue - 2;
        Assert.True(loader.Tick() > 10_000);
        Assert.Equal(2 * loaded, loader.KeysLoaded);
        Server.Config.KeyLoadDelayMicros = 0;
        for (int i = 0; i < 10_000 && loader.KeysLoaded < 50_000; i++)
        {
            loader.Tick();
        }

        Assert.Equal(50_000L, Run("DBSIZE"));
    }

    [Fact]
    public async Task Who_waits_for_the_end_of_a_delayed_rewrite_waits_for_no_delay()
    {
        Server.Config.RdbKeySaveDelayMicros = int.MaxValue;
        Run("BGREWRITEAOF");
        TickUntil(() => Server.Snapshots.KeysProcessed > 0);
        Server.Config.RdbKeySaveDelayMicros = 0;
        Assert.Equal("OK", await RunAsync("SAVE"));
        Assert.Contains("aof_last_bgrewrite_status:ok", (string)Run("INFO", "persistence")!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_save_that_waits_for_the_end_of_one_that_was_given_up_is_shown_as_running()
    {
        Run("BGSAVE");
        Run("FLUSHALL");
        Assert.Contains("rdb_bgsave_in_progress:0", (string)Run("INFO", "persistence")!, StringComparison.Ordinal);
        Assert.Equal("Background saving scheduled", Run("BGSAVE"));
        Assert.Contains("rdb_bgsave_in_progress:1", (string)Run("INFO", "persistence")!, StringComparison.Ordinal);
        TickUntil(() =>
        {
            Assert.Contains("rdb_bgsave_in_progress:1", (string)Run("INFO", "persistence")!, StringComparison.Ordinal);
            return Server.Snapshots.IsSaving;
        });
        TickUntil(() => !Server.Snapshots.IsSaving);
        Assert.Contains("rdb_bgsave_in_progress:0", (string)Run("INFO", "persistence")!, StringComparison.Ordinal);
        Assert.Equal(1, Server.Snapshots.SaveCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_save_that_memory_runs_out_for_fails_and_everything_else_goes_on(bool forParts)
    {
        Run(["SADD", "set", .. Enumerable.Range(0, 3000).Select(i => "member" + i)]);
        Run("SET", "long", new string('x', 300_000));
        int failures = 3;
        byte[] Fail(int bytes) => failures-- > 0 ? throw new OutOfMemoryException() : new byte[bytes];
        Server.Snapshots.CreateQueue =
            () => forParts ? new SnapshotQueue { AllocateKey = Fail } : new SnapshotQueue { Allocate = Fail };

        long dirty = Server.Statistics.Dirty;
        Assert.Equal("Background saving started", Run("BGSAVE"));
        TickUntil(() => !Server.Snapshots.IsSaving);
        Assert.False(Server.Snapshots.LastSucceeded);
        Assert.Equal(0, Server.Snapshots.SaveCount);
        Assert.Equal(dirty, Server.Statistics.Dirty);
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.Contains("rdb_last_bgsave_status:err", (string)Run("INFO", "persistence")!, StringComparison.Ordinal);
        Assert.Equal("v", Run("GET", "k1"));
        Assert.Equal(1L, Run("SREM", "set", "member7"));
        failures = 3;
        Assert.StartsWith("ERR", Error("SAVE"), StringComparison.Ordinal);
        Assert.Equal("OK", Run("SET", "k1", "w"));

        Server.Snapshots.CreateQueue = () => new SnapshotQueue();
        Assert.Equal("Background saving started", Run("BGSAVE"));
        Run("SREM", "set", "member8");
        TickUntil(() => !Server.Snapshots.IsSaving);
        Assert.True(Server.Snapshots.LastSucceeded);
        Assert.Equal(["dump.rdb"], Directory.GetFiles(_folder).Select(Path.GetFileName));
    }

    public override void Dispose()
    {
        TickUntil(() => Server.Keyspace.Snapshot is null);
        base.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // Fails where it would wait for delays of hours.
    private Task<object?> RunAsync(params string[] arguments) =>
        Task.Run(() => Run(arguments)).WaitAsync(TimeSpan.FromSeconds(30));

    private int TickUntil(Func<bool> condition)
    {
        int ticks = 0;
        for (; !condition(); ticks++)
        {
            Server.Snapshots.Tick();
        }

        return ticks;
    }
}
