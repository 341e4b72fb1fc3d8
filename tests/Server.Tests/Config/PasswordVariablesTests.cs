using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Tests.Config;

/// <summary>KVSERVER_PASSWORD and KVSERVER_PASSWORD_FILE.</summary>
public sealed class PasswordVariablesTests : IDisposable
{
    private readonly ConfigFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_password_may_hold_anything_and_comes_after_the_file()
    {
        string file = _fixture.Write("kv.conf", "requirepass fromfile\n");
        Assert.Equal("a \"b\" ü", PasswordOf(new() { ["KVSERVER_PASSWORD"] = "a \"b\" ü" }, file));
        Assert.Equal("fromfile", PasswordOf(new() { ["KVSERVER_PASSWORD"] = "" }, file));
    }

    [Fact]
    public void Options_for_requirepass_itself_win()
    {
        Dictionary<string, string> environment = new() { ["KVSERVER_PASSWORD"] = "a", ["KVSERVER_REQUIREPASS"] = "b" };
        Assert.Equal("b", PasswordOf(environment));
        Assert.Equal("c", PasswordOf(environment, "--requirepass", "c"));
    }

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData(" se cret \nmore\n", " se cret ")]
    [InlineData("\u00ff\u00fe\n", "\u00ff\u00fe")]
    public void The_first_line_of_a_file_is_the_password(string content, string password)
    {
        string path = _fixture.Write("secret", content);
        LoadedConfig loaded = ConfigFixture.Load(new Dictionary<string, string> { ["KVSERVER_PASSWORD_FILE"] = path }, "");
        Assert.Equal(password, Encoding.Latin1.GetString(loaded.Config.RequirePass));
        Assert.Empty(loaded.Warnings);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\nsecret")]
    public void A_file_without_a_password_stops_the_start(string content) =>
        Assert.EndsWith("The file has no password in its first line", Error(_fixture.Write("secret", content)), StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_missing_or_one_more_password_stops_the_start()
    {
        string missing = Path.Combine(_fixture.Folder, "missing");
        Assert.Contains("The file can't be read", Error(missing), StringComparison.Ordinal);
        Assert.Contains("KVSERVER_PASSWORD_FILE", Error(missing), StringComparison.Ordinal);
        Assert.Contains("KVSERVER_PASSWORD is set as well", Error(_fixture.Write("s", "a"), "b"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_that_is_refused_is_not_told()
    {
        string error = Error(_fixture.Write("s", new string('x', 600)));
        Assert.Contains("longer than 512 bytes", error, StringComparison.Ordinal);
        Assert.DoesNotContain("xxx", error, StringComparison.Ordinal);
    }

    private static string PasswordOf(Dictionary<string, string> environment, params string[] args) =>
        Encoding.UTF8.GetString(ConfigFixture.Load(environment, "", args).Config.RequirePass);

    private static string Error(string path, string? password = null)
    {
        Dictionary<string, string> environment = new() { ["KVSERVER_PASSWORD_FILE"] = path };
        if (password is not null)
        {
            environment["KVSERVER_PASSWORD"] = password;
        }

        return Assert.Throws<ConfigException>(() => ConfigFixture.Load(environment, "")).Message;
    }
}
