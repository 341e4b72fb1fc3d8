using KvServer.Server.Config;
using Xunit.Sdk;

namespace KvServer.Server.Tests.Config;

public sealed class ConfigServiceTests : IDisposable
{
    private readonly ConfigFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Set_changes_all_or_nothing()
    {
        ConfigService service = ConfigFixture.Service();
        Assert.Null(ConfigFixture.Set(service, "hz", "20", "TIMEOUT", "5"));
        Assert.Equal((20, 5), (service.Config.Hz, service.Config.TimeoutSeconds));
        Assert.NotNull(ConfigFixture.Set(service, "hz", "30", "timeout", "x"));
        Assert.NotNull(ConfigFixture.Set(service, "hz", "30", "databases", "3"));
        Assert.Equal((20, 5), (service.Config.Hz, service.Config.TimeoutSeconds));
    }

    [Fact]
    public void A_check_can_veto_before_anything_changes()
    {
        ConfigService service = ConfigFixture.Service();
        service.OnChanging("maxclients", next =>
        {
            Assert.Equal(10000, service.Config.MaxClients);
            return next.MaxClients > 50000 ? "too many" : null;
        });
        bool applied = false;
        service.OnChanged("hz", _ =>
        {
            applied = true;
            return null;
        });
        Assert.Equal("ERR CONFIG SET failed (possibly related to argument 'maxclients') - too many",
            ConfigFixture.Set(service, "hz", "20", "maxclients", "50001"));
        Assert.False(applied);
        Assert.Equal(10, service.Config.Hz);
        Assert.Null(ConfigFixture.Set(service, "maxclients", "5"));
    }

    [Fact]
    public void A_failing_change_takes_everything_back()
    {
        ConfigService service = ConfigFixture.Service();
        var seen = new List<int>();
        service.OnChanged("hz", c =>
        {
            seen.Add(c.Hz);
            return null;
        });
        service.OnChanged("port", c => c.Port == 1 ? "no such luck" : null);
        Assert.Equal("ERR CONFIG SET failed (possibly related to argument 'port') - no such luck",
            ConfigFixture.Set(service, "hz", "20", "port", "1"));
        Assert.Equal([20, 10], seen);
        Assert.Equal((10, 6379), (service.Config.Hz, service.Config.Port));
    }

    [Fact]
    public void Protected_options_follow_enable_protected_configs()
    {
        byte[][] pair = ["dbfilename"u8.ToArray(), "x.rdb"u8.ToArray()];
        Assert.NotNull(ConfigFixture.Service().Set(pair, isLocal: true));
        Assert.NotNull(ConfigFixture.Service("--enable-protected-configs", "local").Set(pair, isLocal: false));
        Assert.Null(ConfigFixture.Service("--enable-protected-configs", "local").Set(pair, isLocal: true));
        Assert.Null(ConfigFixture.Service("--enable-protected-configs", "yes").Set(pair, isLocal: false));
    }

    [Fact]
    public void A_file_name_that_no_file_can_have_is_refused()
    {
        ConfigService service = ConfigFixture.Service("--enable-protected-configs", "yes");
        Assert.NotNull(service.Set(["dbfilename"u8.ToArray(), "a\0b"u8.ToArray()], isLocal: true));
        Assert.Equal("dump.rdb", service.Config.DbFileName);
    }

    [Fact]
    public void Get_lists_each_option_once_whatever_the_patterns()
    {
        ConfigService service = ConfigFixture.Service();
        Assert.Equal(["timeout", "port"], ConfigFixture.Get(service, "timeout", "por[t]", "P?RT", "TIMEOUT").Keys);
        Assert.Equal(["SLAVE-READ-ONLY"], ConfigFixture.Get(service, "SLAVE-READ-ONLY").Keys);
        Assert.Equal(["replica-read-only", "slave-read-only"], ConfigFixture.Get(service, "*-read-only").Keys.Order());
        Assert.Empty(ConfigFixture.Get(service, "nosuch", "key-load-dela?"));
        Assert.Equal("0", ConfigFixture.Get(service, "key-load-delay")["key-load-delay"]);
    }

