using KvServer.Server.Persistence.Aof;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Persistence.Aof;

public sealed class AofFolderTests : IDisposable
{
    private readonly string _root = TestPaths.CreateTempFolder("aof");

    public void Dispose() => TestPaths.DeleteFolder(_root);

    [Fact]
    public void A_manifest_that_was_saved_is_loaded()
    {
        AofFolder folder = new(Path.Combine(_root, "appendonlydir"), "a.aof");
        Assert.True(folder.TryLoad(out AofManifest? manifest, out string error), error);
        Assert.Null(manifest);
        Assert.Null(folder.TryCreate());
        Assert.Null(folder.TryCreate());
        Assert.Null(folder.TrySave(AofManifest.Empty.WithNextIncrement("a.aof")));
        Assert.Null(folder.TrySave(AofManifest.Empty.WithNextIncrement("a.aof").WithNextIncrement("a.aof")));
        Assert.Equal([folder.ManifestPath], Directory.EnumerateFileSystemEntries(folder.Path));
        Assert.EndsWith("a.aof.manifest", folder.ManifestPath, StringComparison.Ordinal);
        Assert.True(folder.TryLoad(out manifest, out error), error);
        Assert.Equal("a.aof.2.incr.aof", manifest!.LastIncrement?.Name);
    }

    [Fact]
    public void A_manifest_that_cannot_be_read_is_an_error()
    {
        AofFolder folder = new(_root, "a.aof");
        File.WriteAllText(folder.ManifestPath, "nonsense\n");
        Assert.False(folder.TryLoad(out AofManifest? manifest, out string error));
        Assert.Null(manifest);
        Assert.Equal("Invalid AOF manifest file format (line 1: 'nonsense')", error);

        using (FileStream file = new(folder.ManifestPath, FileMode.Create))
        {
            file.SetLength((16 << 20) + 1);
        }

        Assert.False(folder.TryLoad(out _, out error));
        Assert.EndsWith("is too large", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_save_says_why_and_leaves_the_old_manifest()
    {
        AofFolder missing = new(Path.Combine(_root, "none"), "a.aof");
        Assert.StartsWith("Can't open the AOF manifest file ", missing.TrySave(AofManifest.Empty), StringComparison.Ordinal);

        AofFolder folder = new(_root, "a.aof");
        Directory.CreateDirectory(folder.ManifestPath);
        Assert.StartsWith(
            "Error trying to rename the temporary AOF manifest file ",
            folder.TrySave(AofManifest.Empty.WithNextIncrement("a.aof")),
            StringComparison.Ordinal);
        Assert.True(Directory.Exists(folder.ManifestPath));
        Assert.False(File.Exists(folder.TempManifestPath));

        File.WriteAllText(Path.Combine(_root, "file"), "");
        Assert.StartsWith(
            "Can't open or create append-only dir ",
            new AofFolder(Path.Combine(_root, "file"), "a.aof").TryCreate(),
            StringComparison.Ordinal);
    }
}
