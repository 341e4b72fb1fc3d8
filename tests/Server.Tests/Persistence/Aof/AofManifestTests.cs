using System.Text;
using KvServer.Server.Persistence.Aof;

namespace KvServer.Server.Tests.Persistence.Aof;

public sealed class AofManifestTests
{
    private const string File = "appendonly.aof";

    [Fact]
    public void A_manifest_is_written_as_it_was_read()
    {
        const string Text =
            """
            file appendonly.aof.3.base.rdb seq 3 type b
            file appendonly.aof.2.base.rdb seq 2 type h
            file appendonly.aof.4.incr.aof seq 4 type h
            file appendonly.aof.5.incr.aof seq 5 type i
            file appendonly.aof.6.incr.aof seq 6 type i

            """;
        AofManifest manifest = Parse(Text);
        Assert.Equal(new AofFileInfo("appendonly.aof.3.base.rdb", 3, AofFileKind.Base), manifest.Base);
        Assert.Equal(2, manifest.History.Count);
        Assert.Equal(6, manifest.LastIncrement?.Sequence);
        Assert.Equal(Text, Encoding.Latin1.GetString(manifest.Format()));
    }

    [Fact]
    public void Comments_unknown_keys_order_and_case_do_not_matter()
    {
        AofManifest manifest = Parse("# hello\n  SEQ 1 Type base file x y z\r\n");
        Assert.Equal(new AofFileInfo("x", 1, AofFileKind.Base), manifest.Base);
        Assert.True(Parse("# nothing but this\n").IsEmpty);
    }

    [Theory]
    [InlineData("a b.aof", "\"a b.aof\"")]
    [InlineData("q\"\\.aof", "\"q\\\"\\\\.aof\"")]
    [InlineData("it's.aof", "\"it's.aof\"")]
    [InlineData("é.aof", "\"\\xc3\\xa9.aof\"")]
    [InlineData("tab\t.aof", "\"tab\\t.aof\"")]
    [InlineData("#.aof", "#.aof")]
    public void Names_that_are_not_plain_are_quoted(string name, string written)
    {
        AofManifest manifest = new(null, [], [new AofFileInfo(name, 1, AofFileKind.Increment)]);
        string text = Encoding.Latin1.GetString(manifest.Format());
        Assert.Equal($"file {written} seq 1 type i\n", text);
        if (!name.Contains('\\', StringComparison.Ordinal))
        {
            Assert.Equal(name, Parse(text).LastIncrement?.Name);
        }
    }

    [Theory]
    [InlineData("", "Found an empty AOF manifest")]
    [InlineData("\n", "Invalid AOF manifest file format (line 1)")]
    [InlineData("# c\nfile a seq 1\n", "Invalid AOF manifest file format (line 2: 'file a seq 1')")]
    [InlineData("file a seq 1 type b more\n", "Invalid AOF manifest file format (line 1: 'file a seq 1 type b more')")]
    [InlineData("file 'a seq 1 type b\n", "Invalid AOF manifest file format (line 1: 'file 'a seq 1 type b')")]
    [InlineData("file a seq 0 type b\n", "Invalid AOF manifest file format (line 1: 'file a seq 0 type b')")]
    [InlineData("file a seq -1 type b\n", "Invalid AOF manifest file format (line 1: 'file a seq -1 type b')")]
    [InlineData("file a seq 9223372036854775807 type b\n", "Invalid AOF manifest file format (line 1: 'file a seq 9223372036854775807 type b')")]
    [InlineData("file a seq 1x type b\n", "Invalid AOF manifest file format (line 1: 'file a seq 1x type b')")]
    [InlineData("file a seq 1 type ''\n", "Invalid AOF manifest file format (line 1: 'file a seq 1 type ''')")]
    [InlineData("file \"\\xff\" seq 1 type b\n", "Invalid AOF manifest file format (line 1: 'file \"\\xff\" seq 1 type b')")]
    [InlineData("name a seq 1 type b\n", "Invalid AOF manifest file format (line 1: 'name a seq 1 type b')")]
    [InlineData("file a seq 1 type x\n", "Unknown AOF file type (line 1: 'file a seq 1 type x')")]
    [InlineData("file a seq 1 type b", "The AOF manifest file contains too long line (line 1)")]
    [InlineData("file a\0 seq 1 type b\n", "The AOF manifest file contains too long line (line 1)")]
    [InlineData("file ../a seq 1 type b\n", "File can't be a path, just a filename (line 1: 'file ../a seq 1 type b')")]
    [InlineData("file a\\\\b seq 1 type b\n", "File can't be a path, just a filename (line 1: 'file a\\\\b seq 1 type b')")]
    [InlineData("file .. seq 1 type b\n", "File can't be a path, just a filename (line 1: 'file .. seq 1 type b')")]
    [InlineData("file '' seq 1 type b\n", "File can't be a path, just a filename (line 1: 'file '' seq 1 type b')")]
    [InlineData("file \"\\x00\" seq 1 type b\n", "File can't be a path, just a filename (line 1: 'file \"\\x00\" seq 1 type b')")]
    [InlineData("file a seq 1 type b\nfile b seq 2 type b\n", "Found duplicate base file information (line 2: 'file b seq 2 type b')")]
    [InlineData("file a seq 2 type i\nfile b seq 2 type i\n", "Found a non-monotonic sequence number (line 2: 'file b seq 2 type i')")]
    [InlineData("file \u001b seq 1 type q\n", "Unknown AOF file type (line 1: 'file . seq 1 type q')")]
    public void A_fault_names_its_line_and_reason(string text, string expected)
    {
        Assert.False(AofManifest.TryParse(Encoding.Latin1.GetBytes(text), out AofManifest manifest, out string error));
        Assert.Equal(expected, error);
        Assert.True(manifest.IsEmpty);
    }

