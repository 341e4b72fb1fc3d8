using KvServer.Server.Config;

namespace KvServer.Server.Tests.Config;

public sealed class ConfigLoaderTests : IDisposable
{
    private readonly ConfigFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_file_is_read_with_comments_quotes_units_and_later_lines_winning()
    {
        string path = _fixture.Write("a.conf",
            "# comment\n\n  PORT 7000\r\nhz 11\nhz \"12\"\nmaxmemory 1GB\nrequirepass \"a\\x00b c\"\nsave 900 1\nsave 60 5 30 6\n");
        ServerConfig config = ConfigFixture.Load(path).Config;
        Assert.Equal(7000, config.Port);
        Assert.Equal(12, config.Hz);
        Assert.Equal(1L << 30, config.MaxMemoryBytes);
        Assert.Equal("a\0b c"u8.ToArray(), config.RequirePass);
        Assert.Equal([new SavePoint(900, 1), new SavePoint(60, 5), new SavePoint(30, 6)], config.Save);
    }

    [Fact]
    public void Flags_win_over_environment_over_file_over_defaults()
    {
        string path = _fixture.Write("a.conf", "hz 11\ntimeout 12\ndatabases 13\n");
        var environment = new Dictionary<string, string>
        {
            ["KVSERVER_TIMEOUT"] = "22",
            ["KVSERVER_DATABASES"] = "23",
            ["KVSERVER_SERVER_CPULIST"] = "0-1",
            ["KVSERVER_SAVE"] = "",
            ["KVSERVER_REQUIREPASS"] = "two words",
            ["PORT"] = "1",
        };
        ServerConfig config = ConfigFixture.Load(environment, "", path, "--databases", "33").Config;
        Assert.Equal((6379, 11, 22, 33), (config.Port, config.Hz, config.TimeoutSeconds, config.Databases));
        Assert.Equal("0-1", config.ServerCpuList);
        Assert.Empty(config.Save);
        Assert.Equal("two words"u8.ToArray(), config.RequirePass);
    }

    [Fact]
    public void What_Kubernetes_puts_into_the_environment_is_ignored_with_a_warning()
    {
        LoadedConfig loaded = ConfigFixture.Load(
            new Dictionary<string, string> { ["KVSERVER_PORT"] = "tcp://10.0.0.1:6379", ["KVSERVER_SERVICE_HOST"] = "x" }, "");
        Assert.Equal(6379, loaded.Config.Port);
        Assert.Equal(2, loaded.Warnings.Count);
    }

    [Theory]
    [InlineData("KVSERVER_USER", "user")]
    [InlineData("KVSERVER_RENAME_COMMAND", "rename-command")]
    [InlineData("KVSERVER_RENAME_COMMAND_2", "rename-command")]
    [InlineData("KVSERVER_RENAME-COMMAND", "rename-command")]
    [InlineData("KVSERVER_user1", "user")]
    [InlineData("KVSERVER_INCLUDE", "include")]
    [InlineData("KVSERVER_LOADMODULE", "loadmodule")]
    public void What_is_no_option_but_a_line_of_a_file_is_refused_in_the_environment(string variable, string directive) => Assert.Equal(
        $"Fatal error, {variable}: '{directive}' can't come from the environment, only from a file or the command line",
        Assert.Throws<ConfigException>(
            () => ConfigFixture.Load(new Dictionary<string, string> { [variable] = "FLUSHALL \"\"" }, "")).Message);

    [Fact]
    public void Services_whose_names_begin_like_a_directive_are_no_directives() => Assert.Equal(
        ["Environment variable KVSERVER_USER_SERVICE_HOST names no option, it is ignored"],
        ConfigFixture.Load(new Dictionary<string, string> { ["KVSERVER_USER_SERVICE_HOST"] = "10.0.0.1" }, "").Warnings);

