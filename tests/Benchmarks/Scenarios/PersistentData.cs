using KvServer.Benchmarks.Load;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Scenarios;

/// <summary>The data that the scenarios of persistence save and load.</summary>
internal static class PersistentData
{
    private const int MembersPerSet = 1_000;

    /// <summary>How many keys: what the command line says, else five million, or a tenth.</summary>
    public static int Keys(BenchmarkOptions options) => options.Keys > 0 ? options.Keys : options.Quick ? 500_000 : 5_000_000;

    /// <summary>Sets the keys that <see cref="KeyRequests"/> asks for, to values that do not compress.</summary>
    public static void FillKeys(ServerProcess server, int keys)
    {
        using KeyFiller filler = new(server.Port, "key:", KeyRequests.Digits, KeyRequests.ValueBytes, batch: 128)
        {
            RandomValues = true,
        };
        filler.Fill(0, keys);
    }

    /// <summary>Makes sets that hold a fiftieth as many members as there are keys, and one large one with as many.</summary>
    public static void FillSets(ServerProcess server, int keys)
    {
        using RespClient client = server.Connect();
        int members = Math.Max(keys / 50, MembersPerSet);
        SetRequests.Fill(client, "set:large", members);
        for (int i = 0; i < members / MembersPerSet; i++)
        {
            SetRequests.Fill(client, $"set:{i}", MembersPerSet);
        }
    }
}