    [Fact]
    public void Rewrite_leaves_the_file_alone_when_an_include_declares_users()
    {
        string users = _fixture.Write("users.conf", "hz 20\nuser ann on\n");
        string inner = _fixture.Write("inner.conf", $"include {users}\n");
        string text = $"include {inner}\nuser bob on\n";
        string path = _fixture.Write("a.conf", text);
        ConfigService service = ConfigFixture.Service(path);
        service.UserLines = () => ["user ann on", "user bob on"];
        Assert.Null(ConfigFixture.Set(service, "hz", "30"));
        Assert.Equal(
            $"ERR Rewriting config file: the included file '{users}' declares users; they must stand in the file itself",
            System.Text.Encoding.UTF8.GetString(service.Rewrite()!));
        Assert.Equal(text, File.ReadAllText(path));

        // Users of the main file are no obstacle, whatever else is included.
        _fixture.Write("users.conf", "hz 20\n");
        service = ConfigFixture.Service(path);
        service.UserLines = () => ["user bob off"];
        Assert.Null(service.Rewrite());
        Assert.Contains("user bob off\n", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Rewrite_keeps_comments_and_order_and_adds_at_the_end()
    {
        string path = _fixture.Write("a.conf",
            "# top\nhz 10\n\n  # about ports\nport 7000   \nslave-read-only yes\nhz 12\nuser alice on\nsave 900 1\nsave 1 1\n");
        ConfigService service = ConfigFixture.Service(path, "--timeout", "3");
        Assert.Null(ConfigFixture.Set(service, "hz", "20", "replica-read-only", "no", "save", "5 5", "maxmemory", "3mb"));
        Assert.Null(service.Rewrite());
        Assert.Equal(
            "# top\nhz 20\n\n  # about ports\nport 7000   \nreplica-read-only no\nuser alice on\nsave 5 5\n" +
            "# Generated by CONFIG REWRITE\ntimeout 3\nmaxmemory 3mb\n",
            File.ReadAllText(path));
        Assert.Null(service.Rewrite());
        Assert.Single(File.ReadAllLines(path), l => l.StartsWith("# Generated", StringComparison.Ordinal));
        Assert.Single(Directory.GetFiles(_fixture.Folder));
    }

    [Fact]
    public void Rewrite_makes_a_file_that_was_deleted_anew()
    {
        string path = _fixture.Write("gone.conf", "maxclients 50\n");
        ConfigService service = ConfigFixture.Service(path);
        File.Delete(path);
        Assert.Null(service.Rewrite());
        Assert.Equal("# Generated by CONFIG REWRITE\nmaxclients 50\n", File.ReadAllText(path));
    }

    [Fact]
    public void Rewrite_without_a_file_is_an_error() => Assert.Equal(
        "ERR The server is running without a config file"u8.ToArray(), ConfigFixture.Service().Rewrite());

    [Fact]
    public void Rewrite_wins_over_included_files()
    {
        string included = _fixture.Write("b.inc", "hz 30\nclient-output-buffer-limit pubsub 1 1 1\n");
        string path = _fixture.Write("a.conf", $"hz 20\ninclude {included}\n");
        ConfigService service = ConfigFixture.Service(path);
        Assert.Null(ConfigFixture.Set(service, "hz", "10", "client-output-buffer-limit", "pubsub 32mb 8mb 60"));
        Assert.Null(service.Rewrite());
        ServerConfig again = ConfigFixture.Load(path).Config;
        Assert.Equal(10, again.Hz);
        Assert.Equal(ServerConfig.Defaults.ClientOutputBufferLimits, again.ClientOutputBufferLimits);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Rewritten_files_keep_their_permissions()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no permission bits");
        string path = _fixture.Write("a.conf", "requirepass x\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Null(ConfigFixture.Service(path, "--hz", "3").Rewrite());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void A_rewritten_file_brings_back_the_same_values()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            try
            {
                RewriteAndReload(new Random(seed));
            }
            catch (XunitException e)
            {
                throw new XunitException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private void RewriteAndReload(Random random)
    {
        string start = string.Concat(Enumerable.Range(0, random.Next(8))
            .Select(_ => random.Next(3) == 0 ? "# comment\n" : RandomOption(random) is var (n, v)
                ? $"{n} {(v.Contains(' ', StringComparison.Ordinal) ? v : ConfigText.Quote(v))}\n" : ""));
        string path = _fixture.Write("a.conf", start);
        ConfigService service = ConfigFixture.Service(path, "--enable-protected-configs", "yes");
        for (int i = 0; i < 25; i++)
        {
            (string name, string value) = RandomOption(random);
            ConfigFixture.Set(service, name, value);
        }

        Assert.Null(service.Rewrite());
        ServerConfig again = ConfigFixture.Load(path).Config;
        foreach (ConfigOption option in ConfigRegistry.All)
        {
            Assert.Equal(option.Format(service.Config), option.Format(again));
        }
    }

    private (string Name, string Value) RandomOption(Random random)
    {
        ConfigOption option = ConfigRegistry.All[random.Next(ConfigRegistry.All.Count)];
        string[] candidates =
        [
            "yes", "no", "5", "100", "2mb", "1048577", "70%", "900 1 60 2", "", "a\u00fe\"' \n#\u0000z", "1 2 3", "KEA",
            "normal 1mb 2kb 3", "slave 5 6 7 pubsub 8 9 10", "127.0.0.1 ::1", "50 99.5", "always", "allkeys-lru",
            "save force", "local", _fixture.Folder, "verbose", "grün", "lx", "{title}",
        ];
        for (int i = 0; i < 200; i++)
        {
            string value = candidates[random.Next(candidates.Length)];
            string[] words = ConfigLoader.WordsFor(option, [value]);
            if (option.Read(words, ServerConfig.Defaults, ConfigSource.StartupFirst, out _) is null &&
                (words.Length > 1) == value.Contains(' ', StringComparison.Ordinal))
            {
                return (option.Name, value);
            }
        }

        return ("hz", "10");
    }
}
