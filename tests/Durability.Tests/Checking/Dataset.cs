using System.Globalization;
using System.Text;
using KvServer.Durability.Tests.Traffic;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Checking;

/// <summary>Reads everything a server holds.</summary>
internal static class Dataset
{
    private const int DatabaseCount = 16;

    /// <summary>All keys with their values and exact expiry times.</summary>
    public static Dictionary<KeyId, ModelValue> Read(RespClient client)
    {
        Dictionary<KeyId, ModelValue> found = [];
        for (int database = 0; database < DatabaseCount; database++)
        {
            client.Execute("SELECT", database.ToString(CultureInfo.InvariantCulture));
            string[] names = client.Execute("KEYS", "*").AsStrings;
            List<string[]> questions = [];
            foreach (string name in names)
            {
                questions.Add(["TYPE", name]);
                questions.Add(["PEXPIRETIME", name]);
            }

            List<RespValue> answers = Ask(client, questions);
            List<RespValue> values = Ask(client, [.. names.Select((name, i) =>
                new[] { answers[2 * i].AsString == "set" ? "SMEMBERS" : "GET", name })]);
            for (int i = 0; i < names.Length; i++)
            {
                long expiresAtMs = Math.Max(0, answers[(2 * i) + 1].AsInteger);
                bool isSet = values[i].IsAggregate;
                found.Add(new KeyId(database, names[i]), new ModelValue
                {
                    Text = isSet ? null : values[i].AsString,
                    Members = isSet ? new HashSet<string>(values[i].AsStrings, StringComparer.Ordinal) : null,
                    ExpiresFromMs = expiresAtMs,
                    ExpiresToMs = expiresAtMs,
                });
            }
        }

        return found;
    }

    /// <summary>A field of INFO, or null.</summary>
    public static string? Info(RespClient client, string field) => client.Execute("INFO", "everything").AsString
        .Split("\r\n")
        .Where(line => line.StartsWith(field + ":", StringComparison.Ordinal))
        .Select(line => line[(field.Length + 1)..])
        .FirstOrDefault();

    private static List<RespValue> Ask(RespClient client, List<string[]> questions)
    {
        using MemoryStream request = new();
        foreach (string[] question in questions)
        {
            CommandLine.AppendRequest(request, [.. question.Select(Encoding.Latin1.GetBytes)]);
        }

        client.SendRaw(request.GetBuffer().AsSpan(0, (int)request.Length));
        return [.. questions.Select(_ => client.ReadReply())];
    }
}
