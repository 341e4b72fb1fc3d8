using KvServer.TestSupport;

namespace KvServer.Client.Tests;

/// <summary>A file with a text in a folder of its own, gone at the end of the test.</summary>
internal sealed class TempFile : IDisposable
{
    private readonly string _folder = TestPaths.CreateTempFolder("file");

    public TempFile(string text, string name = "test.conf")
    {
        Path = System.IO.Path.Combine(_folder, name);
        File.WriteAllText(Path, text);
    }

    /// <summary>Its full path.</summary>
    public string Path { get; }

    public void Dispose() => TestPaths.DeleteFolder(_folder);
}
