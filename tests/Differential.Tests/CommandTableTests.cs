using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Compares what COMMAND says about every command of ours with what the reference says.</summary>
public sealed class CommandTableTests
{
    /// <summary>Commands and subcommands the reference does not have, see DIFFERENCES.md.</summary>
    private static readonly HashSet<string> NotInReference = new(StringComparer.Ordinal)
    {
        "bigkeys",
        "client|no-touch",
        "client|setinfo",
        "hexpire",
        "hexpireat",
        "hexpiretime",
        "hgetdel",
        "hgetex",
        "hpersist",
        "hpexpire",
        "hpexpireat",
        "hpexpiretime",
        "hotkeys",
        "hpttl",
        "hsetex",
        "httl",
        "waitaof",
    };

    /// <summary>Subcommands of features we do not have: client-side caching, shard channels, memory reports. CLUSTER is one
    /// command that refuses all of its subcommands.</summary>
    private static readonly HashSet<string> NotOurs = new(StringComparer.Ordinal)
    {
        "client|caching",
        "client|getredir",
        "client|tracking",
        "client|trackinginfo",
        "memory|doctor",
        "memory|malloc-stats",
        "memory|purge",
        "memory|stats",
        "pubsub|shardchannels",
        "pubsub|shardnumsub",
    };

    /// <summary>Commands with options newer than the reference, and the arity they have because of them.</summary>
    private static readonly Dictionary<string, string> NewerArity = new(StringComparer.Ordinal)
    {
        ["zrank"] = "-3",
        ["zrevrank"] = "-3",
    };

    [Fact]
    public async Task Arity_flags_keys_and_categories_are_those_of_the_reference()
    {
        ServerPair.RequireReference();
        await using ServerProcess reference =
            await ServerProcess.StartAsync(ServerOptions.ForTests(ReferenceServer.Binary));
        await using ServerProcess ours = await ServerProcess.StartAsync();
        Dictionary<string, RespValue> theirTable = ReadTable(reference);
        Dictionary<string, RespValue> ourTable = ReadTable(ours);
        Assert.NotEmpty(ourTable);

        List<string> differences = [];
        foreach ((string name, RespValue command) in ourTable.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (theirTable.TryGetValue(name, out RespValue? expected))
            {
                Compare(name, command, expected, differences);
            }
            else if (!NotInReference.Contains(name))
            {
                differences.Add($"{name}: the reference has no such command");
            }
        }

        Assert.True(differences.Count == 0, string.Join("\n", differences));
    }

    [Fact]
    public async Task Command_count_is_the_number_of_commands_listed()
    {
        await using ServerProcess server = await ServerProcess.StartAsync();
        using RespClient client = server.Connect();
        Assert.Equal(client.Execute("COMMAND").Items.Count, client.Execute("COMMAND", "COUNT").AsInteger);
    }

    private static void Compare(string name, RespValue ours, RespValue reference, List<string> differences)
    {
        Check("arity", ours.Items[1].AsString, NewerArity.GetValueOrDefault(name, reference.Items[1].AsString));
        Check("flags", Sorted(ours.Items[2]), Sorted(reference.Items[2]));
        Check("first key", ours.Items[3].AsString, reference.Items[3].AsString);
        Check("last key", ours.Items[4].AsString, reference.Items[4].AsString);
        Check("step", ours.Items[5].AsString, reference.Items[5].AsString);
        Check("ACL categories", Sorted(ours.Items[6]), Sorted(reference.Items[6]));
        Check("key specifications", KeySpecs(ours.Items[8]), KeySpecs(reference.Items[8]));
        Check("subcommands", Subcommands(ours.Items[9]), Subcommands(reference.Items[9]));

        void Check(string what, string ourText, string theirText)
        {
            if (ourText != theirText)
            {
                differences.Add($"{name}: {what}\n  ours:      {ourText}\n  reference: {theirText}");
            }
        }
    }

    private static string Sorted(RespValue list) =>
        string.Join(' ', list.AsStrings.Order(StringComparer.Ordinal));

    /// <summary>Writes key specifications without their notes, which are prose.</summary>
    private static string KeySpecs(RespValue specs) => string.Join(" / ", specs.Items.Select(spec =>
        $"{ReplyComparer.Canonical(spec["flags"]!)} {ReplyComparer.Canonical(spec["begin_search"]!)} "
        + ReplyComparer.Canonical(spec["find_keys"]!)));

    private static string Subcommands(RespValue list) => string.Join(' ', list.Items
        .Select(item => item.Items[0].AsString)
        .Where(name => !NotInReference.Contains(name) && !NotOurs.Contains(name)
            && !name.StartsWith("cluster|", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal));

    /// <summary>Reads COMMAND into a table that holds subcommands beside commands.</summary>
    private static Dictionary<string, RespValue> ReadTable(ServerProcess server)
    {
        using RespClient client = server.Connect();
        Dictionary<string, RespValue> table = new(StringComparer.Ordinal);
        foreach (RespValue command in client.Execute("COMMAND").Items)
        {
            table.Add(command.Items[0].AsString, command);
            foreach (RespValue subcommand in command.Items[9].Items)
            {
                table.Add(subcommand.Items[0].AsString, subcommand);
            }
        }

        return table;
    }
}
