namespace KvServer.Server.Tests.Commands;

public sealed class StringAllocationTests : CommandHarness
{
    [Fact]
    public void Hot_string_commands_allocate_no_managed_memory()
    {
        string[][] requests =
        [
            ["SET", "key", "a value of some length"],
            ["GET", "key"],
            ["GET", "missing"],
            ["SET", "other", "12345", "EX", "100"],
            ["GET", "other"],
            ["SET", "key", "another value, as long"],
            ["INCR", "counter"],
            ["SETBIT", "bits", "1000", "1"],
            ["BITCOUNT", "bits"],
            ["MGET", "key", "other"],
            ["GETRANGE", "key", "0", "3"],
        ];

        Assert.Equal(0, Client.AllocatedBytesOf(requests, rounds: 500));
    }
}