    [Fact]
    public void None_of_the_memory_is_no_limit_for_it_but_one_for_clients()
    {
        Assert.EndsWith("argument must be a memory value", ConfigFixture.LoadError("--maxmemory", "0%"), StringComparison.Ordinal);
        Assert.True(ConfigFixture.Load("--maxmemory", "1%").Config.MaxMemory.IsPercent);
        Assert.True(ConfigFixture.Load("--maxmemory-clients", "0%").Config.MaxMemoryClients.IsPercent); // As there: none is no limit.
    }

    [Fact]
    public void A_bad_environment_variable_names_itself() => Assert.Contains("KVSERVER_HZ", Assert.Throws<ConfigException>(
        () => ConfigFixture.Load(new Dictionary<string, string> { ["KVSERVER_HZ"] = "x" }, "")).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("--port", "7000")]
    [InlineData("--port 7000")]
    [InlineData("port", "7000")]
    [InlineData("port 7000")]
    [InlineData("--PORT", "7000", "--save")]
    [InlineData("--save", "--port", "7000")]
    [InlineData("--save", "", "--port", "7000")]
    [InlineData("--save 900 1", "--port", "7000")]
    [InlineData("--bind", "127.0.0.1", "-::1", "--port", "7000")]
    [InlineData("--requirepass", "--hz", "--port", "7000")]
    public void Options_are_taken_from_the_command_line_in_every_form(params string[] args) =>
        Assert.Equal(7000, ConfigFixture.Load(args).Config.Port);

    [Theory]
    [InlineData("save", 0)]
    [InlineData("save\nsave 60 1", 1)]
    [InlineData("save 60 1\nsave", 1)]
    [InlineData("save 60 1\nsave \"\"", 0)]
    public void Save_without_a_value_takes_the_place_of_the_default_ones_in_a_file(string lines, int points) =>
        Assert.Equal(points, ConfigFixture.Load(_fixture.Write("a.conf", lines)).Config.Save.Length);

    [Fact]
    public void Other_options_of_several_values_may_have_none_in_a_file()
    {
        ServerConfig config = ConfigFixture.Load(_fixture.Write(
            "a.conf", "bind\nclient-output-buffer-limit\nlatency-tracking-info-percentiles\n")).Config;
        Assert.Empty(config.Bind);
        Assert.Equal(new ServerConfig().ClientOutputBufferLimits, config.ClientOutputBufferLimits);
        Assert.Empty(config.LatencyTrackingInfoPercentiles);
    }

    [Fact]
    public void Save_without_a_value_saves_nothing() => Assert.Empty(ConfigFixture.Load("--save", "--port", "1").Config.Save);

    [Fact]
    public void Bare_options_follow_the_file()
    {
        string path = _fixture.Write("a.conf", "hz 11\nport 1\n");
        ServerConfig config = ConfigFixture.Load(path, "port", "7000").Config;
        Assert.Equal((7000, 11), (config.Port, config.Hz));
    }

    [Theory]
    [InlineData("-")]
    [InlineData("-", "--hz", "20")]
    [InlineData("--hz", "20", "-")]
    public void Standard_input_is_read_before_the_flags(params string[] args)
    {
        ServerConfig config = ConfigFixture.Load([], "port 7000\nhz 15", args).Config;
        Assert.Equal(7000, config.Port);
        Assert.Equal(args.Length > 1 ? 20 : 15, config.Hz);
    }

    [Fact]
    public void Includes_take_globs_in_order_and_forgive_those_that_match_nothing()
    {
        _fixture.Write("1.inc", "hz 1\ntimeout 1\n");
        _fixture.Write("2.inc", "hz 2\n");
        _fixture.Write(".3.inc", "hz 3\n");
        string path = _fixture.Write("a.conf", $"include {_fixture.Folder}/*.inc\ninclude {_fixture.Folder}/none-*\n");
        ServerConfig config = ConfigFixture.Load(path).Config;
        Assert.Equal((2, 1), (config.Hz, config.TimeoutSeconds));
    }

