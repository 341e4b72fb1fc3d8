using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>INFO carries the fields that monitoring tools read from redis-server, under the same headings.</summary>
public sealed class InfoTests
{
    /// <summary>Fields about how the reference itself was compiled.</summary>
    private static readonly string[] LeftOut = ["gcc_version", "atomicvar_api"];

    [Fact]
    public async Task Every_field_of_the_reference_that_tools_read_is_there()
    {
        ServerPair.RequireReference();
        await using ServerProcess reference =
            await ServerProcess.StartAsync(ServerOptions.ForTests(ReferenceServer.Binary));
        await using ServerProcess ours = await ServerProcess.StartAsync();
        HashSet<string> ourFields = Fields(ours);
        IEnumerable<string> missing = Fields(reference)
            .Where(field => !ourFields.Contains(field) && !IsLeftOut(field))
            .Order(StringComparer.Ordinal);
        Assert.Empty(missing);
    }

    private static bool IsLeftOut(string field) =>
        LeftOut.Any(prefix => field[(field.IndexOf('/', StringComparison.Ordinal) + 1)..]
            .StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Reads INFO everything as section/field.</summary>
    private static HashSet<string> Fields(ServerProcess server)
    {
        using RespClient client = server.Connect();
        client.Execute("SET", "k", "v");
        HashSet<string> fields = new(StringComparer.Ordinal);
        string section = "";
        foreach (string line in client.Execute("INFO", "all").AsString.Split("\r\n"))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                section = line[2..];
            }
            else if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon && section != "Commandstats")
            {
                fields.Add($"{section}/{line[..colon]}");
            }
        }

        return fields;
    }
}
