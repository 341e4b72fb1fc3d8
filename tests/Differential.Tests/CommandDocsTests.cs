using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Compares what COMMAND DOCS says about every command of ours with what the reference says: all but prose.</summary>
public sealed class CommandDocsTests
{
    /// <summary>Commands with arguments newer than the reference, see DIFFERENCES.md.</summary>
    private static readonly HashSet<string> NewerArguments = new(StringComparer.Ordinal) { "zrank", "zrevrank" };

    [Fact]
    public async Task Arguments_versions_and_groups_are_those_of_the_reference()
    {
        ServerPair.RequireReference();
        await using ServerProcess reference =
            await ServerProcess.StartAsync(ServerOptions.ForTests(ReferenceServer.Binary));
        await using ServerProcess ours = await ServerProcess.StartAsync();
        Dictionary<string, string> theirDocs = ReadDocs(reference);
        Dictionary<string, string> ourDocs = ReadDocs(ours);
        Assert.NotEmpty(ourDocs);

        string[] differences =
        [
            .. ourDocs.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Where(pair => theirDocs.TryGetValue(pair.Key, out string? expected) && expected != pair.Value
                    && !NewerArguments.Contains(pair.Key))
                .Select(pair => $"{pair.Key}\n  ours:      {pair.Value}\n  reference: {theirDocs[pair.Key]}"),
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    /// <summary>Reads COMMAND DOCS, subcommands beside commands, each as one line without its prose.</summary>
    private static Dictionary<string, string> ReadDocs(ServerProcess server)
    {
        using RespClient client = server.Connect();
        Dictionary<string, string> docs = new(StringComparer.Ordinal);
        Add(docs, client.Execute("COMMAND", "DOCS"));
        return docs;
    }

    private static void Add(Dictionary<string, string> docs, RespValue map)
    {
        for (int i = 0; i < map.Items.Count; i += 2)
        {
            RespValue fields = map.Items[i + 1];
            docs.Add(map.Items[i].AsString, Describe(fields));
            if (fields["subcommands"] is { } subcommands)
            {
                Add(docs, subcommands);
            }
        }
    }

    private static string Describe(RespValue fields)
    {
        List<string> parts = [];
        for (int i = 0; i < fields.Items.Count; i += 2)
        {
            string name = fields.Items[i].AsString;
            string? value = name switch
            {
                "subcommands" => null,
                "summary" or "complexity" or "replaced_by" => "(prose)",
                "history" => string.Join(' ', fields.Items[i + 1].Items.Select(change => change.Items[0].AsString)),
                _ => ReplyComparer.Canonical(fields.Items[i + 1]),
            };
            if (value is not null)
            {
                parts.Add($"{name}={value}");
            }
        }

        return string.Join(", ", parts);
    }
}