    [Fact]
    public void A_missing_include_or_file_is_a_clear_error()
    {
        string path = _fixture.Write("a.conf", $"include {_fixture.Folder}/none\n");
        Assert.Equal($"Fatal error, can't open config file '{_fixture.Folder}/none': No such file or directory",
            ConfigFixture.LoadError(path));
        Assert.StartsWith("Fatal error, can't open config file", ConfigFixture.LoadError("/nonexistent.conf"),
            StringComparison.Ordinal);
        Assert.EndsWith("Is a directory", ConfigFixture.LoadError(_fixture.Folder), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_includes_itself_is_refused()
    {
        string path = Path.Combine(_fixture.Folder, "a.conf");
        _fixture.Write("a.conf", $"include {path}\n");
        Assert.Contains("include goes deeper than 16 files", ConfigFixture.LoadError(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hz 1\nnosuch x y", 2, "nosuch x y", "Bad directive or wrong number of arguments")]
    [InlineData("hz \"1", 1, "hz \"1", "Unbalanced quotes in configuration line")]
    [InlineData("hz", 1, "hz", "wrong number of arguments")]
    [InlineData("hz 1 2", 1, "hz 1 2", "wrong number of arguments")]
    [InlineData("\n\n  port 65536", 3, "port 65536", "argument must be between 0 and 65535 inclusive")]
    [InlineData("save 1", 1, "save 1", "Invalid save parameters")]
    [InlineData("loadmodule x.so", 1, "loadmodule x.so", "this server can't load modules")]
    [InlineData("dir /nonexistent", 1, "dir /nonexistent", "No such file or directory")]
    public void A_bad_line_is_shown_with_file_line_and_reason(string text, int line, string shown, string reason)
    {
        string path = _fixture.Write("a.conf", text);
        Assert.Equal(
            $"\n*** FATAL CONFIG FILE ERROR (KvServer {ServerVersion.Text}) ***\n" +
            $"Reading the configuration file, at line {line} of {path}\n>>> '{shown}'\n{reason}",
            ConfigFixture.LoadError(path));
    }

    [Fact]
    public void Daemonize_is_refused_with_advice() =>
        Assert.Contains("stays in the foreground", ConfigFixture.LoadError("--daemonize", "yes"), StringComparison.Ordinal);

    [Fact]
    public void A_password_is_never_shown() => Assert.DoesNotContain("secret",
        ConfigFixture.LoadError("--requirepass", "secret", "extra"), StringComparison.Ordinal);

    [Fact]
    public void An_option_without_effect_is_warned_about_once()
    {
        string path = _fixture.Write("a.conf", "cluster-port 7\nactive-defrag-max-scan-fields 3\nactive-defrag-max-scan-fields 4\nsave \"\"\n" +
            "hz 20\n");
        LoadedConfig loaded = ConfigFixture.Load(path);
        Assert.Equal(
            ["active-defrag-max-scan-fields", "cluster-port"], loaded.Warnings.Select(w => w.Split('\'')[1]));
    }

    [Fact]
    public void Binary_and_huge_input_ends_in_an_error_not_in_a_crash()
    {
        string huge = _fixture.Write("huge.conf", "requirepass " + new string('x', 8 << 20));
        Assert.InRange(ConfigFixture.LoadError(huge).Length, 1, 1000);
        string words = _fixture.Write("words.conf", "bind" + string.Concat(Enumerable.Repeat(" a", 1 << 20)));
        Assert.Contains("Too many bind addresses", ConfigFixture.LoadError(words), StringComparison.Ordinal);

        var random = new Random(3);
        string[] names = [.. ConfigRegistry.All.Select(o => o.Name).Where(n => n != "include"), "\u00ff", "user", "x"];
        for (int i = 0; i < 3000; i++)
        {
            string line = names[random.Next(names.Length)] + " " + string.Concat(
                Enumerable.Range(0, random.Next(20)).Select(_ => (char)random.Next(256)));
            string path = _fixture.Write("random.conf", line);
            try
            {
                ConfigFixture.Load(path);
            }
            catch (ConfigException e)
            {
                Assert.DoesNotContain('\0', e.Message);
            }
        }
    }
}
