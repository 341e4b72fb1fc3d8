using KvServer.Storage;

namespace KvServer.Server.Tests.Commands;

public sealed class HyperLogLogCommandsTests : CommandHarness
{
    private const string Header = "HYLL\u0001\0\0\0\0\0\0\0\0\0\0\u0080";
    private const string Corrupt = "INVALIDOBJ Corrupted HLL object detected";

    private readonly TrackingHeap _heap;

    public HyperLogLogCommandsTests()
        : this(new TrackingHeap())
    {
    }

    private HyperLogLogCommandsTests(TrackingHeap heap)
        : base(heap) => _heap = heap;

    [Fact]
    public void Each_element_that_changes_a_register_is_a_change_and_so_is_a_count_that_is_kept()
    {
        Assert.Equal(1, DirtyAfter("PFADD", "h"));
        Assert.Equal(0, DirtyAfter("PFADD", "h"));
        Assert.Equal(3, DirtyAfter("PFADD", "h", "a", "b", "c", "a"));
        Assert.Equal(1, DirtyAfter("PFCOUNT", "h"));
        Assert.Equal(0, DirtyAfter("PFCOUNT", "h"));
        Assert.Equal(0, DirtyAfter("PFCOUNT", "h", "none"));
        Assert.Equal(1, DirtyAfter("PFMERGE", "h"));
        Assert.Equal(1, DirtyAfter("PFDEBUG", "TODENSE", "h"));
        Assert.Equal(0, DirtyAfter("PFDEBUG", "GETREG", "h"));
        Assert.Equal(0, DirtyAfter("PFSELFTEST"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\u007f")]
    [InlineData("\u007f\u00fe")]
    [InlineData("\u007f\u00ff\0")]
    [InlineData("\u007f\u00ff\u007f\u00ff")]
    public void A_corrupt_sketch_is_refused_and_stays_as_it_is(string runs)
    {
        Run("SET", "h", Header + runs);
        Assert.Equal(Corrupt, Error("PFADD", "h", "a"));
        Assert.Equal(Corrupt, Error("PFADD", "h"));
        Assert.Equal(Corrupt, Error("PFCOUNT", "h"));
        Assert.Equal(Corrupt, Error("PFCOUNT", "none", "h"));
        Assert.Equal(Corrupt, Error("PFMERGE", "h"));
        Assert.Equal(Corrupt, Error("PFMERGE", "other", "h"));
        Assert.Equal(Corrupt, Error("PFDEBUG", "DECODE", "h"));
        Assert.Equal(Corrupt, Error("PFDEBUG", "GETREG", "h"));
        Assert.Equal(Corrupt, Error("PFDEBUG", "TODENSE", "h"));
        Assert.Equal(Header + runs, Run("GET", "h"));
        Assert.Equal(0L, Run("EXISTS", "other"));
    }

    [Fact]
    public void A_call_that_memory_runs_out_in_changes_nothing()
    {
        Run("PFADD", "h", "a", "b");
        string before = (string)Run("GET", "h")!;
        string[] call = ["PFADD", "h", .. Enumerable.Range(0, 2000).Select(i => "e" + i)];
        foreach (string[] args in (string[][])[call, ["PFDEBUG", "TODENSE", "h"], ["PFADD", "new", "a"]])
        {
            _heap.FailAfter(0);
            Assert.StartsWith("-OOM", Raw(args), StringComparison.Ordinal);
            _heap.FailAfter(-1);
            Assert.Equal(before, Run("GET", "h"));
            Assert.Equal(0L, Run("EXISTS", "new"));
        }
    }

    [Fact]
    public void An_expiry_time_stays_when_the_sketch_grows_shrinks_and_becomes_dense()
    {
        Run("PFADD", "h", "a");
        Run("PEXPIRE", "h", "100000");
        for (int i = 0; i < 3000; i++)
        {
            Run("PFADD", "h", "e" + i);
        }

        Assert.Equal("dense", Run("PFDEBUG", "ENCODING", "h"));
        Assert.Equal(100_000L, Run("PTTL", "h"));
        Run("PFMERGE", "h", "none");
        Assert.Equal(100_000L, Run("PTTL", "h"));
    }

    [Fact]
    public void Adding_and_counting_allocate_no_managed_memory()
    {
        Run(["PFADD", "dense", .. Enumerable.Range(0, 3000).Select(i => "e" + i)]);
        Assert.Equal("dense", Run("PFDEBUG", "ENCODING", "dense"));
        List<string[]> requests = [.. Enumerable.Range(0, 200).Select(i => (string[])["PFADD", "sparse", "s" + i, "t" + i])];
        requests.Add(["PFADD", "dense", "x", "y"]);
        requests.Add(["PFCOUNT", "sparse"]);
        requests.Add(["PFCOUNT", "sparse", "dense"]);
        requests.Add(["PFMERGE", "merged", "sparse"]);
        requests.Add(["DEL", "sparse"]);
        Assert.Equal(0, Client.AllocatedBytesOf([.. requests], rounds: 50));
    }
}
