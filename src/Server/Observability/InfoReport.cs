using KvServer.Resp;

namespace KvServer.Server.Observability;

/// <summary>The text of INFO: which sections, and what is in them.</summary>
/// <remarks>Field names, units and order are those exporters know; our own fields come last in their section. Made anew
/// for each call, on the command loop.</remarks>
internal static partial class InfoReport
{
    /// <summary>The sections in their order.</summary>
    private static readonly (string Name, InfoScope Scope, Action<InfoWriter, ServerState> Write)[] Sections =
    [
        ("server", InfoScope.Default, WriteServer),
        ("clients", InfoScope.Default, WriteClients),
        ("memory", InfoScope.Default, WriteMemory),
        ("persistence", InfoScope.Default, WritePersistence),
        ("stats", InfoScope.Default, WriteStats),
        ("replication", InfoScope.Default, WriteReplication),
        ("cpu", InfoScope.Default, WriteCpu),
        ("modules", InfoScope.Default, WriteModules),
        ("commandstats", InfoScope.All, WriteCommandStats),
        ("errorstats", InfoScope.Default, WriteErrorStats),
        ("latencystats", InfoScope.All, WriteLatencyStats),
        ("cluster", InfoScope.Default, WriteCluster),
        ("keyspace", InfoScope.Default, WriteKeyspace),
        ("dicts", InfoScope.All, WriteDicts),
        ("tls", InfoScope.All, WriteTls),
        ("debug", InfoScope.Named, WriteDebug),
    ];

    /// <summary>Makes the text of some sections.</summary>
    /// <remarks><paramref name="args"/> holds section names in any case from <paramref name="first"/> on, <c>default</c>,
    /// <c>all</c> or <c>everything</c>; unknown names are ignored, none means default.</remarks>
    public static string Make(ServerState server, Arguments args, int first)
    {
        bool[] wanted = new bool[Sections.Length];
        for (int i = 0; i < wanted.Length; i++)
        {
            wanted[i] = args.Count <= first
                ? Sections[i].Scope == InfoScope.Default
                : IsNamed(args, first, Sections[i].Name, Sections[i].Scope);
        }

        InfoWriter info = new();
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i])
            {
                Sections[i].Write(info, server);
            }
        }

        return info.ToString();
    }

    /// <summary>Makes the text of every section.</summary>
    public static string MakeAll(ServerState server)
    {
        InfoWriter info = new();
        foreach ((_, _, Action<InfoWriter, ServerState> write) in Sections)
        {
            write(info, server);
        }

        return info.ToString();
    }

    private static bool IsNamed(Arguments args, int first, string name, InfoScope scope)
    {
        for (int i = first; i < args.Count; i++)
        {
            string word = System.Text.Encoding.ASCII.GetString(args[i]).ToLowerInvariant();
            if (word == name
                || (word is "all" or "everything" && scope != InfoScope.Named)
                || (word == "default" && scope == InfoScope.Default))
            {
                return true;
            }
        }

        return false;
    }
}
