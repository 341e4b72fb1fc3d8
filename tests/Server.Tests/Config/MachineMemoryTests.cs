using KvServer.Server.Config;

namespace KvServer.Server.Tests.Config;

public sealed class MachineMemoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kvserver-memory").FullName;

    public MachineMemoryTests() => Write("proc/meminfo", "MemTotal:        1000000 kB\nMemFree:  1 kB\n");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Without_groups_it_is_what_the_machine_has() => Assert.Equal(1_024_000_000, MachineMemory.Read(_root));

    [Theory]
    [InlineData("max", 1_024_000_000)]
    [InlineData("500000000", 500_000_000)]
    [InlineData("9000000000000", 1_024_000_000)]
    [InlineData("nonsense", 1_024_000_000)]
    public void Version_2_says_it_in_one_file(string text, long expected)
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", text + "\n");
        Assert.Equal(expected, MachineMemory.Read(_root));
    }

    [Fact]
    public void The_smallest_limit_on_the_way_up_holds()
    {
        Write("proc/self/cgroup", "0::/a/b/c\n");
        Write("sys/fs/cgroup/a/memory.max", "300000000\n");
        Write("sys/fs/cgroup/a/b/memory.max", "max\n");
        Write("sys/fs/cgroup/a/b/c/memory.max", "400000000\n");
        Assert.Equal(300_000_000, MachineMemory.Read(_root));
    }

    [Fact]
    public void A_path_that_is_the_machines_ends_at_what_is_to_be_seen()
    {
        Write("proc/self/cgroup", "0::/system.slice/docker-abc.scope\n");
        Write("sys/fs/cgroup/memory.max", "200000000\n");
        Assert.Equal(200_000_000, MachineMemory.Read(_root));
    }

    [Fact]
    public void Version_1_has_a_hierarchy_for_memory()
    {
        Write("proc/self/cgroup", "12:pids:/x\n7:cpu,memory:/docker/abc\n1:name=systemd:/\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        Write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "100000000\n");
        Assert.Equal(100_000_000, MachineMemory.Read(_root));
    }

    private void Write(string file, string text)
    {
        string path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
