using KvServer.Server.Config;
using KvServer.Server.Persistence;

namespace KvServer.Server.Tests.Commands;

/// <summary>What DEBUG must not do while only a part of the dataset is there.</summary>
public class DebugWhileLoadingTests : CommandHarness
{
    [Theory]
    [InlineData("RELOAD")]
    [InlineData("RELOAD", "NOSAVE", "NOFLUSH")]
    [InlineData("POPULATE", "10")]
    public void Subcommands_that_save_or_write_are_refused(params string[] subcommand)
    {
        Server.Config.EnableDebugCommand = AccessPolicy.Yes;
        Server.Restrict(Restrictions.Loading, true);
        Assert.Equal(
            "LOADING Redis is loading the dataset in memory", Error(["DEBUG", .. subcommand]));
        Assert.Equal(0, Server.Keyspace[0].Count);
        Assert.Equal(0, Server.Snapshots.SaveCount);
    }
}
