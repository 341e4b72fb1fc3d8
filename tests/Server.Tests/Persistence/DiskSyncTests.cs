using KvServer.Server.Persistence;
using Microsoft.Win32.SafeHandles;

namespace KvServer.Server.Tests.Persistence;

public class DiskSyncTests
{
    [Fact]
    public void Forcing_a_file_that_was_written_succeeds()
    {
        string path = Path.GetTempFileName();
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
            RandomAccess.Write(file, "text"u8, 0);

            DiskSync.Flush(file);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_flush_that_the_system_refuses_is_an_error()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there a file exists that refuses.");
        using SafeFileHandle file = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);

        Assert.Throws<IOException>(() => DiskSync.Flush(file));
    }
}
