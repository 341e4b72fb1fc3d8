using System.Text;
using KvServer.Server.Config;
using KvServer.Server.Persistence;
using KvServer.Server.Persistence.Aof;
using KvServer.Storage;
using KvServer.TestSupport;
using Microsoft.Win32.SafeHandles;

namespace KvServer.Server.Tests.Persistence.Aof;

/// <summary>The thread that writes the log, with files that work and files that don't.</summary>
public sealed class AofWriterTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _root = TestPaths.CreateTempFolder("aof-writer");
    private readonly Keyspace _keyspace = new();
    private readonly PropagationLog _log;

    public AofWriterTests()
    {
        _log = new PropagationLog(_keyspace);
        _log.Start();
    }

    public void Dispose()
    {
        _keyspace.Dispose();
        TestPaths.DeleteFolder(_root);
    }

    [Fact]
    public void With_always_what_is_appended_becomes_durable_and_the_owner_is_told()
    {
        string path = Path.Combine(_root, "a.aof");
        using AofWriter writer = new(AppendFsync.Always, end: 1000);
        using Durable durable = new(writer);
        SwitchTo(writer, path);
        for (int i = 0; i < 100; i++)
        {
            Append(writer, $"{i}");
            durable.WaitFor(writer.AppendedEnd);
        }

        Assert.Null(writer.Drain());
        Assert.Equal(writer.AppendedEnd, writer.DurableEnd);
        Assert.Equal(writer.AppendedEnd - 1000, new FileInfo(path).Length);
        Assert.Equal(-1, writer.UnsyncedSinceMs);
    }

    [Fact]
    public void Clients_that_were_answered_together_share_the_next_round_though_they_come_one_after_the_other()
    {
        using AofWriter writer = new(AppendFsync.Always, end: 0, new FakeClock()); // Whose patience never ends.
        using Durable durable = new(writer);
        SwitchTo(writer, Path.Combine(_root, "a.aof"));
        for (int i = 0; i < 200; i++)
        {
            Append(writer, "both", waiting: 2);
            durable.WaitFor(writer.AppendedEnd);
            Append(writer, "one", waiting: 1);
            long one = writer.AppendedEnd;
            Append(writer, "other", waiting: 1);
            durable.WaitFor(one);
            Assert.Equal(writer.AppendedEnd, writer.DurableEnd); // Not the first alone.
        }
    }

    [Fact]
    public void What_is_appended_before_a_switch_is_in_the_old_file_and_what_comes_later_in_the_new_one()
    {
        using AofWriter writer = new(AppendFsync.No, end: 0);
        SwitchTo(writer, Path.Combine(_root, "a.aof"));
        Append(writer, "old");
        long old = writer.AppendedEnd;
        SwitchTo(writer, Path.Combine(_root, "b.aof"));
        Append(writer, "new");
        Assert.Null(writer.Drain());
        string first = File.ReadAllText(Path.Combine(_root, "a.aof"));
        string second = File.ReadAllText(Path.Combine(_root, "b.aof"));
        Assert.EndsWith("old\r\n", first, StringComparison.Ordinal);
        Assert.EndsWith("new\r\n", second, StringComparison.Ordinal);
        Assert.Equal(old, first.Length);
        Assert.Equal(writer.AppendedEnd, first.Length + second.Length);
    }

    [Fact]
    public void A_file_that_cannot_be_forced_wants_a_rewrite_and_nothing_counts_as_durable()
    {
        RequireDevices();
        using AofWriter writer = new(AppendFsync.Always, end: 0);
        using Durable durable = new(writer);
        SwitchTo(writer, "/dev/null"); // Takes every byte and refuses fsync.
        Append(writer, "x");
        durable.WaitForError();
        Assert.True(writer.MustRewrite);
        Assert.Equal(0, writer.DurableEnd);
        Append(writer, "y");
        Assert.NotNull(writer.Drain());
        Assert.Equal(0, writer.DurableEnd);

        string path = Path.Combine(_root, "rewritten.aof");
        SwitchTo(writer, path);
        writer.Post(writer.NoteRewritten);
        Append(writer, "z");
        durable.WaitFor(writer.AppendedEnd);
        Assert.Null(writer.Error);
        Assert.False(writer.MustRewrite);
        Assert.EndsWith("z\r\n", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_takes_nothing_and_cannot_be_cut_back_is_given_up_until_a_rewrite()
    {
        RequireDevices();
        using AofWriter writer = new(AppendFsync.Always, end: 0);
        using Durable durable = new(writer);
        SwitchTo(writer, "/dev/full"); // Refuses every byte, and to be cut.
        Append(writer, "x");
        durable.WaitForError();
        Assert.True(writer.MustRewrite);
        Assert.Equal(0, writer.DurableEnd);
        SwitchTo(writer, Path.Combine(_root, "rewritten.aof"));
        writer.Post(writer.NoteRewritten);
        Append(writer, "y");
        durable.WaitFor(writer.AppendedEnd);
        Assert.Null(writer.Error);
    }

    [Fact]
    public void A_switch_that_fails_leaves_the_file_in_use()
    {
        string path = Path.Combine(_root, "a.aof");
        using AofWriter writer = new(AppendFsync.Always, end: 0);
        SwitchTo(writer, path);
        string? error = null;
        writer.Post(() => error = writer.TrySwitch(() => (null, "no such place")));
        Append(writer, "x");
        Assert.Null(writer.Drain());
        Assert.Equal("no such place", error);
        Assert.EndsWith("x\r\n", File.ReadAllText(path), StringComparison.Ordinal);
    }

    private static void RequireDevices()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Needs the devices of Linux.");
        }
    }

    private static void SwitchTo(AofWriter writer, string path) => writer.Post(() => Assert.Null(writer.TrySwitch(() =>
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        return (file, null);
    })));

    private void Append(AofWriter writer, string value, int waiting = 0)
    {
        _log.BeginUnit();
        _log.Begin(_keyspace[0], 2);
        _log.Argument("SET"u8);
        _log.Argument(Encoding.ASCII.GetBytes(value));
        _log.EndUnit();
        writer.Append(_log, waiting);
    }

    // Waits for what the writer's thread tells.
    private sealed class Durable : IDisposable
    {
        private readonly AofWriter _writer;
        private readonly AutoResetEvent _progressed = new(initialState: false);

        public Durable(AofWriter writer)
        {
            _writer = writer;
            writer.Progressed += OnProgressed;
        }

        public void WaitFor(long end) => Wait(() => _writer.DurableEnd >= end);

        public void WaitForError() => Wait(() => _writer.Error is not null);

        public void Dispose()
        {
            _writer.Progressed -= OnProgressed;
            _writer.Dispose(); // Twice is harmless; its thread must have ended before the event goes.
            _progressed.Dispose();
        }

        private void OnProgressed() => _progressed.Set();

        private void Wait(Func<bool> holds)
        {
            while (!holds())
            {
                Assert.True(_progressed.WaitOne(Patience), "Nothing happens.");
            }
        }
    }
}
