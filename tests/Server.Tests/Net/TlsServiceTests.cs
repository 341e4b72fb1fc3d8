using System.Diagnostics;
using KvServer.Server.Config;
using KvServer.Server.Net.Tls;
using KvServer.TestSupport;

namespace KvServer.Server.Tests.Net;

/// <summary>Which files are taken up, and when.</summary>
public sealed class TlsServiceTests : IDisposable
{
    private readonly TestCertificates _certificates = new();
    private readonly FakeClock _clock = new();
    private readonly ListLogger _log = new();
    private readonly TlsService _tls;
    private readonly ServerConfig _config;

    public TlsServiceTests()
    {
        _tls = new TlsService(_clock, _log);
        _config = new ServerConfig
        {
            TlsCertFile = _certificates.ServerCertFile,
            TlsKeyFile = _certificates.ServerKeyFile,
            TlsCaCertFile = _certificates.CaFile,
        };
    }

    [Fact]
    public async Task A_pipe_or_a_device_is_refused_at_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo and /dev/zero");
        string pipe = Path.Combine(_certificates.Folder, "pipe");
        using (Process made = Process.Start("mkfifo", [pipe]))
        {
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        string link = Path.Combine(_certificates.Folder, "link");
        File.CreateSymbolicLink(link, pipe);
        foreach (string path in (string[])[pipe, link, "/dev/zero", _certificates.Folder])
        {
            _config.TlsCertFile = path;
            Task<bool> applied = Task.Run(() => _tls.TryApply(_config));
            Assert.False(await applied.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            Assert.True(_log.Has($"Failed to load certificate: {path}: "));
        }

        Assert.Null(_tls.Current);
    }

    [Fact]
    public void A_pipe_among_the_authorities_does_not_count()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        string folder = Path.Combine(_certificates.Folder, "authorities");
        Directory.CreateDirectory(folder);
        File.Copy(_certificates.CaFile, Path.Combine(folder, "one.pem"));
        using (Process made = Process.Start("mkfifo", [Path.Combine(folder, "a-pipe.pem")]))
        {
            Assert.True(made.WaitForExit(20_000));
        }

        _config.TlsCaCertFile = "";
        _config.TlsCaCertDir = folder;
        Assert.True(_tls.TryApply(_config));
        Assert.NotNull(_tls.Current!.AuthoritiesExpireAt);
    }

    [Fact]
    public void A_file_is_read_through_links_and_only_when_it_is_not_too_large()
    {
        string link = Path.Combine(_certificates.Folder, "link");
        File.CreateSymbolicLink(link, "server.crt");
        _config.TlsCertFile = link;
        Assert.True(_tls.TryApply(_config));
        File.AppendAllText(_certificates.ServerCertFile, new string('\n', 5_000_000));
        Assert.False(_tls.TryApply(_config));
        Assert.True(_log.Has("File too large"));
    }

    [Theory]
    [InlineData("tls-cert-file")]
    [InlineData("tls-key-file")]
    [InlineData("tls-ca-cert-file")]
    public void A_name_with_a_zero_byte_is_refused_and_changes_nothing(string option)
    {
        Assert.True(_tls.TryApply(_config));
        TlsCredentials? before = _tls.Current;
        ConfigOption found = ConfigRegistry.Find(option)!;
        Assert.Null(found.Read(["a\0b"], _config, ConfigSource.Command, out object? read));
        found.Assign(_config, read);
        Assert.False(_tls.TryApply(_config));
        Assert.Same(before, _tls.Current);
        _tls.Look();
        Assert.Equal(0, _tls.ReloadFailures);
    }

    [Fact]
    public void A_reload_that_failed_is_tried_again_though_the_files_look_the_same()
    {
        Assert.True(_tls.TryApply(_config));
        string serial = _certificates.IssueServer(20);
        string good = File.ReadAllText(_config.TlsCertFile);
        DateTime time = File.GetLastWriteTimeUtc(_config.TlsCertFile);
        Replace(new string('x', good.Length));
        _tls.Look();
        _tls.Look();
        Assert.Equal(1, _tls.ReloadFailures);
        _clock.Advance(10_000);
        _tls.Look(); // Tried again, and told only once.
        Assert.Equal(1, _tls.ReloadFailures);
        Assert.Single(_log.Entries, static entry => entry.Text.Contains("cannot be used", StringComparison.Ordinal));
        Assert.Equal(0, _tls.Reloads);

        Replace(good);
        _clock.Advance(9_999);
        _tls.Look();
        Assert.Equal(0, _tls.Reloads);
        _clock.Advance(1);
        _tls.Look();
        Assert.Equal(1, _tls.Reloads);
        Assert.Equal(serial, _tls.Current!.ServerOptions.ServerCertificateContext!.TargetCertificate.SerialNumber);
        _clock.Advance(10_000);
        _tls.Look();
        Assert.Equal(1, _tls.Reloads);

        void Replace(string text)
        {
            File.WriteAllText(_config.TlsCertFile, text);
            File.SetLastWriteTimeUtc(_config.TlsCertFile, time);
        }
    }

    [Fact]
    public void The_end_of_a_certificate_is_told_once_a_day_however_often_options_are_applied()
    {
        const int DayMs = 24 * 60 * 60 * 1000;
        string good = _config.TlsCertFile;
        for (int i = 0; i < 3; i++)
        {
            Assert.True(_tls.TryApply(_config));
            _config.TlsCertFile = "none";
            Assert.False(_tls.TryApply(_config));
            _config.TlsCertFile = good;
            _tls.Look();
        }

        Assert.Equal(1, Warnings()); // By the test's clock it has ended.
        _clock.Advance(DayMs - 1);
        _tls.Look();
        Assert.True(_tls.TryApply(_config));
        Assert.Equal(1, Warnings());
        _clock.Advance(1);
        _tls.Look();
        _tls.Look();
        Assert.Equal(2, Warnings());

        // Another one is told at once, and the first not again when it comes back.
        string pem = File.ReadAllText(good);
        string key = File.ReadAllText(_config.TlsKeyFile);
        _certificates.IssueServer(20);
        Assert.True(_tls.TryApply(_config));
        Assert.Equal(3, Warnings());
        File.WriteAllText(good, pem);
        File.WriteAllText(_config.TlsKeyFile, key);
        _tls.Look();
        Assert.Equal(1, _tls.Reloads);
        Assert.Equal(3, Warnings());

        int Warnings() => _log.Entries.Count(static entry => entry.Text.Contains("certificate has expired", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _tls.Dispose();
        _certificates.Dispose();
    }
}