    [Fact]
    public void A_line_has_a_longest_length()
    {
        const string Rest = " seq 1 type b\n";
        string name = new('x', 1024 - "file ".Length - Rest.Length);
        Assert.Equal(name, Parse($"file {name}{Rest}").Base?.Name);
        Assert.False(AofManifest.TryParse(Encoding.Latin1.GetBytes($"file x{name}{Rest}"), out _, out string error));
        Assert.Equal("The AOF manifest file contains too long line (line 1)", error);
        Assert.True(Parse($"#{new string('x', 1022)}\n").IsEmpty);
    }

    [Fact]
    public void A_rewrite_turns_what_it_replaces_into_history()
    {
        AofManifest manifest = AofManifest.Empty.WithNextIncrement(File);
        Assert.Equal("file appendonly.aof.1.incr.aof seq 1 type i\n", Text(manifest));

        manifest = manifest.WithNextIncrement(File);
        long firstKept = manifest.LastIncrement!.Sequence;
        manifest = manifest.WithNextIncrement(File).WithNewBase(File, isRdb: true, firstKept);
        Assert.Equal(
            "file appendonly.aof.1.base.rdb seq 1 type b\n"
            + "file appendonly.aof.1.incr.aof seq 1 type h\n"
            + "file appendonly.aof.2.incr.aof seq 2 type i\n"
            + "file appendonly.aof.3.incr.aof seq 3 type i\n",
            Text(manifest));

        manifest = manifest.WithNewBase(File, isRdb: false, long.MaxValue);
        Assert.Equal(
            "file appendonly.aof.2.base.aof seq 2 type b\n"
            + "file appendonly.aof.2.incr.aof seq 2 type h\n"
            + "file appendonly.aof.3.incr.aof seq 3 type h\n"
            + "file appendonly.aof.1.base.rdb seq 1 type h\n"
            + "file appendonly.aof.1.incr.aof seq 1 type h\n",
            Text(manifest));
        Assert.Equal(Text(manifest), Text(Parse(Text(manifest))));

        // The files with the numbers 1 to 3 are still there.
        Assert.Equal("appendonly.aof.4.incr.aof", manifest.WithNextIncrement(File).LastIncrement?.Name);
        manifest = manifest.WithoutHistory();
        Assert.Equal("file appendonly.aof.2.base.aof seq 2 type b\n", Text(manifest));
        Assert.Same(manifest, manifest.WithoutHistory());
    }

    [Fact]
    public void An_old_file_becomes_the_base()
    {
        AofManifest manifest = AofManifest.OfOldFile(File).WithNextIncrement(File);
        Assert.Equal("file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n", Text(manifest));
        Assert.Equal("appendonly.aof.2.base.rdb", manifest.WithNewBase(File, isRdb: true, 2).Base?.Name);
    }

    private static string Text(AofManifest manifest) => Encoding.Latin1.GetString(manifest.Format());

    private static AofManifest Parse(string text)
    {
        Assert.True(AofManifest.TryParse(Encoding.Latin1.GetBytes(text), out AofManifest manifest, out string error), error);
        return manifest;
    }
}
