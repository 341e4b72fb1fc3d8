using System.Text;
using KvServer.Fuzz;

namespace KvServer.Server.Tests.Persistence.Aof;

/// <summary>Bytes of append-only files for tests.</summary>
internal static class AofText
{
    /// <summary>One request of words.</summary>
    public static byte[] Request(params string[] words) =>
        RequestFuzz.WriteMultibulk([[.. words.Select(Encoding.Latin1.GetBytes)]]);

    /// <summary>A line of its own.</summary>
    public static byte[] Line(string text) => Encoding.Latin1.GetBytes(text + "\r\n");
}
